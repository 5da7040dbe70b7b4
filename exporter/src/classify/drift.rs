//! Where clients and providers have moved away from what is known of them.
//!
//! What is found here is counted by the metrics and sampled in the drift log; both ask here, so that they agree.

use ccxray_shared::{
    Entry,
    entry::{Parse, Provider},
    name::MALFORMED,
};
use serde::{Deserialize, Serialize};

use super::{
    Classified,
    classified::Cost,
    error_type, known_tools,
    mcp::{self, Mcp},
    notes::{self, NoteKind},
    skill, stop_reason,
};

/// One thing that was not as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift<'e> {
    /// What kind of thing.
    pub category: Category,
    /// With whom.
    pub provider: Provider,
    /// The bare name that was met, where it is about a name: at most 64 characters, none of them a control character.
    pub token: Option<&'e str>,
    /// Of a fallback or an error: which parser's.
    pub parser: Option<&'e str>,
    /// Of a fallback or an error: what happened.
    pub reason: Option<&'e str>,
    /// How often in this entry.
    pub count: u64,
}

/// What kind of thing was not as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// A tool that is neither a client's nor an MCP server's.
    UnknownTool,
    /// A tool's name that is meant for MCP, but names no server or no tool.
    UnknownMcpFormat,
    /// A skill was activated, but which one does not show.
    UnknownSkillMarker,
    /// A stop reason.
    UnknownStopReason,
    /// An error's type.
    UnknownError,
    /// A model whose price is not known, in an answer that is billed.
    UnknownModel,
    /// A parser met something that it could pass over.
    Fallback,
    /// A parser failed, at a part or altogether.
    ParserError,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 8] = [
        Self::UnknownTool,
        Self::UnknownMcpFormat,
        Self::UnknownSkillMarker,
        Self::UnknownStopReason,
        Self::UnknownError,
        Self::UnknownModel,
        Self::Fallback,
        Self::ParserError,
    ];

    /// The category's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownTool => "unknown_tool",
            Self::UnknownMcpFormat => "unknown_mcp_format",
            Self::UnknownSkillMarker => "unknown_skill_marker",
            Self::UnknownStopReason => "unknown_stop_reason",
            Self::UnknownError => "unknown_error",
            Self::UnknownModel => "unknown_model",
            Self::Fallback => "fallback",
            Self::ParserError => "parser_error",
        }
    }
}

/// The parser that an entry as a whole belongs to.
const RECORDER: &str = "recorder";

/// Everything in `classified` that was not as expected. Mostly nothing, which costs no allocation.
pub fn of<'e>(classified: &Classified<'e>) -> Vec<Drift<'e>> {
    let entry = classified.entry;
    let mut found = Found { provider: entry.provider, drifts: Vec::new() };
    found.tools(entry);
    found.words(classified);
    found.notes(entry);
    found.drifts
}

struct Found<'e> {
    provider: Provider,
    drifts: Vec<Drift<'e>>,
}

impl<'e> Found<'e> {
    fn tools(&mut self, entry: &'e Entry<'e>) {
        // Where the proxy's parser has noted a marker, it may be that of one of these calls.
        let noted = entry.notes.iter().any(|note| notes::kind(note) == NoteKind::SkillMarker);
        for call in entry.tools.iter().flat_map(|tools| &tools.calls) {
            let is_known = known_tools::is_known(self.provider, &call.name);
            self.tool(&mcp::of_call(self.provider, call), is_known, &call.name);
            if !noted && skill::is_nameless(self.provider, call) {
                self.named(Category::UnknownSkillMarker, &call.name);
            }
            for name in &call.scripted {
                let is_known = known_tools::is_known_in_script(self.provider, name);
                self.tool(&mcp::of_name(self.provider, name), is_known, name);
            }
        }
    }

    fn tool(&mut self, mcp: &Mcp<'_>, is_known: bool, name: &'e str) {
        match mcp {
            Mcp::Tool { .. } => {}
            Mcp::NotMcp if is_known => {}
            Mcp::Malformed => self.named(Category::UnknownMcpFormat, name),
            Mcp::NotMcp => self.named(Category::UnknownTool, name),
        }
    }

    fn words(&mut self, classified: &Classified<'e>) {
        let entry = classified.entry;
        if let Some(reason) = stop_reason::unknown(entry) {
            self.named(Category::UnknownStopReason, reason);
        }
        if let Some(error) = error_type::unknown(entry) {
            self.named(Category::UnknownError, error);
        }
        if classified.cost == Cost::Unpriced {
            let model = entry.model_served.as_deref().or(entry.model.as_deref());
            self.named(Category::UnknownModel, model.unwrap_or(MALFORMED));
        }
    }

    fn notes(&mut self, entry: &'e Entry<'e>) {
        for note in &entry.notes {
            let count = u64::from(note.count.max(1));
            match notes::kind(note) {
                NoteKind::Fallback => self.parser(Category::Fallback, &note.parser, &note.reason, count),
                NoteKind::Error => self.parser(Category::ParserError, &note.parser, &note.reason, count),
                NoteKind::SkillMarker => {
                    self.parser(Category::UnknownSkillMarker, &note.parser, &note.reason, count);
                }
            }
        }
        match entry.parse {
            Parse::Error => self.parser(Category::ParserError, RECORDER, "panic", 1),
            Parse::Shed => self.parser(Category::ParserError, RECORDER, "shed", 1),
            Parse::Ok | Parse::Partial | Parse::Unknown => {}
        }
    }

    fn named(&mut self, category: Category, token: &'e str) {
        let nameless = Drift {
            category,
            provider: self.provider,
            token: Some(token),
            parser: None,
            reason: None,
            count: 1,
        };
        self.drifts.push(nameless);
    }

    fn parser(&mut self, category: Category, parser: &'e str, reason: &'e str, count: u64) {
        let (parser, reason) = (Some(parser), Some(reason));
        self.drifts.push(Drift { category, provider: self.provider, token: None, parser, reason, count });
    }
}

#[cfg(test)]
mod tests {
    use ccxray_shared::{
        Name,
        entry::{Class, ErrorFacts, ParseNote, ToolCall, ToolCalls},
        usage::{Counts, Usage},
    };

    use super::*;
    use crate::{classify::price_table::PriceTable, source::tests::entry};

    /// Category, token or parser and reason, and how often.
    fn drifts(entry: &Entry<'_>) -> Vec<(&'static str, String, u64)> {
        let prices = PriceTable::embedded();
        let classified = Classified::of(entry, &prices);
        let shown = |drift: Drift<'_>| {
            let parts = [drift.token, drift.parser, drift.reason];
            let about = parts.into_iter().flatten().collect::<Vec<_>>().join("/");
            (drift.category.as_str(), about, drift.count)
        };
        of(&classified).into_iter().map(shown).collect()
    }

    fn calling(calls: Vec<ToolCall<'static>>) -> Entry<'static> {
        let blocks = u32::try_from(calls.len()).unwrap();
        Entry { tools: Some(ToolCalls { blocks, calls, unreadable: 0 }), ..turn() }
    }

    fn call(name: &'static str) -> ToolCall<'static> {
        ToolCall::named(Name::from_wire(name))
    }

    /// A turn in which all is as expected.
    fn turn() -> Entry<'static> {
        let model = Some(Name::from_wire("claude-opus-4-8"));
        let stop_reason = Some(Name::from_wire("end_turn"));
        let counts = Counts { input_tokens: Some(3), output_tokens: Some(4), ..Counts::default() };
        let usage = Some(Usage { counts, ..Usage::default() });
        Entry { class: Class::Turn, model, stop_reason, usage, ..entry(70_000) }
    }

    #[test]
    fn an_entry_as_expected_has_nothing_to_tell() {
        assert_eq!(drifts(&turn()), []);
        let hosted = ToolCall { hosted: true, ..call("web_search") };
        let stated = ToolCall { server: Some(Name::from_wire("docs")), ..call("find") };
        assert_eq!(drifts(&calling(vec![call("Bash"), call("mcp__demo__echo"), hosted, stated])), []);
    }

    #[test]
    fn a_tool_that_nobody_ships_is_unknown_also_in_a_script() {
        let script = ["Teleport", "mcp__demo__echo", "mcp__demo", "Bash", "shell.Bash"].map(Name::from_wire);
        let scripted = ToolCall { scripted: script.into(), ..call("Bash") };
        let found = drifts(&calling(vec![call("Levitate"), scripted]));
        let expected =
            [("unknown_tool", "Levitate"), ("unknown_tool", "Teleport"), ("unknown_mcp_format", "mcp__demo")];
        assert_eq!(found, expected.map(|(category, token)| (category, token.to_owned(), 1)));
    }

    #[test]
    fn a_skill_without_a_name_is_a_marker_that_is_not_known() {
        let named = ToolCall { skill: Some(Name::from_wire("pdf")), ..call("Skill") };
        assert_eq!(drifts(&calling(vec![named])), []);
        let expected = [("unknown_skill_marker", "Skill".to_owned(), 1)];
        assert_eq!(drifts(&calling(vec![call("Skill")])), expected);
        let [parser, reason] = ["anthropic", "skill_without_name"].map(Name::from_wire);
        let noted =
            Entry { notes: vec![ParseNote { parser, reason, count: 1 }], ..calling(vec![call("Skill")]) };
        assert_eq!(drifts(&noted).len(), 1, "the proxy has noted the same");
    }

    #[test]
    fn words_and_models_that_nobody_knows_are_named() {
        let stopped = Entry { stop_reason: Some(Name::from_wire("tea")), ..turn() };
        assert_eq!(drifts(&stopped), [("unknown_stop_reason", "tea".to_owned(), 1)]);
        let unpriced = Entry { model: Some(Name::from_wire("claude-tea-9")), ..turn() };
        assert_eq!(drifts(&unpriced), [("unknown_model", "claude-tea-9".to_owned(), 1)]);
        let failed = |kind, code: Option<&'static str>| {
            let [kind, code] = [Some(kind), code].map(|word| word.map(Name::from_wire));
            let error = Some(ErrorFacts { kind, code, in_stream: false, context_length: false });
            drifts(&Entry { status: Some(418), error, stop_reason: None, ..turn() })
        };
        assert_eq!(failed("teapot_error", Some("418")), [("unknown_error", "teapot_error".to_owned(), 1)]);
        assert_eq!(failed("invalid_request_error", Some("tea")), []);
        assert_eq!(failed("418", None), []);
    }

    #[test]
    fn what_the_parsers_note_is_a_fallback_an_error_or_a_marker() {
        let note = |parser, reason, count| ParseNote {
            parser: Name::from_wire(parser),
            reason: Name::from_wire(reason),
            count,
        };
        let notes = vec![
            note("anthropic", "unknown_block", 3),
            note("sse", "event_too_long", 0),
            note("anthropic", "skill_without_name", 1),
        ];
        let expected = [
            ("fallback", "anthropic/unknown_block", 3),
            ("parser_error", "sse/event_too_long", 1),
            ("unknown_skill_marker", "anthropic/skill_without_name", 1),
        ];
        let found = drifts(&Entry { notes, parse: Parse::Partial, ..turn() });
        assert_eq!(found, expected.map(|(category, about, count)| (category, about.to_owned(), count)));
    }

    #[test]
    fn a_parser_that_gave_up_altogether_is_an_error() {
        for (parse, word) in [(Parse::Error, "recorder/panic"), (Parse::Shed, "recorder/shed")] {
            assert_eq!(drifts(&Entry { parse, ..turn() }), [("parser_error", word.to_owned(), 1)]);
        }
    }
}
