//! A message as Gemini sends it: whole, or in parts of which each is a response of its own.

use serde_json::{Value, json};

use crate::upstream::{
    Answer, Block, Call, Message, Milestone, Piece, Usage,
    message::{halves, tool_of},
};

/// The answer as one JSON object.
pub(in crate::upstream) fn whole(message: &Message) -> Answer {
    let blocks = || message.blocks.iter().enumerate();
    let parts: Vec<_> = blocks().flat_map(|(index, block)| parts(message, index, block)).collect();
    let calls = blocks().filter_map(|(index, block)| tool_of(block, call_id(message, index)));
    let tells = [Milestone::Content].into_iter().chain(calls).chain(ended(message)).collect();
    let body = response(message, &parts, Some(finish_reason(message)), &message.usage);
    Answer::new(200, "application/json", vec![Piece { bytes: body.to_string().into_bytes(), tells }])
}

/// The answer as a stream of events, without the comments that Gemini CLI cannot read. Each states the usage so far.
pub(in crate::upstream) fn streamed(message: &Message) -> Answer {
    let all: Vec<_> = message
        .blocks
        .iter()
        .enumerate()
        .flat_map(|(index, block)| {
            let call = tool_of(block, call_id(message, index));
            parts(message, index, block).into_iter().map(move |part| (part, call.clone()))
        })
        .collect();
    let last = all.len().saturating_sub(1);
    let pieces = all.into_iter().enumerate().map(|(number, (part, call))| {
        let mut tells = vec![Milestone::Content];
        tells.extend(call);
        if number == last {
            tells.extend(ended(message));
            return Piece::data(
                &response(message, &[part], Some(finish_reason(message)), &message.usage),
                tells,
            );
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

/// A call is no reason of its own here.
fn finish_reason(message: &Message) -> &'static str {
    match message.stop_reason.as_str() {
        "max_tokens" => "MAX_TOKENS",
        "refusal" => "SAFETY",
        _ => "STOP",
    }
}

fn call_id(message: &Message, index: usize) -> String {
    format!("{}-{index}", message.id)
}

fn parts(message: &Message, index: usize, block: &Block) -> Vec<Value> {
    match block {
        Block::Thinking(text) => vec![json!({"text": text, "thought": true})],
        // What was found is in the text; what grounds it stands elsewhere.
        Block::Found(_) => vec![],
        Block::Text(text) | Block::Summary(text) => {
            halves(text).into_iter().map(|part| json!({"text": part})).collect()
        }
        Block::Tool(call) if call.means.hosted => vec![],
        Block::Tool(Call { name, input, .. }) => {
            let id = call_id(message, index);
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
