//! The frames of a WebSocket, and what is compressed in them.

use std::time::Instant;

use ccxray_proxy::decode::websocket::{Content, Deflate, Fault, MessageReader, Side};

use crate::cuts::{same_however_cut, split};

/// The longest message that is read here.
const LIMIT: usize = 64 << 10;

/// What a reader has told.
#[derive(Debug, PartialEq)]
struct Told {
    messages: Vec<(Option<Vec<u8>>, u64)>,
    fault: Option<Fault>,
}

/// The messages are the same however the bytes are cut, and none is longer than the limit. The first byte chooses the
/// side and what was agreed on.
pub fn messages(data: &[u8]) {
    let Some((choice, bytes)) = split(data) else { return };
    let side = if choice % 2 == 0 { Side::Client } else { Side::Server };
    let alone = choice & 2 != 0;
    let agreed = Deflate { client_no_context_takeover: alone, server_no_context_takeover: alone };
    let deflate = (choice & 4 != 0).then_some(agreed);
    let told = same_however_cut(bytes, choice, |pieces| read(side, deflate, pieces));
    let on_the_wire: u64 = told.messages.iter().map(|(_, wire_bytes)| wire_bytes).sum();
    assert!(on_the_wire <= bytes.len() as u64);
    assert!(told.messages.iter().all(|(text, _)| text.as_ref().is_none_or(|text| text.len() <= LIMIT)));
}

fn read(side: Side, deflate: Option<Deflate>, pieces: &[&[u8]]) -> Told {
    let at = Instant::now();
    let mut reader = MessageReader::new(side, deflate, LIMIT);
    let mut messages = Vec::new();
    let fault = pieces.iter().find_map(|piece| {
        let told = &mut |message: ccxray_proxy::decode::websocket::Message<'_>| {
            let text = match message.content {
                Content::Text(text) => Some(text.to_vec()),
                Content::Binary | Content::TooLong | Content::Close => None,
            };
            messages.push((text, message.wire_bytes));
        };
        reader.feed(piece, at, told).err()
    });
    Told { messages, fault }
}
