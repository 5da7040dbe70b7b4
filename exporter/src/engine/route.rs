//! Which pipeline an entry counts in.

/// Where an entry counts beside the local page. It stands until something else is agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route(pub(super) Option<usize>);

impl Route {
    /// Nowhere.
    pub const LOCAL: Self = Self(None);
}

/// What must happen before it can be told where an entry counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack<'e> {
    /// Somebody must look at this directory.
    Directory(&'e str),
    /// This grant, by its number, has no pipeline yet: none of its entries had come.
    Pipeline(usize),
}

/// A pipeline with a destination, in this process: a number that is never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipelineId(pub u64);
