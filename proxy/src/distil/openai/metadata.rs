//! What Codex says about a turn: a JSON text, in the header `x-codex-turn-metadata` and again in the body's
//! `client_metadata`.

use std::borrow::Cow;

use ccxray_shared::{
    Name,
    entry::{Agent, Class, Trigger},
    key::{HashOf, Key},
};
use serde::{
    Deserialize,
    de::{IgnoredAny, MapAccess},
};

use crate::distil::{
    lax::{Lax, Shape, object},
    request::RequestFacts,
};

/// What the body says of the sending; the turn's metadata are a text in it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ClientMetadata<'a> {
    #[serde(borrow)]
    session_id: Lax<Cow<'a, str>>,
    #[serde(borrow, rename = "x-codex-turn-metadata")]
    turn: Lax<Cow<'a, str>>,
}

impl ClientMetadata<'_> {
    /// Adds what `facts` do not hold yet.
    pub(super) fn add_to(self, key: &Key, facts: &mut RequestFacts) {
        let session = self.session_id.0.filter(|id| !id.is_empty());
        if let (None, Some(session)) = (&facts.session, session) {
            facts.session = Some(key.hash(HashOf::Session, session.as_bytes()));
        }
        let turn = self.turn.0.as_deref().map(str::as_bytes);
        if let Some(turn) = turn.and_then(TurnMetadata::parse) {
            turn.add_to(key, facts);
        }
    }

    /// Whether it says which session it belongs to.
    pub(super) fn says_session(&self) -> bool {
        [&self.session_id, &self.turn].iter().any(|word| word.0.as_ref().is_some_and(|word| !word.is_empty()))
    }
}

/// The part of the metadata that is of interest.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct TurnMetadata<'a> {
    #[serde(borrow)]
    session_id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    thread_id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    request_kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    thread_source: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    subagent_kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    sandbox_mode: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    compaction: Lax<Compaction<'a>>,
    workspaces: Lax<Workspaces>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Compaction<'a> {
    #[serde(borrow)]
    trigger: Lax<Cow<'a, str>>,
}

object!(ClientMetadata<'a>, TurnMetadata<'a>, Compaction<'a>);

/// The directories that the keys of `workspaces` name: the only one, or none.
struct Workspaces(Option<String>);

impl<'de> Shape<'de> for Workspaces {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        let (mut first, mut others) = (None, false);
        while let Some((dir, _)) = map.next_entry::<Cow<'de, str>, IgnoredAny>()? {
            others |= first.get_or_insert_with(|| dir.clone()) != &dir;
        }
        let only = first.filter(|dir| !others && dir.starts_with('/'));
        Ok(Some(Self(only.map(Cow::into_owned))))
    }
}

impl<'a> TurnMetadata<'a> {
    pub(super) fn parse(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Adds what `facts` do not hold yet.
    pub(super) fn add_to(self, key: &Key, facts: &mut RequestFacts) {
        let stated = |id: &Lax<Cow<'_, str>>, of| {
            let id = id.0.as_deref().filter(|id| !id.is_empty());
            id.map(|id| key.hash(of, id.as_bytes()))
        };
        if facts.session.is_none() {
            facts.session = stated(&self.session_id, HashOf::Session);
        }
        if facts.agent.is_none() {
            facts.agent = self.agent(stated(&self.thread_id, HashOf::Agent));
        }
        if facts.class == Class::Turn {
            facts.class = self.class();
        }
        if facts.compaction.is_none() {
            facts.compaction = self.compaction.0.as_ref().and_then(Compaction::trigger);
        }
        if facts.permission_mode.is_none() {
            facts.permission_mode = self.sandbox_mode.name();
        }
        if facts.stated_dir.is_none() {
            facts.stated_dir = self.workspaces.0.and_then(|workspaces| workspaces.0);
        }
    }

    fn agent(&self, thread: Option<Name<'static>>) -> Option<Agent<'static>> {
        match self.thread_source.0.as_deref()? {
            "user" => Some(Agent { kind: Some(Name::from_wire("main")), sub: false, id: None }),
            "subagent" => Some(Agent { kind: self.subagent_kind.name(), sub: true, id: thread }),
            _ => None,
        }
    }

    fn class(&self) -> Class {
        match self.request_kind.0.as_deref() {
            Some("compaction") => Class::Compaction,
            Some("prewarm") => Class::WarmUp,
            Some(_) | None => Class::Turn,
        }
    }
}

impl Compaction<'_> {
    fn trigger(&self) -> Option<Trigger> {
        match self.trigger.0.as_deref()? {
            "auto" => Some(Trigger::Auto),
            "manual" => Some(Trigger::Manual),
            _ => Some(Trigger::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use ccxray_shared::entry::Route;

    use super::*;

    fn facts(json: &str) -> RequestFacts {
        let mut facts = RequestFacts::of_route(Route::Responses);
        let metadata = TurnMetadata::parse(json.as_bytes()).unwrap();
        metadata.add_to(&Key::from_bytes([7; 32]), &mut facts);
        facts
    }

    #[test]
    fn the_kind_of_request_decides_its_class() {
        for (kind, class) in
            [("turn", Class::Turn), ("compaction", Class::Compaction), ("prewarm", Class::WarmUp)]
        {
            assert_eq!(facts(&format!(r#"{{"request_kind":"{kind}"}}"#)).class, class);
        }
        assert_eq!(facts("{}").class, Class::Turn);
    }

    #[test]
    fn a_compaction_says_what_set_it_off() {
        for (compaction, trigger) in [
            (r#"{"trigger":"auto","reason":"context_limit"}"#, Some(Trigger::Auto)),
            (r#"{"trigger":"manual"}"#, Some(Trigger::Manual)),
            (r#"{"trigger":"tea"}"#, Some(Trigger::Unknown)),
            (r#"{"trigger":1}"#, None),
            ("[]", None),
        ] {
            assert_eq!(
                facts(&format!(r#"{{"compaction":{compaction}}}"#)).compaction,
                trigger,
                "{compaction}"
            );
        }
    }

    #[test]
    fn one_workspace_is_the_directory_and_two_are_none() {
        assert_eq!(facts(r#"{"workspaces":{"/a b":{}}}"#).stated_dir.as_deref(), Some("/a b"));
        for none in [r#"{"/a":{},"/b":{}}"#, "{}", r#"{"a":{}}"#, r#"["/a"]"#, "null"] {
            assert_eq!(facts(&format!(r#"{{"workspaces":{none}}}"#)).stated_dir, None, "{none}");
        }
    }

    #[test]
    fn who_started_the_thread_tells_the_agent() {
        let sub = facts(r#"{"thread_source":"subagent","subagent_kind":"review","thread_id":"t"}"#);
        let sub = sub.agent.unwrap();
        assert_eq!((sub.kind.as_deref(), sub.sub, sub.id.is_some()), (Some("review"), true, true));
        assert_eq!(facts(r#"{"thread_source":"user"}"#).agent.unwrap().kind.as_deref(), Some("main"));
        assert_eq!(facts(r#"{"thread_source":"tea"}"#).agent, None);
    }

    #[test]
    fn fields_of_other_types_cost_only_themselves() {
        let facts = facts(r#"{"session_id":7,"request_kind":[],"sandbox_mode":"read-only","workspaces":3}"#);
        assert_eq!((facts.session, facts.class), (None, Class::Turn));
        assert_eq!(facts.permission_mode.as_deref(), Some("read-only"));
    }
}
