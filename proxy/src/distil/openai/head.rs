//! What the headers of Codex's requests tell.

use ccxray_shared::{
    Name,
    entry::{Agent, Class},
    key::{HashOf, Key},
};
use hyper::{
    HeaderMap,
    header::{HeaderValue, UPGRADE},
};

use super::metadata::TurnMetadata;
use crate::distil::request::RequestFacts;

/// The session; the names with an underscore are those of older versions.
const SESSION: [&str; 3] = ["session-id", "session_id", "conversation_id"];
const THREAD: &str = "thread-id";
/// Why another agent started this one; only then is it there.
const SUB_AGENT: &str = "x-openai-subagent";
const PARENT: &str = "x-codex-parent-thread-id";
const METADATA: &str = "x-codex-turn-metadata";

/// Takes over session, agent, and what the turn's metadata add.
pub(crate) fn read(headers: &HeaderMap, key: &Key, facts: &mut RequestFacts) {
    let stated = |name: &str| headers.get(name).filter(|value| !value.is_empty());
    let session = SESSION.into_iter().find_map(stated);
    facts.session = session.map(|session| key.hash(HashOf::Session, session.as_bytes()));
    facts.agent = agent(stated, session, key);
    if let Some(metadata) = stated(METADATA).and_then(|json| TurnMetadata::parse(json.as_bytes())) {
        metadata.add_to(key, facts);
    }
    if headers.contains_key(UPGRADE) {
        // The turns come inside the WebSocket; the metadata here are not theirs.
        facts.class = Class::Connection;
    }
}

/// The main agent's thread bears the session's id; a sub-agent shares the session and has a thread of its own.
fn agent<'h>(
    stated: impl Fn(&str) -> Option<&'h HeaderValue>,
    session: Option<&HeaderValue>,
    key: &Key,
) -> Option<Agent<'static>> {
    let (thread, kind) = (stated(THREAD), stated(SUB_AGENT));
    if kind.is_none() && stated(PARENT).is_none() {
        let is_main = thread.is_some() && thread == session;
        return is_main.then(|| Agent { kind: Some(Name::from_wire("main")), sub: false, id: None });
    }
    let kind = kind.and_then(|kind| kind.to_str().ok());
    Some(Agent {
        kind: kind.map(|kind| Name::from_wire(kind).into_owned()),
        sub: true,
        id: thread.map(|thread| key.hash(HashOf::Agent, thread.as_bytes())),
    })
}

#[cfg(test)]
mod tests {
    use ccxray_shared::entry::Route;

    use super::*;

    fn facts(headers: &[(&'static str, &'static str)]) -> RequestFacts {
        let mut facts = RequestFacts::of_route(Route::Responses);
        let headers = headers.iter().map(|&(name, value)| {
            (hyper::header::HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        read(&headers.collect(), &Key::from_bytes([7; 32]), &mut facts);
        facts
    }

    #[test]
    fn the_session_has_had_three_names_and_the_newest_wins() {
        let new = facts(&[("session-id", "s"), ("conversation_id", "other")]).session;
        assert!(new.is_some());
        for older in ["session_id", "conversation_id"] {
            assert_eq!(facts(&[(older, "s")]).session, new);
        }
        assert_eq!(facts(&[("session-id", "")]).session, None);
    }

    #[test]
    fn a_sub_agent_has_a_thread_of_its_own_in_the_same_session() {
        let main = facts(&[("session-id", "s"), ("thread-id", "s")]).agent.unwrap();
        assert_eq!((main.kind.as_deref(), main.sub, main.id), (Some("main"), false, None));
        let review = [("session-id", "s"), ("thread-id", "t"), ("x-openai-subagent", "review")];
        let review = facts(&review).agent.unwrap();
        assert_eq!((review.kind.as_deref(), review.sub, review.id.is_some()), (Some("review"), true, true));
        let unnamed = facts(&[("x-codex-parent-thread-id", "s")]).agent.unwrap();
        assert_eq!((unnamed.kind, unnamed.sub), (None, true));
        assert_eq!(facts(&[("session-id", "s")]).agent, None);
    }

    #[test]
    fn an_upgrade_is_no_turn_whatever_its_metadata_say() {
        let metadata = ("x-codex-turn-metadata", r#"{"request_kind":"prewarm"}"#);
        assert_eq!(facts(&[("upgrade", "websocket"), metadata]).class, Class::Connection);
        assert_eq!(facts(&[metadata]).class, Class::WarmUp);
    }
}
