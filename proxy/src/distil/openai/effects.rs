//! What a call does, as far as its arguments say. Their text goes no further than here.

use std::borrow::Cow;

use ccxray_shared::{Name, entry::ToolCall};
use serde::{Deserialize, de::SeqAccess};

use super::wording::PATCHED_FILE;
use crate::distil::{
    calls::Called,
    lax::{Lax, Shape, object},
    learnt::PromptDigest,
    script, shell,
};

/// The tools that run a command, through the versions of Codex.
const SHELLS: [&str; 5] = ["exec_command", "shell", "shell_command", "local_shell", "container.exec"];
/// The tool that runs a script (code mode).
const SCRIPT: &str = "exec";
/// The tool that changes files.
const PATCH: &str = "apply_patch";
/// The tool that starts a sub-agent, and the agent's type where the call does not say another.
const SPAWN: &str = "spawn_agent";
const DEFAULT_AGENT: &str = "default";

/// What a call hands over to its tool: the arguments in JSON, a hosted or local action, or a text.
#[derive(Debug, Default)]
pub(super) struct Input<'a> {
    pub(super) arguments: Option<&'a str>,
    pub(super) action: Option<&'a Arguments<'a>>,
    pub(super) text: Option<&'a str>,
}

/// The arguments that tell something.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct Arguments<'a> {
    #[serde(borrow)]
    cmd: Lax<Command<'a>>,
    #[serde(borrow)]
    command: Lax<Command<'a>>,
    #[serde(borrow)]
    agent_type: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    message: Lax<Cow<'a, str>>,
}

/// A command: a line for a shell, or its words.
#[derive(Debug)]
enum Command<'a> {
    Line(Cow<'a, str>),
    Words(Vec<Cow<'a, str>>),
}

object!(Arguments<'a>);

impl<'de: 'a, 'a> Shape<'de> for Command<'a> {
    fn from_text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self::Line(text))
    }

    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = seq.next_element::<Lax<Cow<'a, str>>>()? {
            words.extend(word.0);
        }
        Ok(Some(Self::Words(words)))
    }
}

/// Adds to `call` what `input` says that it does.
pub(super) fn add(input: &Input<'_>, call: &mut ToolCall<'static>) {
    let parsed: Option<Arguments<'_>> = input.arguments.and_then(|json| serde_json::from_str(json).ok());
    let arguments = parsed.as_ref().or(input.action);
    let name = call.name.clone();
    call.writes_file |= name.as_str() == PATCH;
    if let (SCRIPT, Some(script)) = (name.as_str(), input.text) {
        add_script(script, call);
    }
    let Some(arguments) = arguments else { return };
    if name.as_str() == SPAWN {
        call.agent = Some(arguments.agent_type.name().unwrap_or(Name::from_wire(DEFAULT_AGENT)));
    }
    let runs = SHELLS.contains(&name.as_str()) || input.action.is_some();
    let command = arguments.cmd.0.as_ref().or(arguments.command.0.as_ref());
    if let Some(command) = command.filter(|_| runs) {
        command.add_to(call);
    }
}

/// With which text `call` starts a sub-agent.
pub(super) fn prompt(input: &Input<'_>, call: &ToolCall<'_>) -> Option<PromptDigest> {
    let json = input.arguments.filter(|_| call.agent.is_some())?;
    serde_json::from_str::<Arguments<'_>>(json).ok()?.message.0.as_deref().map(PromptDigest::of)
}

/// The tool as a failure of the call is reported: behind its MCP server, and with the one MCP tool that a script calls.
pub(super) fn called(call: &ToolCall<'_>) -> Called {
    let namespace = call.namespace.as_deref().filter(|namespace| namespace.starts_with("mcp__"));
    let tool = match (namespace, &call.server) {
        (Some(namespace), _) => Name::from_string(format!("{namespace}__{}", call.name)),
        (None, Some(server)) => Name::from_string(format!("mcp__{server}__{}", call.name)),
        (None, None) => call.name.clone().into_owned(),
    };
    let only = call.scripted.first().filter(|first| call.scripted.iter().all(|tool| tool == *first));
    let scripted = only.filter(|tool| tool.starts_with("mcp__")).map(|tool| tool.clone().into_owned());
    Called { tool, scripted }
}

fn add_script(script: &str, call: &mut ToolCall<'static>) {
    for place in script::calls_in(script) {
        call.writes_file |= place.tool == PATCH;
        if let Some(line) = place.command.filter(|_| SHELLS.contains(&&*place.tool)) {
            Command::Line(line.into()).add_to(call);
        }
        call.scripted.push(Name::from_wire(&place.tool).into_owned());
    }
}

impl Command<'_> {
    fn add_to(&self, call: &mut ToolCall<'static>) {
        let patterns = match self {
            Self::Line(line) => shell::patterns(line),
            Self::Words(words) => shell::argv_patterns(&words.iter().map(|word| &**word).collect::<Vec<_>>()),
        };
        for pattern in patterns.into_iter().map(Name::from_wire) {
            if !call.patterns.contains(&pattern) {
                call.patterns.push(pattern);
            }
        }
        let line = self.line();
        if call.skill.is_none() {
            call.skill = shell::skill_read(&line).map(Name::from_string);
        }
        call.writes_file |= patches(&line);
    }

    /// The line that a shell gets to see.
    fn line(&self) -> Cow<'_, str> {
        match self {
            Self::Line(line) => Cow::Borrowed(line),
            Self::Words(words) => match &**words {
                [_, option, script] if matches!(&**option, "-c" | "-lc") => Cow::Borrowed(script),
                words => Cow::Owned(words.join(" ")),
            },
        }
    }
}

/// Whether a command is a patch in disguise: `apply_patch <<'EOF'`.
fn patches(line: &str) -> bool {
    let names_file = |line: &str| PATCHED_FILE.iter().any(|begin| line.starts_with(begin));
    line.contains(PATCH) && line.lines().any(names_file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distil::calls;

    fn call(tool: &str, arguments: Option<&str>, text: Option<&str>) -> ToolCall<'static> {
        let mut call = calls::plain(tool);
        add(&Input { arguments, text, action: None }, &mut call);
        call
    }

    fn patterns(tool: &str, arguments: &str) -> Vec<String> {
        call(tool, Some(arguments), None).patterns.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn commands_are_looked_at_in_all_their_forms() {
        for arguments in [
            r#"{"cmd":"rm -rf x"}"#,
            r#"{"command":"rm -rf x && rm -rf y","workdir":"/a"}"#,
            r#"{"command":["bash","-lc","rm -rf x"]}"#,
            r#"{"command":["rm","-rf","x"]}"#,
        ] {
            assert_eq!(patterns("exec_command", arguments), ["recursive_delete"], "{arguments}");
        }
        for none in [r#"{"cmd":"rm x"}"#, r#"{"cmd":7}"#, "{", "[]", ""] {
            assert_eq!(patterns("shell", none), Vec::<String>::new(), "{none}");
        }
        assert_eq!(patterns("my_tool", r#"{"cmd":"rm -rf x"}"#), Vec::<String>::new());
    }

    #[test]
    fn a_command_that_reads_a_skill_uses_it() {
        let skill = |arguments| call("shell", Some(arguments), None).skill.map(|skill| skill.to_string());
        assert_eq!(skill(r#"{"command":["bash","-lc","cat ~/s/pdf/SKILL.md"]}"#).as_deref(), Some("pdf"));
        assert_eq!(skill(r#"{"command":["cat","s/pdf/SKILL.md"]}"#).as_deref(), Some("pdf"));
        assert_eq!(skill(r#"{"command":"ls s/pdf"}"#), None);
    }

    #[test]
    fn a_spawned_agent_is_of_the_type_that_the_call_says_or_of_the_default_one() {
        let agent = |arguments| call("spawn_agent", Some(arguments), None).agent.map(|kind| kind.to_string());
        assert_eq!(agent(r#"{"agent_type":"worker","message":"m"}"#).as_deref(), Some("worker"));
        assert_eq!(agent(r#"{"task_name":"t","message":"m"}"#).as_deref(), Some("default"));
        assert_eq!(agent(""), None, "the call has only begun");
    }

    #[test]
    fn a_failed_script_is_also_its_only_tools_failure_if_that_is_an_mcp_one() {
        let scripted = |script| {
            let Called { tool, scripted } = called(&call("exec", None, Some(script)));
            assert_eq!(tool.as_str(), "exec", "{script}");
            scripted.map(|tool| tool.to_string())
        };
        assert_eq!(scripted("tools.mcp__a__x({}); tools.mcp__a__x({})").as_deref(), Some("mcp__a__x"));
        for script in ["tools.mcp__a__x({}); tools.mcp__a__y({})", "tools.exec_command({cmd: 'ls'})", "1"] {
            assert_eq!(scripted(script), None, "{script}");
        }
        let tool = |namespace| {
            let namespace = Some(Name::from_wire(namespace));
            called(&ToolCall { namespace, ..calls::plain("x") }).tool.to_string()
        };
        assert_eq!(tool("mcp__a"), "mcp__a__x");
        assert_eq!(tool("collaboration"), "x");
    }
}
