//! What an answer teaches for the requests that follow it. It is remembered and never written down.

use ccxray_shared::{
    Name,
    entry::MAX_LISTED,
    key::{HashOf, Key},
};

use super::calls::Called;

/// The longest id of a call that is remembered.
pub(super) const MAX_ID: usize = 256;

/// What is to be remembered of an answer; bounded as its list of calls is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// The ids of its calls, each with the tool as a failed result shall list it.
    pub(super) calls: Vec<(String, Called)>,
    /// The prompts of the sub-agents that it starts, each with the agent's type.
    pub(super) agents: Vec<(PromptDigest, Name<'static>)>,
}

impl Learnt {
    /// `tool` was called under `id`.
    pub(super) fn call(&mut self, id: &str, tool: impl Into<Called>) {
        if self.calls.len() < MAX_LISTED && id.len() <= MAX_ID {
            self.calls.push((id.to_owned(), tool.into()));
        }
    }

    /// An agent of this type was started with the prompt.
    pub(super) fn agent(&mut self, prompt: PromptDigest, kind: Name<'static>) {
        if self.agents.len() < MAX_LISTED {
            self.agents.push((prompt, kind));
        }
    }
}

/// Stands for the prompt of a sub-agent where no key is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PromptDigest([u8; 32]);

impl PromptDigest {
    /// Of a prompt, whatever white space is around it.
    pub(super) fn of(prompt: &str) -> Self {
        Self(*blake3::hash(prompt.trim().as_bytes()).as_bytes())
    }

    /// What is compared and kept.
    pub(super) fn keyed(self, key: &Key) -> Name<'static> {
        key.hash(HashOf::Prompt, &self.0)
    }
}
