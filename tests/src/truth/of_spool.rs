//! The facts that the spool tells of exchanges with Anthropic.

use serde_json::Value;

use super::{
    facts::{End, Facts, FailedTool, Failure, Stated},
    window,
};
use crate::{spool::Spool, upstream::Usage};

/// The facts of all entries.
pub fn from_spool(spool: &Spool) -> Vec<Facts> {
    spool.entries().map(facts_of).collect()
}

fn facts_of(entry: &Value) -> Facts {
    let calls = || entry["tools"]["calls"].as_array().into_iter().flatten();
    Facts {
        provider: text(&entry["provider"]).expect("an entry has a provider"),
        route: text(&entry["route"]).expect("an entry has a route"),
        class: text(&entry["class"]).expect("an entry has a class"),
        status: entry["status"].as_u64().and_then(|status| u16::try_from(status).ok()),
        end: end(entry),
        model: text(&entry["model_served"]).or_else(|| text(&entry["model"])),
        usage: entry["usage"].is_object().then(|| stated(&entry["usage"]["counts"])),
        stop_reason: text(&entry["stop_reason"]),
        tools: names(&entry["tools"]["calls"]),
        error: entry["error"].is_object().then(|| failure(&entry["error"])),
        session: text(&entry["session"]),
        streamed: entry["streamed"] == true,
        content: entry["first_content_ms"].is_u64(),
        terminal: entry["terminal"] == true,
        mcp: calls().filter_map(|call| mcp(&call["name"])).collect(),
        skills: calls().filter_map(|call| text(&call["skill"])).chain(texts(&entry["skills"])).collect(),
        starts: calls().filter(|call| call["agent"].is_string()).count(),
        dangers: calls().flat_map(|call| texts(&call["patterns"])).collect(),
        writes: calls().filter(|call| call["writes_file"] == true).count(),
        failed: texts(&entry["results"]["failed_tools"]).into_iter().map(failed_tool).collect(),
        agent: text(&entry["agent"]["type"]).unwrap_or_else(|| "main".into()),
        mode: text(&entry["permission_mode"]).unwrap_or_else(|| "unknown".into()),
        window: window::of_claude(
            entry["model"].as_str().unwrap_or_default(),
            asks_for_a_million(entry),
            window::is_new(entry["client"].as_str().unwrap_or_default()),
        ),
        automatic: entry["compaction"] == "auto",
        retry: entry["retry"] == true,
        limits: vec![],
    }
}

fn end(entry: &Value) -> End {
    match entry["outcome"].as_str().expect("an entry has an outcome") {
        "complete" => End::Complete,
        // A connection that stood has turns of its own, and what breaks off with it are these.
        _ if entry["status"] == 101 => End::Complete,
        // It had seen the terminal event, and with it all that there was to see.
        "client_abort" if entry["terminal"] == true => End::Complete,
        "client_abort" => End::ClientLeft,
        "upstream_abort" => End::UpstreamBroke,
        "upstream_unreachable" => End::NoAnswer,
        other => panic!("no exchange ends as {other}"),
    }
}

fn stated(counts: &Value) -> Stated {
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let written = number(&counts["cache_creation_input_tokens"]);
    let write_1h = number(&counts["cache_creation"]["ephemeral_1h_input_tokens"]);
    let usage = Usage {
        input: number(&counts["input_tokens"]),
        output: number(&counts["output_tokens"]),
        cache_read: number(&counts["cache_read_input_tokens"]),
        write_5m: written - write_1h,
        write_1h,
        reasoning: 0,
        searches: number(&counts["server_tool_use"]["web_search_requests"]),
    };
    Stated { usage, output: counts["output_tokens"].is_u64() }
}

fn failure(error: &Value) -> Failure {
    Failure { kind: text(&error["type"]), context_length: error["context_length"] == true }
}

fn asks_for_a_million(entry: &Value) -> bool {
    entry["context"]["window"] == 1_000_000
}

/// The server and the tool in the full name of an MCP server's.
fn mcp(name: &Value) -> Option<(String, String)> {
    let (server, tool) = name.as_str()?.strip_prefix("mcp__")?.split_once("__")?;
    Some((server.into(), tool.into()))
}

fn failed_tool(tool: String) -> FailedTool {
    FailedTool { server: mcp(&Value::from(tool.as_str())).map(|(server, _)| server), tool }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(text).collect()
}

fn names(calls: &Value) -> Vec<String> {
    calls.as_array().into_iter().flatten().filter_map(|call| text(&call["name"])).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
