//! Responses over a WebSocket.

use super::{Asks, response::streamed};
use crate::{
    upstream::{Answer, Message, script::Script, websocket::SWITCHING},
    wire::Request,
};

/// A script that lets its client speak WebSocket, compressed so if it offers that, and answers there as `script` does;
/// a warm-up gets an answer in which there is nothing.
pub fn over_websocket(deflate: Option<&'static str>, mut script: impl Script) -> impl Script {
    let mut warm_ups = 0;
    move |request: &Request| match (Asks::of(request), deflate) {
        (Asks::Turn, _) if request.json()["generate"] == false => {
            warm_ups += 1;
            warmed_up(request, warm_ups)
        }
        (Asks::Upgrade, None) => Answer::new(SWITCHING, "", vec![]),
        (Asks::Upgrade, Some(deflate)) => {
            Answer::new(SWITCHING, "", vec![]).header("sec-websocket-extensions", deflate)
        }
        _ => script.answer(request),
    }
}

/// A response that nothing was generated for.
fn warmed_up(request: &Request, number: u32) -> Answer {
    let model = request.model().unwrap_or_default();
    streamed(&Message::of(&model).id(&format!("resp_warm_up_{number:08x}")))
}

/// A message as a response in events, on a WebSocket or not.
pub fn response(message: &Message) -> Answer {
    streamed(message)
}
