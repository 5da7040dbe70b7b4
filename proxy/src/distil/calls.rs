//! The tool calls of an answer, as they are collected.

use ccxray_shared::{
    Name,
    entry::{MAX_LISTED, ToolCall, ToolCalls},
};

use super::learnt::Learnt;

/// The place of a call in the list, for what is learnt of it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

/// Collects the tool calls of an answer, and what they teach.
#[derive(Debug, Default)]
pub(super) struct Calls {
    seen: ToolCalls<'static>,
    /// What is to be remembered of them.
    pub(super) learnt: Learnt,
}

impl Calls {
    /// Counts a call, whatever else can be told of it.
    pub(super) fn count(&mut self) {
        self.seen.blocks = self.seen.blocks.saturating_add(1);
    }

    /// Of the calls counted, one cannot be read: it names no tool.
    pub(super) fn unreadable(&mut self) {
        self.seen.unreadable = self.seen.unreadable.saturating_add(1);
    }

    /// Lists a call that has been counted; none if the list is full.
    pub(super) fn list(&mut self, call: ToolCall<'static>) -> Option<Place> {
        if self.seen.calls.len() == MAX_LISTED {
            return None;
        }
        self.seen.calls.push(call);
        Some(Place(self.seen.calls.len() - 1))
    }

    /// The call at its place.
    pub(super) fn at(&mut self, Place(place): Place) -> &mut ToolCall<'static> {
        &mut self.seen.calls[place]
    }

    /// The calls, and what is to be remembered of them.
    pub(super) fn into_parts(mut self) -> (Option<ToolCalls<'static>>, Learnt) {
        let learnt = std::mem::take(&mut self.learnt);
        (self.into_facts(), learnt)
    }

    /// The calls; none if there was no tool-call block.
    pub(super) fn into_facts(self) -> Option<ToolCalls<'static>> {
        (self.seen.blocks > 0).then_some(self.seen)
    }
}

/// The tool of a call, as a failure of the call is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// Its name, behind its MCP server's where that is stated beside it.
    pub tool: Name<'static>,
    /// The MCP tool that its script calls, if it calls no other tool.
    pub scripted: Option<Name<'static>>,
}

impl From<Name<'static>> for Called {
    fn from(tool: Name<'static>) -> Self {
        Self { tool, scripted: None }
    }
}

/// A call of the tool `name` of which nothing else is known.
pub(super) fn plain(name: &str) -> ToolCall<'static> {
    ToolCall::named(Name::from_wire(name).into_owned())
}
