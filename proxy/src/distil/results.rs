//! The tool results of a request, each counted once.

use std::borrow::Cow;

use ccxray_shared::entry::{MAX_LISTED, ToolResults};

use super::{calls::Called, memory::Memory, request::RequestFacts};

/// The result of a tool call, as a request reports it.
#[derive(Debug)]
pub(super) struct Reported<'a> {
    /// The id of the call; empty if it does not say.
    pub(super) call: Cow<'a, str>,
    /// Whether it is marked as failed.
    pub(super) failed: bool,
    /// The tool, where it failed and the request shows its call.
    pub(super) tool: Option<Called>,
}

/// Adds to `facts` those of `results` that no earlier request of the session reported: a retry, a fallback to
/// another model or a request for a summary reports the same ones again.
pub(super) fn add<'a>(
    results: impl IntoIterator<Item = Reported<'a>>,
    memory: &mut Memory,
    parser: &'static str,
    facts: &mut RequestFacts,
) {
    let scope = facts.scope().cloned();
    let mut fresh = ToolResults::default();
    for result in results {
        let call = result.call.as_bytes();
        if scope.as_ref().is_some_and(|scope| memory.results.see(scope, call) > 0) {
            continue;
        }
        fresh.count += 1;
        if !result.failed {
            continue;
        }
        fresh.failed += 1;
        let remembered = || memory.tool_called(scope.as_ref()?, &result.call).cloned();
        match result.tool.or_else(remembered) {
            Some(called) if fresh.failed_tools.len() < MAX_LISTED => {
                fresh.failed_tools.push(called.tool);
                fresh.failed_scripted.extend(called.scripted);
            }
            Some(_) => {}
            None => facts.notes.add(parser, "result_without_call"),
        }
    }
    facts.results = (fresh.count > 0).then_some(fresh);
}
