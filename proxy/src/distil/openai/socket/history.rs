//! What stands behind the id of an earlier response: over HTTP a request holds it, here it must be remembered.

use super::message::{Create, Ending, ServerEvent};

/// The longest id that is remembered.
const MAX_ID: usize = 256;

/// The conversation on one connection, as far as it must be known how long it is.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The last response that came to its end, and how many items there were with it.
    last: Option<(String, u32)>,
    /// The items before the response that is under way.
    asked: u32,
    /// The items of that response.
    answered: u32,
}

impl History {
    /// A request has been sent; how many items stand before its own.
    pub(crate) fn ask(&mut self, create: &Create<'_>) -> u32 {
        let before = match (&self.last, create.previous.as_deref()) {
            (Some((last, items)), Some(previous)) if last == previous => *items,
            (_, _) => 0,
        };
        self.asked = before.saturating_add(create.items);
        self.answered = 0;
        before
    }

    /// An event of the response that is under way.
    pub(crate) fn event(&mut self, event: &ServerEvent<'_>) {
        if event.kind() == "response.output_item.done" {
            self.answered = self.answered.saturating_add(1);
        }
        if event.ends() == Some(Ending::Whole) {
            // Items that did not come one by one are in the last event.
            let answered = self.answered.max(event.items());
            let id = event.response_id().filter(|id| id.len() <= MAX_ID);
            self.last = id.map(|id| (id.to_owned(), self.asked.saturating_add(answered)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::message::ClientMessage, *};

    fn ask(history: &mut History, previous: Option<&str>, items: usize) -> u32 {
        let input = vec![json!({"type": "message"}); items];
        let body = json!({"type": "response.create", "previous_response_id": previous, "input": input});
        match ClientMessage::read(body.to_string().as_bytes()).unwrap() {
            ClientMessage::Create(create) => history.ask(&create),
            ClientMessage::Other => panic!("it asks for a response"),
        }
    }

    fn hear(history: &mut History, event: &Value) {
        history.event(&ServerEvent::read(event.to_string().as_bytes()).unwrap());
    }

    fn end(history: &mut History, kind: &str, id: &str, output: &Value) {
        hear(history, &json!({"type": kind, "response": {"id": id, "output": output}}));
    }

    #[test]
    fn what_was_asked_and_answered_stands_before_what_goes_on_from_it() {
        let mut history = History::default();
        assert_eq!(ask(&mut history, None, 2), 0);
        for kind in ["reasoning", "function_call", "function_call"] {
            hear(&mut history, &json!({"type": "response.output_item.done", "item": {"type": kind}}));
        }
        end(&mut history, "response.completed", "r1", &Value::Null);
        assert_eq!(ask(&mut history, Some("r1"), 2), 5);
        end(&mut history, "response.done", "r2", &json!([{"type": "message"}, {}]));
        assert_eq!(ask(&mut history, Some("r2"), 1), 9);
        assert_eq!(ask(&mut history, None, 1), 0, "all of it is sent again");
    }

    #[test]
    fn only_the_last_whole_response_is_gone_on_from() {
        let mut history = History::default();
        ask(&mut history, None, 1);
        end(&mut history, "response.completed", "r1", &json!([]));
        ask(&mut history, Some("r1"), 1);
        end(&mut history, "response.failed", "r2", &json!([]));
        assert_eq!(ask(&mut history, Some("r2"), 0), 0);
        assert_eq!(ask(&mut history, Some("r1"), 0), 1);
        end(&mut history, "response.completed", &"x".repeat(MAX_ID + 1), &json!([]));
        assert_eq!(ask(&mut history, Some("r1"), 0), 0);
    }
}
