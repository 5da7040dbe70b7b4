//! What Gemini CLI says of a session: its first text describes it.

use ccxray_shared::key::{HashOf, Key};

use super::{
    conversation::Conversation,
    wording::{DIR, DIRS, SESSION_CONTEXT, SUMMARY},
};
use crate::distil::{request::RequestFacts, words::Words};

/// Names the session by the id that a Google log-in sends, or else by how the conversation begins.
pub(super) fn name(id: Option<&str>, conversation: &Conversation<'_>, key: &Key, facts: &mut RequestFacts) {
    match id.filter(|id| !id.is_empty()) {
        Some(id) => facts.session = Some(key.hash(HashOf::Session, id.as_bytes())),
        None => infer(conversation, key, facts),
    }
}

/// With an API key the wire has no session. What stands in for it is how the conversation begins: the CLI's own
/// description of the session and the first prompt. Behind a summary nobody can tell which session it was.
fn infer(conversation: &Conversation<'_>, key: &Key, facts: &mut RequestFacts) {
    let Some((first, others)) = conversation.first_texts.split_first() else { return };
    let hash = |of| {
        let mut hasher = key.hasher(of);
        for text in &conversation.first_texts {
            hasher.update(text.text().as_bytes());
            hasher.update(b"\0");
        }
        hasher.finish()
    };
    let is_summary = others.first().is_some_and(|text| text.starts_with(SUMMARY));
    facts.conversation = Some(hash(HashOf::Prompt));
    facts.session = (first.starts_with(SESSION_CONTEXT) && !is_summary).then(|| hash(HashOf::Session));
}

/// The one workspace that the CLI states; none if it states two.
pub(super) fn stated_dir(first_text: &Words<'_>) -> Option<String> {
    if !first_text.starts_with(SESSION_CONTEXT) {
        return None;
    }
    let text = first_text.decoded();
    let mut dirs =
        text.lines().skip_while(|line| *line != DIRS).skip(1).map_while(|line| line.strip_prefix(DIR));
    let dir = dirs.next().filter(|dir| dir.starts_with('/'))?;
    dirs.next().is_none().then(|| dir.to_owned())
}
