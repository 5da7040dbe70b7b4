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
}

/// Adds to `facts` those of `results` that no earlier request of the session reported: a retry, a fallback to
/// another model or a request for a summary reports the same ones again. `shown` is the tool that was called under an
/// id, where the request shows it; it is asked for no more tools than are listed.
pub(super) fn add<'a>(
    results: impl IntoIterator<Item = Reported<'a>>,
    shown: impl Fn(&str) -> Option<Called>,
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
        if fresh.failed_tools.len() == MAX_LISTED {
            continue;
        }
        let remembered = || memory.tool_called(scope.as_ref()?, &result.call).cloned();
        match shown(&result.call).or_else(remembered) {
            Some(called) => {
                fresh.failed_tools.push(called.tool);
                fresh.failed_scripted.extend(called.scripted);
            }
            None => facts.notes.add(parser, "result_without_call"),
        }
    }
    facts.results = (fresh.count > 0).then_some(fresh);
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ccxray_shared::{Name, entry::Route};

    use super::*;

    #[test]
    fn no_more_tools_are_looked_up_than_are_listed() {
        let mut facts = RequestFacts::of_route(Route::Messages);
        let failed = (0..1000).map(|call| Reported { call: call.to_string().into(), failed: true });
        let asked = Cell::new(0);
        let shown = |_: &str| {
            asked.set(asked.get() + 1);
            Some(Name::from_wire("Bash").into())
        };
        add(failed, shown, &mut Memory::default(), "anthropic", &mut facts);
        let results = facts.results.unwrap();
        assert_eq!((results.count, results.failed), (1000, 1000));
        assert_eq!((results.failed_tools.len(), asked.get()), (MAX_LISTED, MAX_LISTED));
    }
}
