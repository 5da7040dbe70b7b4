//! What a message is, as far as it must be known before its body is read.

use std::borrow::Cow;

use serde::{Deserialize, de::SeqAccess};
use serde_json::value::RawValue;

use crate::distil::{
    lax::{Lax, Shape, drain, object},
    openai::metadata::ClientMetadata,
};

/// A client's message.
#[derive(Debug)]
pub(crate) enum ClientMessage<'a> {
    /// It asks for a response.
    Create(Create<'a>),
    /// It says something else, which is no turn.
    Other,
}

/// A request for a response: a body as over HTTP, with a type.
#[derive(Debug)]
pub(crate) struct Create<'a> {
    /// The response that it goes on from; only what has been said since is in its input.
    pub(super) previous: Option<Cow<'a, str>>,
    /// How many items its input has.
    pub(super) items: u32,
    /// The last of them, as it was sent.
    last: Option<&'a RawValue>,
    text: &'a [u8],
    /// Whether it says which session it belongs to.
    pub(crate) says_session: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Sent<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    previous_response_id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    client_metadata: Lax<ClientMetadata<'a>>,
}

/// An event of the server.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(crate) struct ServerEvent<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    status: Lax<u64>,
    status_code: Lax<u64>,
    #[serde(borrow)]
    response: Lax<Response<'a>>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Response<'a> {
    #[serde(borrow)]
    id: Lax<Cow<'a, str>>,
    output: Lax<Items>,
}

/// So many items.
#[derive(Debug, Default)]
struct Items(u32);

impl<'de> Shape<'de> for Items {
    fn from_seq<A: SeqAccess<'de>>(seq: A) -> Result<Option<Self>, A::Error> {
        drain(seq).map(|items| Some(Self(u32::try_from(items).unwrap_or(u32::MAX))))
    }
}

object!(Sent<'a>, ServerEvent<'a>, Response<'a>);

impl<'a> ClientMessage<'a> {
    /// What the client says; none if it is not an object of JSON.
    pub(crate) fn read(text: &'a [u8]) -> Option<Self> {
        let sent = serde_json::from_slice::<Lax<Sent<'a>>>(text).ok()?.0?;
        if sent.kind.0.as_deref() != Some("response.create") {
            return Some(Self::Other);
        }
        let says_session = sent.client_metadata.0.is_some_and(|metadata| metadata.says_session());
        let items = sent.input.and_then(|input| serde_json::from_str::<Vec<&RawValue>>(input.get()).ok());
        let items = items.unwrap_or_default();
        Some(Self::Create(Create {
            previous: sent.previous_response_id.0,
            items: u32::try_from(items.len()).unwrap_or(u32::MAX),
            last: items.last().copied(),
            text,
            says_session,
        }))
    }
}

impl Create<'_> {
    /// What stays the same when it is sent again. After a connection has broken Codex sends the whole conversation and
    /// not only what is new, and each time the moment of sending; the last item is the same to the byte.
    pub(crate) fn identity(&self) -> &[u8] {
        self.last.map_or(self.text, |item| item.get().as_bytes())
    }
}

impl<'a> ServerEvent<'a> {
    /// What the server says; none if it is not an object of JSON.
    pub(crate) fn read(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice::<Lax<Self>>(text).ok()?.0
    }

    /// Its name.
    pub(crate) fn kind(&self) -> &str {
        self.kind.0.as_deref().unwrap_or_default()
    }

    /// Whether nothing more comes of the response, and whether it came to its end at all.
    pub(crate) fn ends(&self) -> Option<Ending> {
        match self.kind() {
            "response.completed" | "response.incomplete" | "response.done" => Some(Ending::Whole),
            "response.failed" | "response.cancelled" => Some(Ending::Failed),
            "error" => Some(Ending::Error),
            _ => None,
        }
    }

    /// Whether a response begins with it.
    pub(crate) fn begins(&self) -> bool {
        self.kind() == "response.created"
    }

    /// The id of the response that it is about, where it names one.
    pub(super) fn response_id(&self) -> Option<&str> {
        self.response.0.as_ref()?.id.0.as_deref()
    }

    /// How many items it lists as the response's.
    pub(super) fn items(&self) -> u32 {
        self.response.0.as_ref().and_then(|response| response.output.0.as_ref()).map_or(0, |items| items.0)
    }

    /// The status of HTTP that an error stands for.
    pub(crate) fn status(&self) -> Option<u16> {
        let status = self.status.0.or(self.status_code.0)?;
        u16::try_from(status).ok().filter(|status| (400..600).contains(status))
    }
}

/// How a response ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It can be gone on from.
    Whole,
    /// The last event of a response that failed.
    Failed,
    /// An error, before a response or within it.
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_create_asks_for_a_response() {
        let read = |text: &'static str| ClientMessage::read(text.as_bytes());
        let Some(ClientMessage::Create(create)) =
            read(r#"{"type":"response.create","previous_response_id":"r","input":[{"type":"message"},3]}"#)
        else {
            panic!("it is one")
        };
        assert_eq!((create.previous.as_deref(), create.items), (Some("r"), 2));
        assert!(!create.says_session);
        assert!(matches!(read(r#"{"type":"response.processed"}"#), Some(ClientMessage::Other)));
        assert!(matches!(read("{}"), Some(ClientMessage::Other)));
        assert!(read("[]").is_none() && read("{").is_none());
    }

    #[test]
    fn what_is_sent_again_is_known_by_its_last_item() {
        let identity = |text: &str| match ClientMessage::read(text.as_bytes()) {
            Some(ClientMessage::Create(create)) => create.identity().to_vec(),
            other => panic!("{other:?}"),
        };
        let alone = r#"{"type":"response.create","previous_response_id":"r","input":[{"id":"b"}],"at":1}"#;
        let whole = r#"{"type":"response.create","input":[{"id":"a"}, {"id":"b"}],"at":2}"#;
        assert_eq!(identity(alone), identity(whole));
        assert_ne!(identity(alone), identity(&alone.replace('b', "c")));
        for empty in [r#"{"type":"response.create","input":[]}"#, r#"{"type":"response.create","input":"x"}"#]
        {
            assert_eq!(identity(empty), empty.as_bytes());
        }
    }

    #[test]
    fn a_session_may_be_said_in_two_places() {
        for (metadata, says) in [
            (r#"{"session_id":"s"}"#, true),
            (r#"{"x-codex-turn-metadata":"{}"}"#, true),
            (r#"{"session_id":"","turn_id":"t"}"#, false),
            ("7", false),
        ] {
            let text = format!(r#"{{"type":"response.create","client_metadata":{metadata}}}"#);
            let Some(ClientMessage::Create(create)) = ClientMessage::read(text.as_bytes()) else {
                panic!("{text}")
            };
            assert_eq!(create.says_session, says, "{text}");
        }
    }

    #[test]
    fn an_error_states_its_status_under_one_of_two_names() {
        for (text, status) in [
            (r#"{"type":"error","status":429,"error":{}}"#, Some(429)),
            (r#"{"type":"error","status_code":503}"#, Some(503)),
            (r#"{"type":"error","status":200}"#, None),
            (r#"{"type":"error","status":"429"}"#, None),
        ] {
            let event = ServerEvent::read(text.as_bytes()).unwrap();
            assert_eq!((event.ends(), event.status()), (Some(Ending::Error), status), "{text}");
        }
    }
}
