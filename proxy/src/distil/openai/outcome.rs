//! Whether a tool's output says that it failed. The wire has no mark for it: what counts is how Codex words its outputs.

use std::borrow::Cow;

use serde::{Deserialize, de::SeqAccess};
use serde_json::value::RawValue;

use super::wording::{EXIT_CODE, FAILED, OUTPUT};
use crate::distil::lax::{Lax, Shape, object};

/// Whether `output` states a failure.
pub(super) fn is_failure(output: &RawValue) -> bool {
    let Ok(Lax(Some(Output(texts)))) = serde_json::from_str(output.get()) else { return false };
    texts.iter().any(|text| states_failure(text))
}

/// An output: a text, or a list of blocks with texts.
struct Output<'a>(Vec<Cow<'a, str>>);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Block<'a> {
    #[serde(borrow)]
    text: Lax<Cow<'a, str>>,
}

/// What a script or an older shell tool states in JSON.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    exit_code: Lax<i64>,
    metadata: Lax<Metadata>,
    #[serde(rename = "isError")]
    is_error: Lax<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    exit_code: Lax<i64>,
}

object!(Block<'a>, Status, Metadata);

impl<'de: 'a, 'a> Shape<'de> for Output<'a> {
    fn from_text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(vec![text]))
    }

    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut texts = Vec::new();
        while let Some(block) = seq.next_element::<Lax<Block<'a>>>()? {
            texts.extend(block.0.and_then(|block| block.text.0));
        }
        Ok(Some(Self(texts)))
    }
}

fn states_failure(text: &str) -> bool {
    if text.starts_with('{') {
        return serde_json::from_str::<Lax<Status>>(text)
            .is_ok_and(|status| status.0.is_some_and(Status::failed));
    }
    if text.starts_with('[') {
        // What a script has made of several calls.
        let list = serde_json::from_str::<Lax<Vec<Lax<Status>>>>(text);
        let list = list.ok().and_then(|list| list.0).unwrap_or_default();
        return list.into_iter().filter_map(|status| status.0).any(Status::failed);
    }
    let mut head = text.lines().take_while(|line| *line != OUTPUT).take(8);
    FAILED.iter().any(|begin| text.starts_with(begin))
        || head.any(|line| exit_code(line).is_some_and(|code| code != 0))
}

impl Status {
    fn failed(self) -> bool {
        let nested = self.metadata.0.and_then(|metadata| metadata.exit_code.0);
        self.is_error.0 == Some(true) || self.exit_code.0.or(nested).is_some_and(|code| code != 0)
    }
}

fn exit_code(line: &str) -> Option<i64> {
    EXIT_CODE.iter().find_map(|begin| line.strip_prefix(begin))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json, value::to_raw_value};

    use super::*;

    fn failed(output: &Value) -> bool {
        is_failure(&to_raw_value(output).unwrap())
    }

    #[test]
    fn a_failure_is_stated_in_the_head_of_the_output() {
        for output in [
            json!("Chunk ID: 1\nWall time: 0.1 seconds\nProcess exited with code 2\nOutput:\nx"),
            json!("Exit code: 1\nWall time: 0 seconds\nOutput:\nno such file"),
            json!("unsupported call: hammer"),
            json!("{\"output\":\"x\",\"metadata\":{\"exit_code\":-1}}"),
            json!([{"type": "input_text", "text": "Script completed"}, {"type": "input_text", "text": "{\"exit_code\":3}"}]),
            json!([{"type": "input_text", "text": "{\"content\":[],\"isError\":true}"}]),
            json!([{"type": "input_text", "text": "[{\"exit_code\":0},{\"exit_code\":1}]"}]),
            json!([{"type": "input_text", "text": "Script failed\nWall time 0.1 seconds\nOutput:\n"}]),
        ] {
            assert!(failed(&output), "{output}");
        }
    }

    #[test]
    fn what_a_command_prints_is_no_statement() {
        for output in [
            json!("Process exited with code 0\nOutput:\nProcess exited with code 1"),
            json!("Exit code: 0\nOutput:\nExit code: 1"),
            json!("{\"exit_code\":0,\"output\":\"\\\"exit_code\\\":1\"}"),
            json!("the log says: Exit code: 1"),
            json!("Exit code: one"),
            json!("{\"exit_code\":1"),
            json!("[1, {\"exit_code\":0}]"),
            json!("[{\"exit_code\":1}, x"),
            json!([{"type": "input_image"}, 3, null]),
            json!(null),
            json!({"exit_code": 1}),
        ] {
            assert!(!failed(&output), "{output}");
        }
    }
}
