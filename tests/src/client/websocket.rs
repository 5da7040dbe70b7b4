//! A client that speaks WebSocket, as Codex does.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    PATIENCE,
    wire::websocket::{End, Heard},
};

/// What an upgrade says of the turn that it was once made for, which is not to be believed.
const STALE: &str = r#"{"request_kind":"prewarm","sandbox_mode":"read-only","turn_id":""}"#;

/// An open connection. Dropped, the client leaves without a word.
#[derive(Debug)]
pub struct WebSocket {
    stream: TcpStream,
    end: End,
    /// Every byte behind the head of the answer to the upgrade.
    pub came: Vec<u8>,
}

impl WebSocket {
    /// Connects to `ip:port` for this session, and offers this extension.
    pub async fn open(address: &str, session: &str, offers: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("the server listens");
        let extensions =
            offers.map(|offer| format!("sec-websocket-extensions: {offer}\r\n")).unwrap_or_default();
        let head = format!(
            "GET /v1/responses HTTP/1.1\r\nhost: {address}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extensions}\
             originator: codex_exec\r\nsession-id: {session}\r\nthread-id: {session}\r\n\
             x-codex-turn-metadata: {STALE}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("the server takes a request");
        let mut answer = Vec::new();
        let behind = loop {
            if let Some(at) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
                break answer.split_off(at + 4);
            }
            let read =
                timeout(PATIENCE, stream.read_buf(&mut answer)).await.expect("an answer comes in time");
            assert_ne!(read.expect("an answer comes"), 0, "{}", String::from_utf8_lossy(&answer));
        };
        let answer = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 101 "), "{answer}");
        assert!(answer.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{answer}");
        let agreed = answer.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions: "));
        let mut end = End::of_client(agreed);
        end.hear(&behind);
        Self { stream, end, came: behind }
    }

    /// Says something.
    pub async fn say(&mut self, what: &Value) {
        let frame = self.end.text(&what.to_string());
        self.stream.write_all(&frame).await.expect("the server listens");
    }

    /// Asks whether somebody is there.
    pub async fn ping(&mut self) {
        self.stream.write_all(&self.end.ping()).await.expect("the server listens");
    }

    /// The next event; none if the connection has ended, whichever way.
    pub async fn event(&mut self) -> Option<Value> {
        loop {
            match self.end.heard() {
                Some(Heard::Text(text)) => {
                    return Some(serde_json::from_str(&text).expect("an event is JSON"));
                }
                Some(Heard::Close) => return None,
                Some(Heard::Ping(_) | Heard::Pong) => continue,
                None => {}
            }
            let mut bytes = Vec::new();
            let read = timeout(PATIENCE, self.stream.read_buf(&mut bytes)).await;
            if read.expect("the next event or the end comes in time").unwrap_or_default() == 0 {
                return None;
            }
            self.came.extend(&bytes);
            self.end.hear(&bytes);
        }
    }

    /// Asks for a response, and hears it out; the id with which one goes on from it, if it came to its end.
    pub async fn ask(&mut self, body: &Value) -> Option<String> {
        self.say(body).await;
        loop {
            let event = self.event().await?;
            match event["type"].as_str() {
                Some("response.completed" | "response.incomplete") => {
                    return event["response"]["id"].as_str().map(str::to_owned);
                }
                Some("response.failed" | "error") => return None,
                _ => {}
            }
        }
    }

    /// Ends the connection as one should, and hears what is still said.
    pub async fn close(mut self) -> Vec<u8> {
        self.stream.write_all(&self.end.close()).await.expect("the server listens");
        while self.event().await.is_some() {}
        let rest = timeout(PATIENCE, self.stream.read_to_end(&mut self.came)).await;
        rest.expect("the server ends the connection in time").expect("the connection is not broken");
        self.came
    }
}

/// A request for a response as Codex makes it on a WebSocket: only what is new since `previous`.
pub fn create(session: &str, previous: Option<&str>, input: &[Value]) -> Value {
    let turn = json!({"session_id": session, "thread_id": session, "thread_source": "user",
        "request_kind": "turn", "sandbox_mode": "workspace-write"});
    let metadata = json!({"session_id": session, "x-codex-turn-metadata": turn.to_string()});
    let mut body = json!({"type": "response.create", "model": "gpt-5.5", "stream": true, "input": input,
        "client_metadata": metadata});
    if let Some(previous) = previous {
        body["previous_response_id"] = previous.into();
    }
    body
}
