//! Files and replies that the exporter reads.

use std::{fs, time::Duration};

use bytes::Bytes;
use ccxray_exporter::{
    checkpoint::{Loaded, Store},
    classify::price_table::PriceTable,
    deliver::{outcome, retry_after, transport::Reply},
};
use ccxray_shared::UnixMillis;

use crate::cuts::split;

const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

/// A file of prices is read, or refused with a reason.
pub fn prices(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Err(error) = PriceTable::parse(text) {
        assert!(!error.to_string().is_empty());
    }
}

/// `Retry-After` never asks for more than is believed, nor for nothing where it is a date.
pub fn retry_after(data: &[u8]) {
    let Ok(value) = str::from_utf8(data) else { return };
    let wait = retry_after::parse(value, NOW);
    assert!(wait.is_none_or(|wait| wait <= retry_after::LONGEST));
    assert!(wait != Some(Duration::ZERO) || value.trim().bytes().all(|byte| byte == b'0'));
}

/// Whatever a destination replies has an outcome.
pub fn reply(data: &[u8]) {
    let Some((choice, body)) = split(data) else { return };
    let content_type = ["application/x-protobuf", "application/json", "text/html"][choice % 3];
    for status in [200, 202, 301, 400, 413, 422, 429, 503] {
        let reply = Reply {
            status,
            content_type: Some(content_type.to_owned()),
            retry_after: String::from_utf8(body.to_vec()).ok(),
            body: Bytes::copy_from_slice(body),
        };
        let _ = outcome::classify(&Ok(reply), NOW);
    }
}

/// A checkpoint is read, or damaged, with and without a right checksum; what was read can be read again.
pub fn checkpoint(data: &[u8]) {
    load(data);
    let head = format!("ccxray-checkpoint 1 {} {:08x}\n", data.len(), crc32fast::hash(data));
    let Some(Loaded::Current(state)) = load(&[head.as_bytes(), data].concat()) else { return };
    let written = serde_json::to_vec(&state).expect("what was read can be written");
    assert_eq!(*state, serde_json::from_slice(&written).expect("what was written can be read"));
}

fn load(file: &[u8]) -> Option<Loaded> {
    thread_local!(static DIR: tempfile::TempDir = tempfile::tempdir().expect("a directory can be made"));
    DIR.with(|dir| {
        fs::write(dir.path().join("checkpoint"), file).expect("the file can be written");
        Store::new(dir.path()).peek().ok()
    })
}
