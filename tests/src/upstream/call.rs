//! A tool call, and what the script means by it.

use serde_json::Value;

/// A call that an answer makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Tells the call's result apart from others; given when the answer is written down.
    pub id: String,
    /// The tool, as sent.
    pub name: String,
    /// What stands beside the name, for Codex's tools that are not its own.
    pub namespace: Option<String>,
    /// What the tool is called with. Where Codex takes a text instead of an object, a text.
    pub input: Value,
    /// What it is for.
    pub means: Means,
}

/// What a call is for, in the words of whoever wrote the script. Nobody reads this out of the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// The tools of MCP servers that it calls: the server and the tool, one for each time.
    pub mcp: Vec<(String, String)>,
    /// The skill that it activates.
    pub skill: Option<String>,
    /// The sub-agent that it starts.
    pub starts: Option<Started>,
    /// The dangerous things that it does.
    pub dangers: Vec<String>,
    /// Whether it writes a file.
    pub writes: bool,
    /// Whether it fails in a way that the client states in words, where the wire has no mark for it.
    pub fails: bool,
    /// Whether the provider itself does it, so that no result is awaited.
    pub hosted: bool,
}

/// A sub-agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Started {
    /// Its type.
    pub kind: String,
    /// What it is told, unlike what any other is told.
    pub prompt: String,
}

impl Call {
    /// A call of this tool that means nothing in particular.
    pub fn new(name: &str, input: Value) -> Self {
        Self { name: name.into(), input, ..Self::default() }
    }

    /// In this namespace.
    #[must_use]
    pub fn within(self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.into()), ..self }
    }

    /// It calls this tool of an MCP server.
    #[must_use]
    pub fn mcp(mut self, server: &str, tool: &str) -> Self {
        self.means.mcp.push((server.into(), tool.into()));
        self
    }

    /// It activates a skill.
    #[must_use]
    pub fn skill(mut self, skill: &str) -> Self {
        self.means.skill = Some(skill.into());
        self
    }

    /// It starts a sub-agent of this type, which is told this.
    #[must_use]
    pub fn starts(mut self, kind: &str, prompt: &str) -> Self {
        self.means.starts = Some(Started { kind: kind.into(), prompt: prompt.into() });
        self
    }

    /// It does something dangerous.
    #[must_use]
    pub fn danger(mut self, pattern: &str) -> Self {
        self.means.dangers.push(pattern.into());
        self
    }

    /// It writes a file.
    #[must_use]
    pub fn writes(mut self) -> Self {
        self.means.writes = true;
        self
    }

    /// It fails, and the client says so in words.
    #[must_use]
    pub fn fails(mut self) -> Self {
        self.means.fails = true;
        self
    }

    /// The provider does it itself.
    #[must_use]
    pub fn hosted(mut self) -> Self {
        self.means.hosted = true;
        self
    }

    /// The tool's full name: an MCP server's namespace is a part of it.
    pub fn full_name(&self) -> String {
        match &self.namespace {
            Some(namespace) if namespace.starts_with("mcp__") => format!("{namespace}__{}", self.name),
            _ => self.name.clone(),
        }
    }

    pub(super) fn with_id(&self, id: String) -> Self {
        Self { id, ..self.clone() }
    }
}
