//! The status over and over.

use std::{
    io::{self, Write},
    time::Duration,
};

/// Time between two looks.
pub(super) const INTERVAL: Duration = Duration::from_secs(2);

/// How one status follows another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// On a terminal, in the place of the one before.
    Redrawn,
    /// In a file or a pipe, after the one before.
    Repeated,
}

impl Watch {
    /// Shows `text`. An error means that nobody looks any more.
    pub(super) fn show(self, text: &str, is_json: bool, out: &mut impl Write) -> io::Result<()> {
        match self {
            // Line by line, each cleared to its end and the rest at last: clearing all first would flicker.
            Self::Redrawn if !is_json => {
                let lines = text.replace('\n', "\x1b[K\n");
                write!(out, "\x1b[H{lines}\x1b[J")?;
            }
            Self::Redrawn | Self::Repeated if is_json => out.write_all(text.as_bytes())?,
            Self::Redrawn | Self::Repeated => writeln!(out, "{text}")?,
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(watch: Watch, text: &str, is_json: bool) -> String {
        let mut out = Vec::new();
        watch.show(text, is_json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_terminal_is_drawn_over_and_a_pipe_gets_plain_blocks() {
        assert_eq!(shown(Watch::Redrawn, "a\nb\n", false), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
        assert_eq!(shown(Watch::Repeated, "a\nb\n", false), "a\nb\n\n");
        assert_eq!(shown(Watch::Redrawn, "{}\n", true), "{}\n");
    }
}
