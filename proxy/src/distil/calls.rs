//! The tool calls of an answer, as they are collected.

use ccxray_shared::{
    Name,
    entry::{MAX_LISTED, ToolCall, ToolCalls},
};

/// The place of a call in the list, for what is learnt of it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

/// Collects the tool calls of an answer.
#[derive(Debug, Default)]
pub(super) struct Calls(ToolCalls<'static>);

impl Calls {
    /// Counts a call, whatever else can be told of it.
    pub(super) fn count(&mut self) {
        self.0.blocks = self.0.blocks.saturating_add(1);
    }

    /// Lists a call that has been counted; none if the list is full.
    pub(super) fn list(&mut self, call: ToolCall<'static>) -> Option<Place> {
        if self.0.calls.len() == MAX_LISTED {
            return None;
        }
        self.0.calls.push(call);
        Some(Place(self.0.calls.len() - 1))
    }

    /// The call at its place.
    pub(super) fn at(&mut self, Place(place): Place) -> &mut ToolCall<'static> {
        &mut self.0.calls[place]
    }

    /// The calls; none if there was no tool-call block.
    pub(super) fn into_facts(self) -> Option<ToolCalls<'static>> {
        (self.0.blocks > 0).then_some(self.0)
    }
}

/// A call of the tool `name` of which nothing else is known.
pub(super) fn plain(name: &str) -> ToolCall<'static> {
    ToolCall::named(Name::from_wire(name).into_owned())
}
