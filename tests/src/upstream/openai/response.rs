//! A message as a response's stream of events.
//!
//! Tools whose input is JSON are functions, those whose input is a text are custom tools.

use serde_json::{Value, json};

use crate::upstream::{
    Answer, Block, Call, Message, Milestone, Piece, Usage,
    message::{halves, tool_of},
};

/// The answer, never compressed: Codex can decode nothing.
pub(in crate::upstream) fn streamed(message: &Message) -> Answer {
    let mut events = Events(Vec::new());
    let began = response(message, "in_progress", &[], &Value::Null);
    let model = Milestone::Model(message.model.clone());
    events.push("response.created", json!({"response": began}), vec![model]);
    events.push("response.in_progress", json!({"response": began}), vec![]);
    let items: Vec<_> = message.blocks.iter().enumerate().map(|(i, block)| item(message, i, block)).collect();
    for (index, (block, item)) in message.blocks.iter().zip(&items).enumerate() {
        events.item(index, block, item, call_id(message, index));
    }
    let (status, why) = status(message);
    let mut ended = response(message, status, &items, &usage_json(&message.usage));
    if let Some(reason) = why {
        ended["incomplete_details"] = json!({"reason": reason});
    }
    let finished =
        Milestone::Finished { stop_reason: message.stop_reason.clone(), output: message.usage.output };
    let tells = vec![Milestone::Used(message.usage), finished, Milestone::Terminal];
    events.push(&format!("response.{status}"), json!({"response": ended}), tells);
    Answer::new(200, "text/event-stream; charset=utf-8", events.0)
}

/// How the response ends, and why if that is too early. A call is no reason of its own here.
fn status(message: &Message) -> (&'static str, Option<&'static str>) {
    match message.stop_reason.as_str() {
        "max_tokens" => ("incomplete", Some("max_output_tokens")),
        "refusal" => ("incomplete", Some("content_filter")),
        _ => ("completed", None),
    }
}

/// The events so far.
struct Events(Vec<Piece>);

impl Events {
    fn push(&mut self, name: &str, mut data: Value, tells: Vec<Milestone>) {
        data["type"] = json!(name);
        data["sequence_number"] = json!(self.0.len());
        self.0.push(Piece::event(name, &data, tells));
    }

    fn item(&mut self, index: usize, block: &Block, item: &Value, call_id: String) {
        if let Block::Summary(_) = block {
            let data = json!({"output_index": index, "item": item});
            self.push("response.output_item.added", data.clone(), vec![]);
            self.push("response.output_item.done", data, vec![]);
            return;
        }
        let (delta, field, text) = match block {
            Block::Thinking(text) => ("response.reasoning_summary_text.delta", "summary", text.clone()),
            Block::Text(text) | Block::Found(text) | Block::Summary(text) => {
                ("response.output_text.delta", "content", text.clone())
            }
            Block::Tool(Call { input: Value::String(text), .. }) => {
                ("response.custom_tool_call_input.delta", "input", text.clone())
            }
            Block::Tool(Call { input, .. }) => {
                ("response.function_call_arguments.delta", "arguments", input.to_string())
            }
        };
        let mut begun = item.clone();
        begun[field] = if item[field].is_array() { json!([]) } else { json!("") };
        // The start of a call names the tool; the start of a text is empty.
        let call = tool_of(block, call_id);
        let tells = call.into_iter().flat_map(|call| [Milestone::Content, call]).collect();
        self.push("response.output_item.added", json!({"output_index": index, "item": begun}), tells);
        for part in halves(&text) {
            let data = json!({"item_id": item["id"], "output_index": index, "content_index": 0,
                "summary_index": 0, "delta": part});
            self.push(delta, data, vec![Milestone::Content]);
        }
        self.push("response.output_item.done", json!({"output_index": index, "item": item}), vec![]);
    }
}

fn response(message: &Message, status: &str, output: &[Value], usage: &Value) -> Value {
    json!({
        "id": message.id, "object": "response", "created_at": 1_790_000_000, "status": status, "error": null,
        "incomplete_details": null, "model": message.model, "output": output, "service_tier": "default",
        "store": false, "usage": usage,
    })
}

fn call_id(message: &Message, index: usize) -> String {
    format!("call_{}_{index}", message.id)
}

/// The item that a block becomes. Its ids are unique in a conversation, as long as the message's is.
fn item(message: &Message, index: usize, block: &Block) -> Value {
    let id = format!("{}_{index}", message.id);
    match block {
        Block::Thinking(text) => json!({"type": "reasoning", "id": format!("rs_{id}"),
            "summary": [{"type": "summary_text", "text": text}], "encrypted_content": "c2VjcmV0"}),
        Block::Summary(text) => {
            json!({"type": "compaction", "id": format!("cmp_{id}"), "encrypted_content": text})
        }
        Block::Text(text) | Block::Found(text) => {
            json!({"type": "message", "id": format!("msg_{id}"), "status": "completed",
            "role": "assistant", "content": [{"type": "output_text", "annotations": [], "text": text}]})
        }
        Block::Tool(Call { name, input: Value::String(input), .. }) => json!({"type": "custom_tool_call",
            "id": format!("ctc_{id}"), "status": "completed", "call_id": call_id(message, index), "name": name,
            "input": input}),
        Block::Tool(call) => function_call(call, &id, &call_id(message, index)),
    }
}

fn function_call(call: &Call, id: &str, call_id: &str) -> Value {
    let mut item = json!({"type": "function_call", "id": format!("fc_{id}"), "status": "completed",
        "call_id": call_id, "name": call.name, "arguments": call.input.to_string()});
    if let Some(namespace) = &call.namespace {
        item["namespace"] = json!(namespace);
    }
    item
}

/// The input contains what was read from and written to a cache, the output the reasoning.
fn usage_json(usage: &Usage) -> Value {
    let written = usage.write_5m + usage.write_1h;
    let input = usage.input + usage.cache_read + written;
    json!({
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": written},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": input + usage.output,
    })
}
