//! A real agent, to be started as its users start it.

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitStatus},
};

use serde_json::{Value, json};

use super::installed::program;
use crate::daemons::{Process, Proxy, State, binary};

/// A proxy for HTTPS where nobody listens: what an agent asks beside its provider goes nowhere.
const NOWHERE: &str = "http://127.0.0.1:9";

/// An agent, and with what it is started.
#[derive(Clone, Debug)]
pub struct Agent {
    name: &'static str,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    settings: Option<(PathBuf, Value)>,
    prompt: Option<String>,
}

impl Agent {
    /// Claude Code, which may use its tools.
    pub fn claude_code(key: &str) -> Self {
        let agent = Self::of("claude").arguments(["--model", "claude-opus-4-8", "--allowedTools"]);
        let agent = agent.arguments(["Agent,Bash,Edit,Read,Skill,WebSearch,Write,mcp__demo"]);
        let quiet = [
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
            "DISABLE_AUTOUPDATER",
            "DISABLE_ERROR_REPORTING",
            "DISABLE_TELEMETRY",
        ];
        quiet.iter().fold(agent.variable("ANTHROPIC_API_KEY", key), |agent, name| agent.variable(name, "1"))
    }

    /// Codex, which may do anything.
    pub fn codex(key: &str, model: &str) -> Self {
        let agent = Self::of("codex").arguments(["exec", "--skip-git-repo-check"]);
        let agent =
            agent.setting("analytics.enabled", "false").setting("check_for_update_on_startup", "false");
        agent.arguments(["-m", model]).variable("CODEX_API_KEY", key)
    }

    /// Gemini CLI. In one process, so that its end is the end of all of it.
    pub fn gemini_cli(key: &str, model: &str) -> Self {
        let settings = json!({
            "security": {"auth": {"selectedType": "gemini-api-key"}},
            "privacy": {"usageStatisticsEnabled": false},
            "telemetry": {"enabled": false},
            "general": {"enableAutoUpdate": false, "enableAutoUpdateNotification": false},
        });
        let mut agent = Self::of("gemini").arguments(["--skip-trust", "-m", model]);
        agent.settings = Some((".gemini/settings.json".into(), settings));
        agent.variable("GEMINI_API_KEY", key).variable("GEMINI_CLI_NO_RELAUNCH", "true")
    }

    /// With these arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// With this environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// With this setting of Codex's, its value in TOML.
    #[must_use]
    pub fn setting(self, name: &str, value: &str) -> Self {
        self.arguments(["-c", &format!("{name}={value}")])
    }

    /// With this in Gemini CLI's file of settings.
    #[must_use]
    pub fn stored_setting(mut self, name: &str, value: Value) -> Self {
        let (_, settings) = self.settings.as_mut().expect("only Gemini CLI has stored settings here");
        settings[name] = value;
        self
    }

    /// To be told this.
    #[must_use]
    pub fn told(self, prompt: &str) -> Self {
        Self { prompt: Some(prompt.into()), ..self }
    }

    /// With the MCP server `demo` of [`Project`](super::Project).
    #[must_use]
    pub fn with_mcp_server(self, server: &str) -> Self {
        match self.name {
            "claude" => {
                let servers = json!({"mcpServers": {"demo": {"command": "python3", "args": [server]}}});
                self.arguments(["--strict-mcp-config", "--mcp-config", &servers.to_string()])
            }
            "codex" => self
                .setting("mcp_servers.demo.command", "\"python3\"")
                .setting("mcp_servers.demo.args", &json!([server]).to_string()),
            _ => self.stored_setting(
                "mcpServers",
                json!({"demo": {"command": "python3", "args": [server], "trust": true}}),
            ),
        }
    }

    /// Lets it hold its conversation in the scratch project, started as `ccxray-proxy run` starts it, and returns how it
    /// ended and what it printed.
    pub async fn run(self, state: &State, proxy: &Proxy) -> (ExitStatus, String) {
        if let Some((path, settings)) = &self.settings {
            let path = state.home().join(path);
            fs::create_dir_all(path.parent().expect("a file is in a directory"))
                .and_then(|()| fs::write(path, settings.to_string()))
                .expect("the scratch directory can be written");
        }
        let mut command = Command::new(binary("ccxray-proxy"));
        command.args(["run", "--proxy", &proxy.url(), "--"]);
        command.arg(program(self.name).expect("the test has asked whether it is installed"));
        command.args(&self.arguments).args(self.prompt_arguments()).current_dir(state.project());
        let mut process = Process::start(command, state.root(), &self.variables);
        let status = process.ended().await;
        (status, process.said())
    }

    /// The same, of a conversation that goes well. Panics if it does not.
    pub async fn converse(self, state: &State, proxy: &Proxy) -> String {
        let name = self.name;
        let (status, said) = self.run(state, proxy).await;
        assert!(status.success(), "{name} ended with {status}:\n{said}");
        said
    }

    fn prompt_arguments(&self) -> Vec<String> {
        let Some(prompt) = self.prompt.clone() else { return vec![] };
        match self.name {
            "codex" => vec![prompt],
            "claude" => vec!["--print".into(), prompt],
            _ => vec!["-p".into(), prompt],
        }
    }

    fn of(name: &'static str) -> Self {
        let agent = Self { name, arguments: vec![], variables: vec![], settings: None, prompt: None };
        agent.variable("HTTPS_PROXY", NOWHERE)
    }
}
