//! What the notes of the proxy's parsers amount to.

use std::collections::HashMap;

use ccxray_shared::entry::ParseNote;
use serde::Deserialize;

use super::rules::{DataFile, Example, Rules, UniqueMap, expected};

/// What a note amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NoteKind {
    /// The parser passed over something and went on.
    Fallback,
    /// The parser failed at a part.
    Error,
    /// A skill was activated, but which one does not show.
    SkillMarker,
}

/// What `note` amounts to. One whose reason is not known is a fallback: the parser went on.
pub(super) fn kind(note: &ParseNote<'_>) -> NoteKind {
    Rules::current().notes.of(&note.reason)
}

/// The kinds of notes, by their reason.
#[derive(Debug)]
pub(super) struct NoteKinds(HashMap<String, NoteKind>);

impl NoteKinds {
    fn of(&self, reason: &str) -> NoteKind {
        self.0.get(reason).copied().unwrap_or(NoteKind::Fallback)
    }
}

impl DataFile for NoteKinds {
    const NAME: &'static str = "notes.json";
    const EMBEDDED: &'static str = include_str!("../../data/notes.json");
    type Rules = UniqueMap<NoteKind>;
    type Example = NoteExample;

    fn from_rules(rules: Self::Rules) -> Result<Self, String> {
        Ok(Self(rules.into_map()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteExample {
    reason: String,
    is: NoteKind,
}

impl Example<NoteKinds> for NoteExample {
    fn check(&self, rules: &NoteKinds) -> Result<(), String> {
        expected(&rules.of(&self.reason), &self.is)
    }
}
