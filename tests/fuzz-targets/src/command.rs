//! Commands within tool calls.

use std::time::Instant;

use ccxray_proxy::distil::{
    answer::AnswerReader,
    dialect::Dialect,
    shell::{self, Pattern},
};
use hyper::{
    HeaderMap, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};

/// Patterns come in their order, the same from a script that a shell is given, and none from a quotation.
pub fn shell(data: &[u8]) {
    let Ok(command) = str::from_utf8(data) else { return };
    let found = shell::patterns(command);
    let order =
        |name: &str| Pattern::ALL.iter().position(|pattern| pattern.name() == name).expect("is in the list");
    assert!(found.iter().map(|name| order(name)).is_sorted_by(|a, b| a < b), "{found:?}");
    let quoted = command.replace('\'', "'\\''");
    assert_eq!(shell::patterns(&format!("echo '{quoted}'")), [""; 0]);
    // What a substitution at the depth's bound holds is looked at in neither.
    for name in shell::argv_patterns(&["sh", "-c", command]) {
        assert!(found.contains(&name), "{name} appears within a script only");
    }
    if let Some(skill) = shell::skill_read(command) {
        assert!(command.len() > skill.len());
    }
}

/// A script of Codex's code mode, as the only call of an answer, changes nothing else about the answer.
pub fn script(data: &[u8]) {
    let Ok(script) = str::from_utf8(data) else { return };
    let call = serde_json::json!({ "type": "custom_tool_call", "status": "completed", "name": "exec", "call_id": "call_1", "input": script });
    let answer =
        serde_json::json!({ "id": "resp_1", "object": "response", "status": "completed", "output": [call] });
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let at = Instant::now();
    let mut reader = AnswerReader::new(Dialect::Responses, StatusCode::OK, &headers);
    reader.feed(answer.to_string().as_bytes(), at);
    let facts = reader.finish(true, at);
    let tools = facts.tools.expect("the answer has a call");
    assert_eq!((tools.blocks, tools.calls.len()), (1, 1));
    assert_eq!(tools.calls[0].name.as_str(), "exec");
}
