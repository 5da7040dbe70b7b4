//! What takes knowing the session: what of a request is new, and what it is by what went before.

use std::borrow::Cow;

use ccxray_shared::{
    Name,
    entry::{Class, MAX_LISTED, Trigger},
    key::Key,
};

use super::{
    PARSER,
    conversation::{CalledSkill, Conversation, ToolResult},
    mode::Mode,
};
use crate::distil::{
    learnt::PromptDigest,
    memory::Memory,
    request::RequestFacts,
    results::{self, Reported},
};

/// The most texts of a first message that are taken for a sub-agent's prompt.
const MAX_PROMPTS: usize = 4;

/// Adds to `facts`, whose class, session and agent are known, what the memory makes of the conversation.
pub(super) fn add(conversation: &Conversation<'_>, key: &Key, memory: &mut Memory, facts: &mut RequestFacts) {
    facts.prompts = prompts(conversation, key, facts);
    let shown =
        |call: &str| conversation.tool_called(call).map(|name| Name::from_wire(name).into_owned().into());
    results::add(reported(conversation), shown, memory, PARSER, facts);
    add_skills(conversation, memory, facts);
    if matches!(facts.class, Class::Turn | Class::Compaction) {
        add_mode(conversation, memory, facts);
    }
    if facts.class == Class::Compaction {
        add_trigger(memory, facts);
    }
}

/// Hashes of the texts with which a sub-agent may have been started: it is the last that the client did not add itself.
fn prompts(conversation: &Conversation<'_>, key: &Key, facts: &RequestFacts) -> Vec<Name<'static>> {
    let is_sub = facts.agent.as_ref().is_some_and(|agent| agent.sub);
    let texts = conversation.opening.iter().rev().take(if is_sub { MAX_PROMPTS } else { 0 });
    texts.map(|text| PromptDigest::of(&text.decoded()).keyed(key)).collect()
}

/// Adds the skills that the user called and that no earlier request of the session reported.
fn add_skills(conversation: &Conversation<'_>, memory: &mut Memory, facts: &mut RequestFacts) {
    let scope = facts.scope().cloned();
    for (at, CalledSkill { name, message }) in conversation.skills.iter().enumerate() {
        let Some(name) = name else {
            facts.notes.add(PARSER, "skill_without_name");
            continue;
        };
        let place = (facts.agent_id(), name.as_str(), at, message, conversation.last_call());
        let is_known = |scope| memory.skills.see(scope, format!("{place:?}").as_bytes()) > 0;
        if !scope.as_ref().is_some_and(is_known) && facts.skills.len() < MAX_LISTED {
            facts.skills.push(name.clone());
        }
    }
}

fn add_mode(conversation: &Conversation<'_>, memory: &mut Memory, facts: &mut RequestFacts) {
    let scope = facts.scope().cloned();
    let known = scope.as_ref().and_then(|scope| memory.modes.get(scope, b""));
    let known = known.map_or(Mode::Unknown, |name| Mode::named(name));
    let mode = conversation.signs.iter().fold(known, |mode, &sign| mode.after(sign));
    facts.permission_mode = mode.name();
    // The mode is the session's: a sub-agent's own conversation says nothing about the others.
    let Some(scope) = scope.filter(|_| facts.agent_id().is_empty()) else { return };
    if let Some(name) = mode.name() {
        memory.modes.put(&scope, b"", name);
    } else {
        memory.modes.forget(&scope, b"");
    }
}

fn add_trigger(memory: &Memory, facts: &mut RequestFacts) {
    let last = facts.scope().and_then(|scope| memory.turns.get(scope, facts.agent_id()));
    facts.compaction = last.map_or(Some(Trigger::Unknown), |last| last.trigger());
}

fn reported<'a>(conversation: &'a Conversation<'_>) -> impl Iterator<Item = Reported<'a>> {
    let result =
        |result: &'a ToolResult<'_>| Reported { call: Cow::Borrowed(&*result.call), failed: result.failed };
    conversation.fresh.iter().map(result)
}

#[cfg(test)]
mod tests {
    use ccxray_shared::entry::Route;
    use serde_json::{Value, json};

    use super::*;
    use crate::distil::anthropic::request::read;

    #[test]
    fn results_count_once_in_a_session_whatever_repeats_them() {
        let (key, mut memory) = (Key::from_bytes([7; 32]), Memory::default());
        let body = |ids: &[&str], model: &str| {
            let results: Vec<_> = ids
                .iter()
                .map(|id| json!({"type": "tool_result", "tool_use_id": id, "is_error": true}))
                .collect();
            json!({"model": model, "metadata": {"user_id": "_session_s"}, "messages": [
                {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "Bash"}]},
                {"role": "user", "content": results}]})
        };
        let mut count = |body: &Value| {
            let mut facts = RequestFacts::of_route(Route::Messages);
            read(body.to_string().as_bytes(), &key, &mut memory, &mut facts);
            facts.results.map(|results| (results.count, results.failed, results.failed_tools.len()))
        };
        assert_eq!(count(&body(&["a"], "big")), Some((1, 1, 1)));
        assert_eq!(count(&body(&["a"], "small")), None);
        assert_eq!(count(&body(&["a", "lost"], "big")), Some((1, 1, 0)));
    }

    #[test]
    fn a_skill_is_reported_anew_only_where_it_was_called_anew() {
        let mut memory = Memory::default();
        let call = json!({"role": "user", "content": [
            {"type": "text", "text": "<command-message>pdf</command-message>\n<command-name>/pdf</command-name>"},
            {"type": "text", "text": "Base directory for this skill: /x"}]});
        let said = json!({"role": "assistant", "content": "done"});
        let mut skills = |model: &str, session: &str, messages: &[&Value]| {
            let user_id = format!("_session_{session}");
            let body = json!({"model": model, "metadata": {"user_id": user_id}, "messages": messages});
            let mut facts = RequestFacts::of_route(Route::Messages);
            read(body.to_string().as_bytes(), &Key::from_bytes([7; 32]), &mut memory, &mut facts);
            facts.skills.len()
        };
        assert_eq!(skills("big", "s", &[&call]), 1);
        assert_eq!(skills("small", "s", &[&call]), 0, "the same request to another model");
        assert_eq!(skills("big", "t", &[&call]), 1, "another session");
        assert_eq!(skills("big", "s", &[&call, &said, &call]), 1, "called again");
        assert_eq!(skills("big", "s", &[&call, &said, &call, &said]), 0, "answered");
    }
}
