//! The contents of a request: their count, the tool results that are new, and how the conversation begins and ends.

use std::borrow::Cow;

use serde::{
    Deserialize,
    de::{IgnoredAny, SeqAccess},
};
use serde_json::value::RawValue;

use super::wording::{CLOSING_LINES, EXIT_CODE};
use crate::distil::{
    lax::{Lax, Shape, object},
    results::Reported,
    words::Words,
};

/// The tool that runs commands.
const SHELL: &str = "run_shell_command";

/// What is kept of a request's contents, borrowed from its body.
#[derive(Default)]
pub(super) struct Conversation<'a> {
    /// How many contents.
    pub(super) contents: u32,
    /// The first two texts of the user's side: what the client says of the session, and the first prompt.
    pub(super) first_texts: Vec<Words<'a>>,
    /// The last text of the user's side.
    pub(super) last_text: Option<Words<'a>>,
    /// The results behind the last content of the model.
    fresh: Vec<FunctionResult<'a>>,
}

struct FunctionResult<'a> {
    /// Its id; where there is none, its place in the conversation, which stays the same.
    call: Cow<'a, str>,
    name: Option<Cow<'a, str>>,
    response: Response<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Content<'a> {
    #[serde(borrow)]
    role: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    parts: Lax<Vec<Lax<Part<'a>>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    function_response: Lax<FunctionResponse<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FunctionResponse<'a> {
    #[serde(borrow)]
    id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    response: Lax<Response<'a>>,
}

/// A failure has an `error` in the place of an `output`. That of a command is only told in the output's words.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Response<'a> {
    error: Option<IgnoredAny>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
}

object!(Content<'a>, Part<'a>, FunctionResponse<'a>, Response<'a>);

impl<'de: 'a, 'a> Shape<'de> for Conversation<'a> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut conversation = Self::default();
        while let Some(content) = seq.next_element::<Lax<Content<'a>>>()? {
            conversation.add(content.0.unwrap_or_default());
        }
        Ok(Some(conversation))
    }
}

impl<'a> Conversation<'a> {
    /// The results that are new.
    pub(super) fn results(&self) -> impl Iterator<Item = Reported<'_>> {
        self.fresh
            .iter()
            .map(|result| Reported { call: Cow::Borrowed(&result.call), failed: result.failed() })
    }

    /// The tool that was called under `id`.
    pub(super) fn tool_called(&self, id: &str) -> Option<&str> {
        self.fresh.iter().find(|result| result.call == id)?.name.as_deref()
    }

    fn add(&mut self, content: Content<'a>) {
        self.contents = self.contents.saturating_add(1);
        if content.role.0.as_deref() == Some("model") {
            self.fresh.clear();
            return;
        }
        for (place, part) in content.parts.0.unwrap_or_default().into_iter().enumerate() {
            let part = part.0.unwrap_or_default();
            if let Some(text) = part.text.map(Words::Raw) {
                if self.first_texts.len() < 2 {
                    self.first_texts.push(text.clone());
                }
                self.last_text = Some(text);
            }
            if let Some(response) = part.function_response.0 {
                self.fresh.push(response.result(self.contents, place));
            }
        }
    }
}

impl<'a> FunctionResponse<'a> {
    fn result(self, content: u32, part: usize) -> FunctionResult<'a> {
        let id = self.id.0.filter(|id| !id.is_empty());
        FunctionResult {
            call: id.unwrap_or_else(|| format!("{content}.{part}").into()),
            name: self.name.0,
            response: self.response.0.unwrap_or_default(),
        }
    }
}

impl FunctionResult<'_> {
    fn failed(&self) -> bool {
        let is_command = self.name.as_deref() == Some(SHELL);
        let output = self.response.output.filter(|_| is_command).map(Words::Raw);
        self.response.error.is_some() || output.is_some_and(|output| states_failure(&output.decoded()))
    }
}

/// Whether the last lines of a command's output, which the client adds, state an exit code that is a failure.
fn states_failure(output: &str) -> bool {
    let codes = output.lines().rev().take(CLOSING_LINES).filter_map(|line| line.strip_prefix(EXIT_CODE));
    codes.filter_map(|code| code.trim().parse::<i64>().ok()).any(|code| code != 0)
}
