//! What a shell's command line does.

/// The names of the dangerous patterns in a command line.
pub fn patterns(_command: &str) -> Vec<&'static str> {
    Vec::new()
}

/// The same for a command in words.
pub fn argv_patterns(_argv: &[&str]) -> Vec<&'static str> {
    Vec::new()
}

/// The skill whose instructions a command line reads.
pub fn skill_read(_command: &str) -> Option<String> {
    None
}
