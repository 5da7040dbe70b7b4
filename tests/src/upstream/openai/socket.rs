//! Responses over a WebSocket.

use super::{Asks, response::streamed};
use crate::{
    upstream::{Answer, Message, script::Script, websocket::SWITCHING},
    wire::Request,
};

/// A script that lets its client speak WebSocket, compressed so if it offers that, and answers there as `script` does;
/// a warm-up gets an answer in which there is nothing.
pub fn over_websocket(deflate: Option<&'static str>, mut script: impl Script) -> impl Script {
    move |request: &Request| match (Asks::of(request), deflate) {
        (Asks::Turn, _) if request.json()["generate"] == false => warmed_up(request),
        (Asks::Upgrade, None) => Answer::new(SWITCHING, "", vec![]),
        (Asks::Upgrade, Some(deflate)) => {
            Answer::new(SWITCHING, "", vec![]).header("sec-websocket-extensions", deflate)
        }
        _ => script.answer(request),
    }
}

/// A response that nothing was generated for.
fn warmed_up(request: &Request) -> Answer {
    let model = request.model().unwrap_or_default();
    streamed(&Message::of(&model).id("resp_warm_up"))
}

/// A message as a response in events, on a WebSocket or not.
pub fn response(message: &Message) -> Answer {
    streamed(message)
}
