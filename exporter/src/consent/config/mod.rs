//! The configuration files as text and as settings. Pure: text and variables in, settings and mistakes out.
//!
//! - [`schema`]: the published JSON Schemas, and the check of a document against one.
//! - [`settings`]: what a checked document says.
//! - [`template`]: `${VAR}` in values. [`secrets`]: what must not stand in a file. [`shown`]: values as they may be seen.

pub mod schema;
pub mod secrets;
pub mod settings;
pub mod shown;
pub mod template;

pub use self::{schema::FileKind, settings::Settings};
