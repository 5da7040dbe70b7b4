//! A scratch place for everything that the daemons of one test keep.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Removed when dropped. Holds a state directory, a home directory, a project, ready files and logs, all
/// apart.
#[derive(Debug)]
pub struct State(TempDir);

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    /// A fresh one.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("ccxray-test-")
            .tempdir()
            .expect("a scratch directory can be made");
        let state = Self(dir);
        for dir in [state.home(), state.project()] {
            std::fs::create_dir(dir).expect("the scratch directory can be written");
        }
        std::fs::write(state.project().join("README.md"), "# A scratch project\n")
            .expect("the scratch directory can be written");
        state
    }

    /// All of it.
    pub fn root(&self) -> &Path {
        self.0.path()
    }

    /// What `--state-dir` gets.
    pub fn dir(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// A project for agents to work in, with a README.
    pub fn project(&self) -> PathBuf {
        self.0.path().join("project")
    }

    /// What `HOME` gets.
    pub fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }
}
