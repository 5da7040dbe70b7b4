//! A message as Gemini sends it: whole, or in parts of which each is a response of its own.

use serde_json::{Value, json};

use crate::upstream::{
    Answer, Block, Message, Milestone, Piece, Usage,
    message::{halves, tool_of},
};

/// The answer as one JSON object.
pub(super) fn whole(message: &Message) -> Answer {
    let parts: Vec<_> = message.blocks.iter().flat_map(|block| parts(message, block)).collect();
    let calls = message.blocks.iter().filter_map(tool_of);
    let tells = [Milestone::Content].into_iter().chain(calls).chain(ended(message)).collect();
    let body = response(message, &parts, Some("STOP"), &message.usage);
    Answer::new(200, "application/json", vec![Piece { bytes: body.to_string().into_bytes(), tells }])
}

/// The answer as a stream of events, without the comments that Gemini CLI cannot read. Each states the usage so far.
pub(super) fn streamed(message: &Message) -> Answer {
    let all: Vec<_> = message
        .blocks
        .iter()
        .flat_map(|block| parts(message, block).into_iter().map(move |part| (part, tool_of(block))))
        .collect();
    let last = all.len().saturating_sub(1);
    let pieces = all.into_iter().enumerate().map(|(number, (part, call))| {
        let mut tells = vec![Milestone::Content];
        tells.extend(call);
        if number == last {
            tells.extend(ended(message));
            return Piece::data(&response(message, &[part], Some("STOP"), &message.usage), tells);
        }
        let so_far = Usage { output: message.usage.reasoning + number as u64 + 1, ..message.usage };
        tells.extend([Milestone::Model(message.model.clone()), Milestone::Used(so_far)]);
        Piece::data(&response(message, &[part], None, &so_far), tells)
    });
    Answer::new(200, "text/event-stream; charset=utf-8", pieces.collect())
}

fn ended(message: &Message) -> [Milestone; 4] {
    [
        Milestone::Model(message.model.clone()),
        Milestone::Used(message.usage),
        Milestone::Finished { stop_reason: message.stop_reason.clone(), output: message.usage.output },
        Milestone::Terminal,
    ]
}

fn response(message: &Message, parts: &[Value], finish: Option<&str>, usage: &Usage) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    if let Some(reason) = finish {
        candidate["finishReason"] = json!(reason);
    }
    json!({"candidates": [candidate], "usageMetadata": usage_json(usage), "modelVersion": message.model,
        "responseId": message.id})
}

fn parts(message: &Message, block: &Block) -> Vec<Value> {
    match block {
        Block::Thinking(text) => vec![json!({"text": text, "thought": true})],
        Block::Text(text) => halves(text).into_iter().map(|part| json!({"text": part})).collect(),
        Block::Tool { name, input } => {
            let id = format!("{}-{name}", message.id);
            vec![json!({"functionCall": {"id": id, "name": name, "args": input}, "thoughtSignature": "c2ln"})]
        }
    }
}

/// The prompt contains what was read from a cache; the thoughts stand beside the candidates.
fn usage_json(usage: &Usage) -> Value {
    let prompt = usage.input + usage.cache_read;
    json!({
        "promptTokenCount": prompt,
        "cachedContentTokenCount": usage.cache_read,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "thoughtsTokenCount": usage.reasoning,
        "totalTokenCount": prompt + usage.output,
    })
}
