//! The rules by which entries are given their meaning: data, not code.
//!
//! One file in `exporter/data` for each matter, embedded in the program; a file of the same name in a directory of the
//! user's takes its place. Each says which version it has and against which clients it was verified, and holds
//! examples, which are checked whenever it is read.

mod data_file;
mod error;
mod form;
mod per_provider;
mod unique;
mod verified;
mod words;

use std::{collections::BTreeMap, sync::OnceLock};

pub(super) use self::{
    data_file::{DataFile, Example, expected},
    per_provider::PerProvider,
    unique::UniqueMap,
    words::words,
};
pub use self::{
    error::RulesError,
    form::FormError,
    verified::{FileFacts, Verified},
};
use super::{
    agent_type::AgentTypes, context_window::Windows, error_type::ErrorWords, known_tools::KnownTools,
    mcp::McpNaming, notes::NoteKinds, permission::PermissionModes, skill::SkillTools, stop_reason::StopWords,
    subagent::SubagentTools,
};

/// All rules.
#[derive(Debug)]
pub struct Rules {
    pub(super) tools: KnownTools,
    pub(super) mcp: McpNaming,
    pub(super) skills: SkillTools,
    pub(super) subagents: SubagentTools,
    pub(super) agent_types: AgentTypes,
    pub(super) stop_reasons: StopWords,
    pub(super) errors: ErrorWords,
    pub(super) permission_modes: PermissionModes,
    pub(super) windows: Windows,
    pub(super) notes: NoteKinds,
    files: Vec<FileFacts>,
}

/// The rules of this process.
static CURRENT: OnceLock<Rules> = OnceLock::new();

impl Rules {
    /// The names of the files.
    pub const NAMES: [&str; 10] = [
        KnownTools::NAME,
        McpNaming::NAME,
        SkillTools::NAME,
        SubagentTools::NAME,
        AgentTypes::NAME,
        StopWords::NAME,
        ErrorWords::NAME,
        PermissionModes::NAME,
        Windows::NAME,
        NoteKinds::NAME,
    ];

    /// The rules that this build carries.
    ///
    /// # Panics
    /// Never: a test reads the same bytes.
    pub fn embedded() -> Self {
        Self::with(&BTreeMap::new()).expect("the embedded rules are well-formed")
    }

    /// The embedded rules, but for the files of which `replaced` has a text, by name.
    ///
    /// # Errors
    /// If a text is not what the file of that name should be, or its own examples do not hold.
    pub fn with(replaced: &BTreeMap<String, String>) -> Result<Self, RulesError> {
        let mut files = Vec::new();
        Ok(Self {
            tools: data_file::load(replaced, &mut files)?,
            mcp: data_file::load(replaced, &mut files)?,
            skills: data_file::load(replaced, &mut files)?,
            subagents: data_file::load(replaced, &mut files)?,
            agent_types: data_file::load(replaced, &mut files)?,
            stop_reasons: data_file::load(replaced, &mut files)?,
            errors: data_file::load(replaced, &mut files)?,
            permission_modes: data_file::load(replaced, &mut files)?,
            windows: data_file::load(replaced, &mut files)?,
            notes: data_file::load(replaced, &mut files)?,
            files,
        })
    }

    /// The rules of this process: those that were [installed](Self::install), else the embedded ones.
    pub fn current() -> &'static Self {
        CURRENT.get_or_init(Self::embedded)
    }

    /// Makes these the rules of this process, if it has not used any yet; to be done when it starts. Whether they are.
    pub fn install(self) -> bool {
        CURRENT.set(self).is_ok()
    }

    /// The files that they were read from.
    pub fn files(&self) -> &[FileFacts] {
        &self.files
    }
}

#[cfg(test)]
mod tests;
