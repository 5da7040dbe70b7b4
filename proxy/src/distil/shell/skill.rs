//! A skill's instructions, read with a shell command.

use super::{call::Call, rules::files_read};

/// The name of the file in a skill's directory that tells how it is used.
const INSTRUCTIONS: &str = "SKILL.md";

/// The skill whose instructions a call reads.
pub(super) fn read_by(call: &Call<'_>) -> Option<String> {
    files_read(call).into_iter().find_map(skill_of).map(str::to_owned)
}

fn skill_of(path: &str) -> Option<&str> {
    let mut parts = path.rsplit(['/', '\\']);
    let file = parts.next()?;
    let directory = parts.next()?;
    // A pattern or a variable names no skill.
    let is_name = !directory.is_empty() && !directory.contains(['*', '?', '$', '{', '[']);
    (file == INSTRUCTIONS && is_name && directory != "." && directory != "..").then_some(directory)
}
