//! What agents find in the scratch project.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::daemons::State;

/// An MCP server on stdin and stdout, with one tool that works and one that fails.
const MCP_SERVER: &str = include_str!("mcp_server.py");

/// The scratch project of a test.
#[derive(Clone, Debug)]
pub struct Project(PathBuf);

impl Project {
    /// That of this test.
    pub fn of(state: &State) -> Self {
        Self(state.project())
    }

    /// Puts an MCP server into it, with the tools `echo`, which says the text that it is given, and `fail`, which never
    /// works; returns its path.
    #[must_use]
    pub fn mcp_server(&self) -> String {
        self.write("mcp_server.py", MCP_SERVER);
        self.path("mcp_server.py")
    }

    /// Puts a skill into it where all clients look for skills.
    pub fn skill(&self, name: &str, body: &str) {
        let text =
            format!("---\nname: {name}\ndescription: Greets. Use it to greet somebody.\n---\n\n{body}\n");
        for dir in [".claude", ".agents", ".gemini"] {
            self.write(&format!("{dir}/skills/{name}/SKILL.md"), &text);
        }
    }

    /// Puts an agent type of Claude Code's into it.
    pub fn agent_type(&self, name: &str, body: &str) {
        let text = format!("---\nname: {name}\ndescription: Looks after small things.\n---\n\n{body}\n");
        self.write(&format!(".claude/agents/{name}.md"), &text);
    }

    /// The absolute path of a file in it.
    pub fn path(&self, file: &str) -> String {
        self.0.join(file).display().to_string()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))
            .and_then(|()| fs::write(path, text))
            .expect("the scratch project can be written");
    }
}
