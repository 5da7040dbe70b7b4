//! The skills that a user calls for. Codex puts the instructions of each into the conversation, as a message of the
//! user's side: `<skill>`, the name, the text.

use std::borrow::Cow;

use ccxray_shared::{Name, entry::MAX_LISTED};
use serde::Deserialize;

use super::{
    PARSER,
    wording::{SKILL, SKILL_KIND, SKILL_NAME},
};
use crate::distil::{
    lax::{Lax, object},
    repeats::Repeats,
    request::RequestFacts,
    words::Words,
};

/// What Codex says beside a message: where each of its parts comes from.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Passthrough<'a> {
    #[serde(borrow)]
    content_item_kinds: Lax<Vec<Lax<Cow<'a, str>>>>,
}

object!(Passthrough<'a>);

/// A skill that a message calls for.
pub(super) struct Mention<'a> {
    /// The message's id, which stays the same in later requests.
    pub(super) message: Option<&'a str>,
    /// None if it cannot be read.
    pub(super) name: Option<Name<'static>>,
}

/// The names of the skills among a message's texts. Without a word on where a text comes from, its beginning counts.
pub(super) fn mentions<'a>(
    texts: impl Iterator<Item = Words<'a>>,
    passthrough: &Passthrough<'_>,
) -> impl Iterator<Item = Option<Name<'static>>> {
    let kinds = passthrough.content_item_kinds.0.as_deref().unwrap_or_default();
    let is_skill = |at: usize, text: &Words<'_>| match kinds.get(at).and_then(|kind| kind.0.as_deref()) {
        Some(kind) => kind == SKILL_KIND,
        None => text.starts_with(SKILL),
    };
    texts.enumerate().filter(move |(at, text)| is_skill(*at, text)).map(|(_, text)| name_in(&text.decoded()))
}

/// Adds to `facts` those that no earlier request of the session reported.
pub(super) fn add<'a>(
    mentions: impl Iterator<Item = Mention<'a>>,
    seen: &mut Repeats,
    facts: &mut RequestFacts,
) {
    let scope = facts.scope().cloned();
    for Mention { message, name } in mentions {
        let Some(name) = name else {
            facts.notes.add(PARSER, "skill_without_name");
            continue;
        };
        let thing = format!("{}\0{name}", message.unwrap_or_default());
        let is_new = scope.as_ref().is_none_or(|scope| seen.see(scope, thing.as_bytes()) == 0);
        if is_new && facts.skills.len() < MAX_LISTED {
            facts.skills.push(name);
        }
    }
}

fn name_in(text: &str) -> Option<Name<'static>> {
    let begin = text.trim_start().strip_prefix(SKILL)?.trim_start().strip_prefix(SKILL_NAME.0)?;
    let (name, _) = begin.split_once(SKILL_NAME.1)?;
    Some(name.trim()).filter(|name| !name.is_empty()).map(|name| Name::from_wire(name).into_owned())
}
