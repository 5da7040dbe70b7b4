//! What a shell's command line does.

/// The names of the dangerous patterns in a command line.
pub fn patterns(_command: &str) -> Vec<&'static str> {
    Vec::new()
}
