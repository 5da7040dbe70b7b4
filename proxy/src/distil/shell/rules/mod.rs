//! The rules: one per pattern, each over a call's name, options, operands and what flows into it.

mod credentials;
mod database;
mod disk;
mod files;
mod fork;
mod git;
mod network;
mod reading;

pub(super) use self::reading::files_read;
use super::{call::Call, pattern::Pattern};

type Rule = fn(&Call<'_>) -> bool;

const RULES: [(Pattern, Rule); Pattern::ALL.len()] = [
    (Pattern::RecursiveDelete, files::deletes_recursively),
    (Pattern::ForcePush, git::pushes_by_force),
    (Pattern::HardReset, git::resets_hard),
    (Pattern::GitClean, git::cleans),
    (Pattern::HistoryRewrite, git::rewrites_history),
    (Pattern::DropTable, database::drops_a_table),
    (Pattern::PipeToShell, network::runs_what_it_fetches),
    (Pattern::WorldWritable, files::lets_everybody_write),
    (Pattern::DiskOverwrite, disk::overwrites_a_disk),
    (Pattern::CredentialRead, credentials::reads_a_credential),
    (Pattern::ForkBomb, fork::starts_itself_twice),
];

/// The patterns that a call matches.
pub(super) fn matching(call: &Call<'_>) -> impl Iterator<Item = Pattern> {
    RULES.iter().filter(|(_, matches)| matches(call)).map(|&(pattern, _)| pattern)
}
