//! The configuration files as text and as settings. Pure: text and variables in, settings and mistakes out.
//!
//! - [`document`]: JSON of which each value knows where it stands.
//! - [`schema`]: the published JSON Schemas, and the check of a document against one.
//! - [`settings`]: what a checked document says.
//! - [`template`]: `${VAR}` in values. [`secrets`]: what must not stand in a file. [`shown`]: values as they may be seen.
//! - [`problem`]: a mistake, where it is and how to mend it.

pub mod document;
pub mod problem;
pub mod schema;
pub mod secrets;
pub mod settings;
pub mod shown;
pub mod template;

pub use self::{
    problem::{Place, Problem},
    schema::FileKind,
    settings::Settings,
};
