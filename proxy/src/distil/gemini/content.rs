//! A `GenerateContentResponse`: the whole answer, or a part of it in a stream.

use std::borrow::Cow;

use ccxray_shared::{Name, entry::ToolCall};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{error::WireError, usage::WireUsage};
use crate::distil::{
    calls,
    lax::{Lax, object},
    learnt::{Learnt, PromptDigest},
    shell,
};

/// The response, or the wrapper around it.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Content<'a> {
    /// After a Google log-in everything is in here.
    #[serde(borrow)]
    pub(super) response: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) candidates: Lax<Vec<Lax<Candidate<'a>>>>,
    #[serde(borrow)]
    pub(super) prompt_feedback: Lax<PromptFeedback<'a>>,
    pub(super) usage_metadata: Lax<WireUsage>,
    #[serde(borrow)]
    pub(super) model_version: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) error: Lax<WireError<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    #[serde(borrow)]
    content: Lax<Message<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Lax<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    parts: Lax<Vec<Lax<Part<'a>>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PromptFeedback<'a> {
    #[serde(borrow)]
    block_reason: Lax<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) function_call: Lax<FunctionCall<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct FunctionCall<'a> {
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    args: Lax<Arguments<'a>>,
}

/// The tools that write files.
const WRITERS: [&str; 2] = ["replace", "write_file"];
/// The tool that runs a command.
const SHELL: &str = "run_shell_command";
/// The sub-agents that were tools of their own in older versions.
const AGENTS: [&str; 1] = ["codebase_investigator"];

/// The arguments that tell something.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Arguments<'a> {
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    agent_name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    prompt: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    command: Lax<Cow<'a, str>>,
}

object!(
    Content<'a>,
    Candidate<'a>,
    Message<'a>,
    PromptFeedback<'a>,
    Part<'a>,
    FunctionCall<'a>,
    Arguments<'a>
);

impl<'a> Candidate<'a> {
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part<'a>> {
        let parts = self.content.0.as_ref().and_then(|content| content.parts.0.as_ref());
        parts.into_iter().flatten().filter_map(|part| part.0.as_ref())
    }
}

impl PromptFeedback<'_> {
    /// Why the prompt was refused.
    pub(super) fn stop_reason(&self) -> Option<Name<'static>> {
        let reason = self.block_reason.name()?;
        Some(Name::from_string(format!("blockReason:{reason}")))
    }
}

impl Part<'_> {
    pub(super) fn says_something(&self) -> bool {
        self.function_call.0.is_some() || self.text.is_some_and(|text| text.get() != "\"\"")
    }
}

impl FunctionCall<'_> {
    /// The call; none if it names no tool.
    pub(super) fn call(&self) -> Option<ToolCall<'static>> {
        let name = self.name.0.as_deref()?;
        let mut call = ToolCall {
            writes_file: WRITERS.contains(&name),
            agent: AGENTS.contains(&name).then(|| Name::from_wire(name).into_owned()),
            ..calls::plain(name)
        };
        let Some(arguments) = &self.args.0 else { return Some(call) };
        match name {
            "activate_skill" => call.skill = arguments.name.name(),
            "invoke_agent" => call.agent = arguments.agent_name.name(),
            SHELL => {
                let patterns = arguments.command.0.as_deref().map(shell::patterns).unwrap_or_default();
                call.patterns = patterns.into_iter().map(Name::from_wire).collect();
            }
            _ => {}
        }
        Some(call)
    }

    /// With which prompt it starts a sub-agent.
    pub(super) fn teach(&self, call: &ToolCall<'static>, learnt: &mut Learnt) {
        let prompt = self.args.0.as_ref().and_then(|arguments| arguments.prompt.0.as_deref());
        if let (Some(prompt), Some(kind)) = (prompt, &call.agent) {
            learnt.agent(PromptDigest::of(prompt), kind.clone());
        }
    }
}
