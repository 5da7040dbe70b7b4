# An MCP server on stdin and stdout, one JSON-RPC message a line: `echo` says the text that it is given, `fail` never works.
import json
import sys

TOOLS = [
    {
        "name": "echo",
        "description": "Says a text.",
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
    },
    {"name": "fail", "description": "Never works.", "inputSchema": {"type": "object", "properties": {}}},
]


def call(name, arguments):
    failed = name == "fail"
    text = "it never works" if failed else arguments.get("text", "")
    return {"content": [{"type": "text", "text": text}], "isError": failed}


def result(method, params):
    if method == "initialize":
        return {
            "protocolVersion": params.get("protocolVersion", "2025-06-18"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "demo", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        return call(params["name"], params.get("arguments") or {})
    return {}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": result(message["method"], message.get("params") or {})}
        print(json.dumps(answer), flush=True)
