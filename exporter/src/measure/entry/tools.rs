//! Tools, MCP servers and skills.

use ccxray_shared::{
    entry::{ToolCall, ToolCalls, ToolResults},
    name::MALFORMED,
};

use super::{OVERFLOW, Recorder, Sink};
use crate::{
    classify::{
        mcp::{self, Mcp},
        tool_name,
    },
    measure::{Key, Metric},
};

impl<S: Sink> Recorder<'_, S> {
    pub(super) fn tools(&mut self) {
        let entry = self.classified.entry;
        if let Some(tools) = &entry.tools {
            self.calls(tools);
        }
        if let Some(results) = &entry.results {
            self.failures(results);
        }
        for skill in &entry.skills {
            self.skill(skill);
        }
    }

    fn calls(&mut self, tools: &ToolCalls<'_>) {
        for call in &tools.calls {
            self.record(Metric::ToolInvocations, &[(Key::Tool, &tool_name::full(call)), self.provider()], 1);
            self.mcp_calls(call);
            if let Some(skill) = &call.skill {
                self.skill(skill);
            }
        }
        let unreadable = u64::from(tools.unreadable);
        let named = tools.calls.len() as u64 + unreadable;
        let unlisted = u64::from(tools.blocks).saturating_sub(named);
        self.nameless_calls(MALFORMED, unreadable);
        self.nameless_calls(OVERFLOW, unlisted);
    }

    fn nameless_calls(&mut self, word: &str, calls: u64) {
        if calls > 0 {
            self.record(Metric::ToolInvocations, &[(Key::Tool, word), self.provider()], calls);
        }
    }

    /// The call itself, and those of the script in it.
    fn mcp_calls(&mut self, call: &ToolCall<'_>) {
        let provider = self.classified.entry.provider;
        let scripted = call.scripted.iter().map(|name| mcp::of_name(provider, name));
        for mcp in std::iter::once(mcp::of_call(provider, call)).chain(scripted) {
            if let Mcp::Tool { server, tool } = mcp {
                self.record(Metric::McpInvocations, &[(Key::Server, &server), (Key::Tool, &tool)], 1);
            }
        }
    }

    fn failures(&mut self, results: &ToolResults<'_>) {
        let provider = self.classified.entry.provider;
        for tool in &results.failed_tools {
            self.failure(&tool_name::failed(provider, tool), 1);
        }
        for tool in results.failed_tools.iter().chain(&results.failed_scripted) {
            if let Mcp::Tool { server, .. } = mcp::of_name(provider, tool) {
                self.record(Metric::McpErrors, &[(Key::Server, &server)], 1);
            }
        }
        let unlisted = u64::from(results.failed).saturating_sub(results.failed_tools.len() as u64);
        if unlisted > 0 {
            self.failure(OVERFLOW, unlisted);
        }
    }

    fn failure(&mut self, tool: &str, count: u64) {
        self.record(Metric::ToolFailures, &[(Key::Tool, tool), self.provider()], count);
    }

    fn skill(&mut self, skill: &str) {
        self.record(Metric::SkillActivations, &[(Key::Skill, skill), self.provider()], 1);
    }
}
