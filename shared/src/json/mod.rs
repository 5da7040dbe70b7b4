//! Configuration files in JSON, whose mistakes are told at their place.
//!
//! - [`document`]: JSON of which each value knows where it stands.
//! - [`problem`]: a mistake, where it is and how to mend it.

pub mod document;
pub mod problem;

pub use self::{
    document::{Node, Value},
    problem::{FileProblems, Place, Problem},
};
