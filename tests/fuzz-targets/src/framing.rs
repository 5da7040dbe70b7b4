//! Events, objects, content encodings.

use ccxray_proxy::{
    decode::ContentDecoder,
    distil::{objects::ObjectSplitter, sse::SseParser},
};

use crate::cuts::{same_however_cut, split};

/// The events of a stream are the same however it is cut, and there is no more in them than was fed.
pub fn sse(data: &[u8]) {
    let Some((choice, stream)) = split(data) else { return };
    let events = same_however_cut(stream, choice, |pieces| {
        let (mut parser, mut events) = (SseParser::default(), Vec::new());
        for piece in pieces {
            parser.feed(piece, &mut |event| events.push((event.name.to_vec(), event.data.to_vec())));
        }
        events
    });
    let told: usize = events.iter().map(|(name, data)| name.len() + data.len()).sum();
    assert!(told <= stream.len());
}

/// The objects of an array are the same however it is cut, and begin and end as objects do.
pub fn objects(data: &[u8]) {
    let Some((choice, array)) = split(data) else { return };
    let objects = same_however_cut(array, choice, |pieces| {
        let (mut splitter, mut objects) = (ObjectSplitter::default(), Vec::new());
        for piece in pieces {
            splitter.feed(piece, &mut |object| objects.push(object.to_vec()));
        }
        objects
    });
    let is_object =
        |object: &[u8]| object.first() == Some(&b'{') && object.last().is_some_and(|b| b"}]".contains(b));
    assert!(objects.iter().all(|object| is_object(object)));
    assert!(objects.iter().map(Vec::len).sum::<usize>() <= array.len());
}

/// The encodings that are chosen from.
const ENCODINGS: [&str; 8] =
    ["gzip", "deflate", "br", "zstd", "identity", "gzip, br", "zstd, gzip", "gzip, gzip, gzip, gzip, gzip"];

/// The most bytes that may come out of what a fuzzer feeds. The decoder's own bound lies lower for small bodies.
const MAX_DECODED: usize = 512 << 20;

/// A body comes to its end, and not out of all proportion.
pub fn content_encoding(data: &[u8]) {
    let Some((choice, body)) = split(data) else { return };
    let encoding = ENCODINGS[choice % ENCODINGS.len()];
    for pieces in crate::cuts::ways(body, choice) {
        let (mut decoder, mut length) = (ContentDecoder::new(encoding), 0);
        for piece in pieces {
            decoder.feed(piece, &mut |plain| length += plain.len());
        }
        decoder.finish(&mut |plain| length += plain.len());
        assert!(length <= MAX_DECODED, "{length} bytes out of {}", body.len());
    }
}
