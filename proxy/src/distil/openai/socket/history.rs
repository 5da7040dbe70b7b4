//! What stands behind the id of an earlier response: over HTTP a request holds it, here it must be remembered.

use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::message::{Create, Ending, Item, ServerEvent};
use crate::distil::lax::Lax;

/// The most calls that are remembered, the latest.
const MAX_CALLS: usize = 512;
/// The longest word of a call that is.
const MAX_WORD: usize = 256;

/// The conversation on one connection, as far as the requests that go on from it need it.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The last response that came to its end, and how many items there were with it.
    last: Option<(String, u32)>,
    /// The items before the response that is under way.
    asked: u32,
    /// The items of that response.
    answered: u32,
    calls: VecDeque<Call>,
}

/// A call, as an item of a request states it.
#[derive(Debug, Serialize)]
struct Call {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "call_id")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
}

impl Call {
    fn of(item: &Item<'_>) -> Option<Self> {
        let word = |word: &Lax<Cow<'_, str>>| {
            word.0.as_deref().filter(|word| word.len() <= MAX_WORD).map(str::to_owned)
        };
        let (kind, id) = (word(&item.kind)?, word(&item.call_id)?);
        Some(Self { kind, id, name: word(&item.name), namespace: word(&item.namespace) })
    }
}

impl History {
    /// The request as HTTP would have it, as far as its results need that: before its items stand the calls that they
    /// are the results of. And how many items more that are than it has.
    pub(crate) fn complete<'a>(&self, create: &Create<'_>, body: &'a [u8]) -> (Cow<'a, [u8]>, u32) {
        let calls: Vec<&Call> = self.calls_of(create).collect();
        let completed = (!calls.is_empty()).then(|| with_calls(body, &calls)).flatten();
        match completed {
            Some(body) => (Cow::Owned(body), u32::try_from(calls.len()).unwrap_or(u32::MAX)),
            None => (Cow::Borrowed(body), 0),
        }
    }

    fn calls_of(&self, create: &Create<'_>) -> impl Iterator<Item = &Call> {
        let items = || create.items.iter().flat_map(|item| &item.0);
        let is_of = |item: &Item<'_>, call: &Call| item.call_id.0.as_deref() == Some(&call.id);
        self.calls.iter().filter(move |call| {
            items().any(|item| item.is_output() && is_of(item, call))
                && !items().any(|item| item.is_call() && is_of(item, call))
        })
    }

    /// A request has been sent; how many items stand before its own.
    pub(crate) fn ask(&mut self, create: &Create<'_>) -> u32 {
        let before = match (&self.last, create.previous.as_deref()) {
            (Some((last, items)), Some(previous)) if last == previous => *items,
            (_, _) => 0,
        };
        self.asked = before.saturating_add(u32::try_from(create.items.len()).unwrap_or(u32::MAX));
        self.answered = 0;
        for item in create.items.iter().flat_map(|item| &item.0) {
            self.remember(item);
        }
        before
    }

    /// An event of the response that is under way.
    pub(crate) fn event(&mut self, event: &ServerEvent<'_>) {
        if let ("response.output_item.done", Some(item)) = (event.kind(), &event.item.0) {
            self.answered = self.answered.saturating_add(1);
            self.remember(item);
        }
        if event.ends() == Some(Ending::Whole) {
            self.end(event);
        }
    }

    fn end(&mut self, event: &ServerEvent<'_>) {
        let Some(response) = &event.response.0 else { return };
        if self.answered == 0 {
            for item in response.output.0.iter().flatten().flat_map(|item| &item.0) {
                self.answered = self.answered.saturating_add(1);
                self.remember(item);
            }
        }
        let id = response.id.0.as_deref().filter(|id| id.len() <= MAX_WORD);
        self.last = id.map(|id| (id.to_owned(), self.asked.saturating_add(self.answered)));
    }

    fn remember(&mut self, item: &Item<'_>) {
        let Some(call) = item.is_call().then(|| Call::of(item)).flatten() else { return };
        if self.calls.len() == MAX_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }
}

fn with_calls(body: &[u8], calls: &[&Call]) -> Option<Vec<u8>> {
    let mut fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(body).ok()?;
    let items: Vec<&RawValue> = serde_json::from_str(fields.get("input")?.get()).ok()?;
    let calls: Vec<Box<RawValue>> = calls.iter().map(to_raw_value).collect::<Result<_, _>>().ok()?;
    let all: Vec<&RawValue> = calls.iter().map(|call| &**call).chain(items).collect();
    let input = to_raw_value(&all).ok()?;
    fields.insert("input".into(), &input);
    serde_json::to_vec(&fields).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::message::ClientMessage, *};

    fn create(text: &str) -> Create<'_> {
        match ClientMessage::read(text.as_bytes()).unwrap() {
            ClientMessage::Create(create) => create,
            ClientMessage::Other => panic!("{text} asks for nothing"),
        }
    }

    fn ask(history: &mut History, body: &Value) -> (u32, Value, u32) {
        let text = body.to_string();
        let create = create(&text);
        let (completed, more) = history.complete(&create, text.as_bytes());
        (history.ask(&create), serde_json::from_slice(&completed).unwrap(), more)
    }

    fn hear(history: &mut History, event: &Value) {
        history.event(&ServerEvent::read(event.to_string().as_bytes()).unwrap());
    }

    fn call(id: &str) -> Value {
        json!({"type": "function_call", "call_id": id, "name": "echo", "namespace": "mcp__demo"})
    }

    fn output(id: &str) -> Value {
        json!({"type": "function_call_output", "call_id": id, "output": "x"})
    }

    fn request(previous: Option<&str>, input: &[Value]) -> Value {
        json!({"type": "response.create", "previous_response_id": previous, "input": input})
    }

    #[test]
    fn the_calls_of_an_answer_stand_before_their_results() {
        let mut history = History::default();
        let first = request(None, &[json!({"type": "message"}), json!({"type": "message"})]);
        assert_eq!(ask(&mut history, &first), (0, first, 0));
        for item in [json!({"type": "reasoning"}), call("a"), call("b")] {
            hear(&mut history, &json!({"type": "response.output_item.done", "item": item}));
        }
        hear(&mut history, &json!({"type": "response.completed", "response": {"id": "r1", "output": null}}));
        let second = request(Some("r1"), &[output("a"), output("unheard of")]);
        let expected = request(Some("r1"), &[call("a"), output("a"), output("unheard of")]);
        assert_eq!(ask(&mut history, &second), (5, expected, 1));
        let whole = request(None, &[call("b"), output("b")]);
        assert_eq!(ask(&mut history, &whole), (0, whole, 0));
    }

    #[test]
    fn calls_may_be_in_the_last_event_or_in_an_earlier_request() {
        let mut history = History::default();
        ask(&mut history, &request(None, &[call("a")]));
        let response = json!({"id": "r1", "output": [call("b"), {"type": "message"}]});
        hear(&mut history, &json!({"type": "response.done", "response": response}));
        let (before, _, more) = ask(&mut history, &request(Some("r1"), &[output("a"), output("b")]));
        assert_eq!((before, more), (3, 2));
    }

    #[test]
    fn only_the_last_whole_response_is_gone_on_from() {
        let mut history = History::default();
        let end = |kind: &str, id: &str| json!({"type": kind, "response": {"id": id}});
        ask(&mut history, &request(None, &[json!({"type": "message"})]));
        hear(&mut history, &end("response.completed", "r1"));
        ask(&mut history, &request(Some("r1"), &[output("a")]));
        hear(&mut history, &end("response.failed", "r2"));
        assert_eq!(ask(&mut history, &request(Some("r2"), &[])).0, 0);
        assert_eq!(ask(&mut history, &request(Some("r1"), &[])).0, 1);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut history = History::default();
        for n in 0..2 * MAX_CALLS {
            let item = call(&n.to_string());
            hear(&mut history, &json!({"type": "response.output_item.done", "item": item}));
        }
        let long = call(&"x".repeat(MAX_WORD + 1));
        hear(&mut history, &json!({"type": "response.output_item.done", "item": long}));
        assert_eq!(history.calls.len(), MAX_CALLS);
        assert_eq!(history.calls[0].id, MAX_CALLS.to_string());
    }
}
