//! What the entries of the exchanges in `fixtures/<provider>/` say, word for word.
//!
//! A case is one exchange, `<case>.request.json` with `<case>.answer.sse` or `<case>.answer.json`, or several in
//! order, `<case>.1.request.json` and so on; no answer file is an empty body. `<case>.headers.json` says what is not
//! as usual, see [`Unusual`]. `<case>.entry.json` holds the entries that they leave, one after the other. Run with
//! `UPDATE_FIXTURES=1` to write these anew, and look at the difference.
//!
//! Whatever must never reach an entry has the word CANARY in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

use ccxray_shared::entry::{Outcome, Provider, Route};
use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};
use serde::Deserialize;

use crate::rig::{Rig, Script, entries, headers};

/// What is not as usual with an exchange. Usual are the provider's first operation, no request headers, a 200 with
/// the content type that belongs to the answer's file, and a complete end.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Unusual {
    route: Option<Route>,
    path_model: Option<String>,
    request: BTreeMap<String, String>,
    status: Option<u16>,
    answer: BTreeMap<String, String>,
    outcome: Option<Outcome>,
}

/// An exchange of a case.
struct Exchange {
    unusual: Unusual,
    request: Vec<u8>,
    answer: Vec<u8>,
    content_type: &'static str,
}

/// How an answer's bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Plain,
    Pieces,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// The answer in small pieces, plain and encoded in every way.
const CUT: [Transport; 5] =
    [Transport::Pieces, Transport::Gzip, Transport::Deflate, Transport::Brotli, Transport::Zstd];

fn folder(provider: Provider) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(provider.as_str())
}

/// The cases of a provider, each with the stems of its exchanges in order.
fn cases(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut cases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if let Some(stem) = name.strip_suffix(".request.json") {
            let case = stem.split('.').next().unwrap();
            cases.entry(case.to_owned()).or_default().insert(stem.to_owned());
        }
    }
    cases
}

fn read(folder: &Path, stem: &str) -> Exchange {
    let file = |end: &str| fs::read(folder.join(format!("{stem}.{end}"))).ok();
    let unusual = file("headers.json").map(|json| serde_json::from_slice(&json).unwrap());
    let (answer, content_type) = match (file("answer.sse"), file("answer.json")) {
        (Some(events), None) => (events, "text/event-stream; charset=utf-8"),
        (None, Some(json)) => (json, "application/json"),
        (None, None) => (Vec::new(), "application/json"),
        (Some(_), Some(_)) => panic!("{stem} has two answers"),
    };
    let unusual: Unusual = unusual.unwrap_or_default();
    let plain = file("request.json").unwrap();
    let request = match unusual.request.get("content-encoding").map(String::as_str) {
        None => plain,
        Some("zstd") => Transport::Zstd.encode(&plain),
        Some(other) => panic!("{stem} is sent as {other}"),
    };
    Exchange { unusual, request, answer, content_type }
}

fn header_map(pairs: &BTreeMap<String, String>) -> HeaderMap {
    let pair = |(name, value): (&String, &String)| {
        (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

fn usual_route(provider: Provider) -> Route {
    match provider {
        Provider::Anthropic => Route::Messages,
        Provider::OpenAi => Route::Responses,
        Provider::Gemini => Route::StreamGenerateContent,
        Provider::Other => Route::Other,
    }
}

impl Transport {
    fn encode(self, plain: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain | Self::Pieces => plain.to_vec(),
            Self::Gzip => {
                let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                gzip.write_all(plain).unwrap();
                gzip.finish().unwrap()
            }
            Self::Deflate => {
                let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                deflate.write_all(plain).unwrap();
                deflate.finish().unwrap()
            }
            Self::Brotli => {
                let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
                brotli.write_all(plain).unwrap();
                brotli.into_inner()
            }
            Self::Zstd => zstd::stream::encode_all(plain, 3).unwrap(),
        }
    }

    fn content_encoding(self) -> Option<&'static str> {
        match self {
            Self::Plain | Self::Pieces => None,
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
            Self::Brotli => Some("br"),
            Self::Zstd => Some("zstd"),
        }
    }

    fn pieces(self, bytes: &[u8]) -> Vec<&[u8]> {
        match self {
            Self::Plain => vec![bytes],
            Self::Pieces | Self::Gzip | Self::Deflate | Self::Brotli | Self::Zstd => {
                bytes.chunks(13).collect()
            }
        }
    }
}

/// The entries that a case leaves, as JSON.
fn entries_of(provider: Provider, exchanges: &[Exchange], transport: Transport) -> Vec<serde_json::Value> {
    let rig = Rig::with(|options| {
        let state_dir = options.state_dir.path();
        fs::create_dir_all(state_dir).unwrap();
        fs::write(state_dir.join("key"), [7; 32]).unwrap();
    });
    for (at, exchange) in exchanges.iter().enumerate() {
        let Exchange { unusual, request, answer, content_type } = exchange;
        let encoded = transport.encode(answer);
        let mut script = Script::turn(at as u64 + 1, request, ("content-type", content_type), b"")
            .in_language(provider, unusual.route.unwrap_or(usual_route(provider)));
        script.path_model.clone_from(&unusual.path_model);
        script.request_headers = header_map(&unusual.request);
        script.status = unusual.status.unwrap_or(200);
        script.answer_headers.extend(header_map(&unusual.answer));
        if let Some(encoding) = transport.content_encoding() {
            script.answer_headers.extend(headers(&[("content-encoding", encoding)]));
        }
        script.answer = transport.pieces(&encoded);
        script.outcome = unusual.outcome.unwrap_or(Outcome::Complete);
        script.run(&rig.sender);
    }
    let (lines, _dir) = rig.finish();
    for line in &lines {
        assert!(!line.contains("CANARY"), "a text has reached an entry: {line}");
    }
    let entries = entries(&lines);
    assert_eq!(entries.len(), exchanges.len());
    entries.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect()
}

/// Runs all cases of a provider.
fn check(provider: Provider) {
    let folder = folder(provider);
    let update = env::var_os("UPDATE_FIXTURES").is_some();
    let cases = cases(&folder);
    assert!(!cases.is_empty());
    for (case, stems) in cases {
        let exchanges: Vec<_> = stems.iter().map(|stem| read(&folder, stem)).collect();
        let has_canary =
            |stem: &String| contains_canary(&fs::read(folder.join(format!("{stem}.request.json"))).unwrap());
        assert!(stems.iter().all(has_canary), "{case} has no text that must not be written down");
        let entries = entries_of(provider, &exchanges, Transport::Plain);
        let path = folder.join(format!("{case}.entry.json"));
        if update {
            fs::write(&path, serde_json::to_string_pretty(&entries).unwrap() + "\n").unwrap();
        }
        let expected: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for (entry, expected) in entries.iter().zip(&expected) {
            assert_eq!(
                serde_json::to_string_pretty(entry).unwrap(),
                serde_json::to_string_pretty(expected).unwrap(),
                "{case}"
            );
        }
        assert_eq!(entries.len(), expected.len(), "{case}");
        for transport in CUT {
            let entries = entries_of(provider, &exchanges, transport);
            for (entry, expected) in entries.iter().zip(&expected) {
                assert_eq!(without_timing(entry), without_timing(expected), "{case} {transport:?}");
            }
        }
    }
}

fn contains_canary(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"CANARY").is_some()
}

/// An entry but for what depends on how the answer's bytes travelled.
fn without_timing(entry: &serde_json::Value) -> serde_json::Value {
    let mut entry = entry.clone();
    for field in ["ended_at", "latency_ms", "first_content_ms", "response_bytes"] {
        entry.as_object_mut().unwrap().remove(field);
    }
    entry
}

#[test]
fn anthropic_exchanges_leave_the_entries_that_stand_beside_them() {
    check(Provider::Anthropic);
}

#[test]
fn openai_exchanges_leave_the_entries_that_stand_beside_them() {
    check(Provider::OpenAi);
}

#[test]
fn gemini_exchanges_leave_the_entries_that_stand_beside_them() {
    check(Provider::Gemini);
}
