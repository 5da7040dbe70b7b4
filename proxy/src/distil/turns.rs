//! How the turn before a compaction ended: what tells who has asked for it.

use ccxray_shared::entry::{Class, Trigger};

use super::{answer::AnswerFacts, request::RequestFacts};

/// The window of a session that asks for no other, in tokens.
const WINDOW: u64 = 200_000;

/// The window of a session whose context does not fit into [`WINDOW`].
const LONG_WINDOW: u64 = 1_000_000;

/// From this percentage of its window on, a client makes room by itself.
const FULL: u64 = 90;

/// How the last turn or compaction of an agent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastTurn {
    /// With an answer to this many tokens, in a window of so many.
    Answered {
        /// All input, cached or not.
        context: u64,
        /// What fits in.
        window: u64,
    },
    /// It did not fit into the model's window.
    Overflowed,
    /// The conversation was summarised.
    Compacted,
    /// The conversation was to be summarised, and that failed.
    CompactionFailed,
}

impl LastTurn {
    /// How this exchange ended; none if it says nothing about the room that is left.
    pub(super) fn of(request: &RequestFacts, answer: &AnswerFacts) -> Option<Self> {
        let overflowed = answer.error.as_ref().is_some_and(|error| error.context_length);
        match request.class {
            Class::Turn if overflowed => Some(Self::Overflowed),
            Class::Turn => {
                let context = context(answer)?;
                let asked = request.context.and_then(|hints| hints.window);
                let window = asked.unwrap_or(if context > WINDOW { LONG_WINDOW } else { WINDOW });
                Some(Self::Answered { context, window })
            }
            Class::Compaction if answer.error.is_none() && answer.stop_reason.is_some() => {
                Some(Self::Compacted)
            }
            Class::Compaction => Some(Self::CompactionFailed),
            Class::Helper
            | Class::Title
            | Class::WebSearch
            | Class::WarmUp
            | Class::TokenCount
            | Class::Probe
            | Class::Platform
            | Class::Connection
            | Class::Other => None,
        }
    }

    /// What set off a compaction that follows this. None: it is another attempt at the one before, which has said it.
    pub(super) fn trigger(self) -> Option<Trigger> {
        match self {
            Self::Overflowed => Some(Trigger::Auto),
            Self::Answered { context, window } if context * 100 > window * FULL => Some(Trigger::Auto),
            Self::Answered { .. } | Self::Compacted => Some(Trigger::Manual),
            Self::CompactionFailed => None,
        }
    }
}

/// All input that the answer states. Anthropic states its parts apart from each other, Gemini their sum.
fn context(answer: &AnswerFacts) -> Option<u64> {
    let counts = answer.usage.as_ref()?.counts;
    let cached = [counts.cache_read_input_tokens, counts.cache_creation_input_tokens];
    let input = counts.input_tokens.or(counts.prompt_token_count)?;
    Some(cached.into_iter().flatten().fold(input, u64::saturating_add))
}

#[cfg(test)]
mod tests {
    use ccxray_shared::{
        Name,
        entry::{ContextHints, ErrorFacts, Route},
        usage::{Counts, Usage},
    };

    use super::*;

    fn request(class: Class, window: Option<u64>) -> RequestFacts {
        let context = Some(ContextHints { window, messages: 3 });
        RequestFacts { class, context, ..RequestFacts::of_route(Route::Messages) }
    }

    fn answer(input: u64, read: u64, created: u64) -> AnswerFacts {
        let counts = Counts {
            input_tokens: Some(input),
            cache_read_input_tokens: Some(read),
            cache_creation_input_tokens: Some(created),
            ..Counts::default()
        };
        let usage = Some(Usage { counts, ..Usage::default() });
        AnswerFacts { usage, stop_reason: Some(Name::from_wire("end_turn")), ..AnswerFacts::default() }
    }

    fn failed(context_length: bool) -> AnswerFacts {
        let error = ErrorFacts { kind: None, code: None, in_stream: false, context_length };
        AnswerFacts { error: Some(error), ..AnswerFacts::default() }
    }

    #[test]
    fn a_full_window_sets_a_compaction_off() {
        let trigger = |window, answer: &AnswerFacts| {
            LastTurn::of(&request(Class::Turn, window), answer).and_then(LastTurn::trigger)
        };
        assert_eq!(trigger(None, &answer(1, 180_000, 0)), Some(Trigger::Auto));
        assert_eq!(trigger(None, &answer(0, 100_000, 80_000)), Some(Trigger::Manual));
        assert_eq!(trigger(None, &answer(0, 100_000, 100_001)), Some(Trigger::Manual), "it proves a million");
        assert_eq!(trigger(Some(1_000_000), &answer(1, 190_000, 0)), Some(Trigger::Manual));
        assert_eq!(trigger(Some(1_000_000), &answer(1, 900_000, 0)), Some(Trigger::Auto));
        assert_eq!(trigger(Some(1_000_000), &failed(true)), Some(Trigger::Auto));
    }

    #[test]
    fn what_says_nothing_about_the_room_is_not_remembered() {
        assert_eq!(LastTurn::of(&request(Class::Turn, None), &failed(false)), None);
        assert_eq!(LastTurn::of(&request(Class::Title, None), &answer(199_000, 0, 0)), None);
        assert_eq!(LastTurn::of(&request(Class::TokenCount, None), &failed(true)), None);
    }

    #[test]
    fn another_attempt_at_a_compaction_has_no_trigger_of_its_own() {
        let ended = |answer: &AnswerFacts| LastTurn::of(&request(Class::Compaction, None), answer).unwrap();
        assert_eq!(ended(&failed(true)).trigger(), None);
        assert_eq!(ended(&AnswerFacts::default()).trigger(), None, "a broken-off stream");
        assert_eq!(ended(&answer(199_000, 0, 0)).trigger(), Some(Trigger::Manual));
    }
}
