//! A conversation that grows: what was said, what was answered, what the tools returned.

use serde_json::{Value, json};

use super::{Answered, Ask};

/// The messages so far.
#[derive(Clone, Debug)]
pub struct Conversation {
    session: String,
    model: String,
    messages: Vec<Value>,
}

impl Conversation {
    /// An empty one.
    pub fn new(session: &str, model: &str) -> Self {
        Self { session: session.into(), model: model.into(), messages: Vec::new() }
    }

    /// The user says something.
    pub fn say(&mut self, text: &str) {
        self.messages.push(json!({"role": "user", "content": [{"type": "text", "text": text}]}));
    }

    /// Takes in an answer and, if it calls tools, returns a result for each: the text, and an error for those
    /// tools that `fails` names.
    pub fn take_in(&mut self, answered: &Answered, text: &str, fails: &[&str]) {
        let content = answered.content();
        let results: Vec<Value> = content
            .iter()
            .filter(|block| block["type"] == "tool_use")
            .map(|call| {
                let failed = call["name"].as_str().is_some_and(|name| fails.contains(&name));
                json!({"type": "tool_result", "tool_use_id": call["id"], "content": text, "is_error": failed})
            })
            .collect();
        self.messages.push(json!({"role": "assistant", "content": content}));
        if !results.is_empty() {
            self.messages.push(json!({"role": "user", "content": results}));
        }
    }

    /// Asks for the next step.
    pub fn ask(&self) -> Ask {
        Ask::turn(&self.session, &self.model, &json!(self.messages))
    }

    /// Asks for the next step, without streaming.
    pub fn ask_whole(&self) -> Ask {
        Ask::whole_turn(&self.session, &self.model, &json!(self.messages))
    }
}
