//! Answers over a WebSocket: one connection, many requests, each with an answer and a place in the ledger of its own.

use std::io;

use serde_json::Value;

use super::{
    Answer, Gate, Pace, Piece, Sending,
    ledger::{Ledger, Place},
    server::SharedScript,
};
use crate::wire::{
    Break, Connection, Request,
    websocket::{End, Heard, accept},
};

/// The status of a connection that has become something else.
pub(super) const SWITCHING: u16 = 101;

/// Whether a request asks for a WebSocket.
pub(super) fn is_upgrade(request: &Request) -> bool {
    request.header("upgrade").is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

/// A connection that has become a WebSocket.
pub(super) struct Socket {
    pub(super) connection: Connection,
    pub(super) upgrade: Request,
    pub(super) script: SharedScript,
    pub(super) ledger: Ledger,
    pub(super) place: Place,
}

/// Why nothing more is said.
enum Stop {
    /// The script wants the connection to break here.
    Fault(Break),
    /// The client has gone.
    ClientLeft,
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::ClientLeft
    }
}

impl Socket {
    /// Says yes, as `answer` does, and serves the script until one side has had enough.
    pub(super) async fn serve(mut self, answer: &Answer) -> io::Result<()> {
        let agreed = self.agree(answer).await?;
        let mut end = End::of_server(agreed.as_deref());
        let stop = self.converse(&mut end).await;
        let sending = match stop {
            // An orderly end of the connection, whatever it does to a turn.
            Ok(()) | Err(Stop::Fault(Break::Fin)) => Sending::Whole,
            Err(Stop::Fault(Break::Rst)) => Sending::BrokenOff,
            Err(Stop::ClientLeft) => Sending::ClientLeft,
        };
        self.ledger.note(self.place, |served| served.sending = sending);
        match stop {
            Ok(()) => self.connection.end(Break::Fin).await,
            Err(Stop::Fault(how)) => self.connection.end(how).await,
            Err(Stop::ClientLeft) => Ok(()),
        }
    }

    /// Answers the upgrade; returns what was agreed on, which is what the script wants if the client offers it.
    async fn agree(&mut self, answer: &Answer) -> io::Result<Option<String>> {
        let key = self.upgrade.header("sec-websocket-key").unwrap_or_default();
        let offers = self
            .upgrade
            .header("sec-websocket-extensions")
            .is_some_and(|offer| offer.contains("permessage-deflate"));
        let agreed = answer.header_of("sec-websocket-extensions").filter(|_| offers).map(str::to_owned);
        let mut head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {}\r\n",
            accept(key)
        );
        if let Some(agreed) = &agreed {
            head.extend(["sec-websocket-extensions: ", agreed, "\r\n"]);
        }
        head.push_str("\r\n");
        self.ledger.note(self.place, |served| served.status = Some(SWITCHING));
        self.connection.write(head.as_bytes()).await?;
        Ok(agreed)
    }

    async fn converse(&mut self, end: &mut End) -> Result<(), Stop> {
        loop {
            match self.next(end).await? {
                None => return Ok(()),
                Some(Heard::Close) => return Ok(self.connection.write(&end.close()).await?),
                Some(Heard::Ping(asked)) => self.connection.write(&end.pong(&asked)).await?,
                Some(Heard::Pong) => {}
                Some(Heard::Text(text)) => self.answer(end, text).await?,
            }
        }
    }

    /// What the client says next; none if it has ended its stream.
    async fn next(&mut self, end: &mut End) -> Result<Option<Heard>, Stop> {
        loop {
            if let Some(heard) = end.heard() {
                return Ok(Some(heard));
            }
            let bytes = self.connection.some().await?;
            if bytes.is_empty() {
                return Ok(None);
            }
            // The truth of the connection itself: every byte that came.
            self.ledger.note(self.place, |served| served.request.body.extend(&bytes));
            end.hear(&bytes);
        }
    }

    async fn answer(&mut self, end: &mut End, text: String) -> Result<(), Stop> {
        let request = self.request(text);
        if request.json()["type"] != "response.create" {
            return Ok(());
        }
        let answer = self.script.lock().expect("scripts do not panic").answer(&request);
        let place = self.ledger.begin(request, &answer);
        let sent = self.send(end, &answer, place).await;
        let sending = match sent {
            Ok(()) => Sending::Whole,
            Err(Stop::Fault(_)) => Sending::BrokenOff,
            Err(Stop::ClientLeft) => Sending::ClientLeft,
        };
        self.ledger.note(place, |served| served.sending = sending);
        sent
    }

    /// The request as HTTP would have it: what Codex says of the turn stands in the message, not in the upgrade.
    fn request(&self, text: String) -> Request {
        let about_upgrade = ["connection", "upgrade", "x-codex-turn-metadata"];
        let mut headers = self.upgrade.headers.clone();
        headers.retain(|(name, _)| {
            !about_upgrade.contains(&name.as_str()) && !name.starts_with("sec-websocket-")
        });
        let body: Value = serde_json::from_str(&text).expect("what a client says is JSON");
        if let Some(turn) = body["client_metadata"]["x-codex-turn-metadata"].as_str() {
            headers.push(("x-codex-turn-metadata".into(), turn.into()));
        }
        let target = self.upgrade.target.clone();
        Request { method: "POST".into(), target, headers, body: text.into_bytes() }
    }

    async fn send(&mut self, end: &mut End, answer: &Answer, place: Place) -> Result<(), Stop> {
        let cut = answer.pieces_before_cut();
        for (number, piece) in answer.pieces.iter().enumerate() {
            if let Pace::Gated(gate) = &answer.pace {
                self.pass(gate).await?;
            }
            let frame = end.text(&event(answer.status, piece));
            match cut {
                Some((whole, torn, how)) if whole == number => {
                    // Half a frame says nothing.
                    let torn = if torn { frame.len() / 2 } else { 0 };
                    self.connection.write(&frame[..torn]).await?;
                    return Err(Stop::Fault(how));
                }
                Some(_) | None => {}
            }
            self.ledger.note(place, |served| {
                served.sent += frame.len();
                served.status = Some(answer.status);
                served.told.extend(piece.tells.iter().cloned());
            });
            self.connection.write(&frame).await?;
        }
        Ok(())
    }

    async fn pass(&mut self, gate: &Gate) -> Result<(), Stop> {
        tokio::select! {
            biased;
            () = gate.pass() => Ok(()),
            () = self.connection.closed() => Err(Stop::ClientLeft),
        }
    }
}

/// The data of an event; what would be an answer with a status of its own is an event that states it.
fn event(status: u16, piece: &Piece) -> String {
    let text = String::from_utf8_lossy(&piece.bytes).into_owned();
    if status < 400 {
        let data = text.lines().find_map(|line| line.strip_prefix("data: "));
        return data.expect("a piece of an answer in events is an event").to_owned();
    }
    let mut error: Value = serde_json::from_str(&text).expect("an error is JSON");
    (error["type"], error["status"]) = ("error".into(), status.into());
    error.to_string()
}
