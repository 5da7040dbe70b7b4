//! Skills that the user calls by a slash and their name: no tool call shows them, but two text blocks.

use ccxray_shared::{Name, name::MALFORMED};

use super::{
    mode::is_reminder,
    wording::{COMMAND, COMMAND_NAME, SKILL_TEXT},
};
use crate::distil::words::Words;

/// The skills that the texts of a user's message call, in order; none for one whose name cannot be read.
///
/// A call is a block with the command's name, and behind it, reminders aside, the skill's own text. A command without
/// such a text is no skill.
pub(super) fn called_in(texts: &[Words<'_>]) -> impl Iterator<Item = Option<Name<'static>>> {
    let mut blocks = texts.iter().filter(|text| !is_reminder(text)).peekable();
    std::iter::from_fn(move || {
        loop {
            let block = blocks.next()?;
            let is_called = block.starts_with(COMMAND) && blocks.peek()?.starts_with(SKILL_TEXT);
            if is_called {
                return Some(name_in(&block.decoded()));
            }
        }
    })
}

fn name_in(block: &str) -> Option<Name<'static>> {
    let (_, behind) = block.split_once(COMMAND_NAME.0)?;
    let (name, _) = behind.split_once(COMMAND_NAME.1)?;
    Some(Name::from_wire(name).into_owned()).filter(|name| name.as_str() != MALFORMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(texts: &[&str]) -> Vec<Option<String>> {
        let texts: Vec<_> = texts.iter().map(|&text| Words::Decoded(text.into())).collect();
        called_in(&texts).map(|name| name.map(|name| name.to_string())).collect()
    }

    const CALL: &str =
        "<command-message>pdf</command-message>\n<command-name>/pdf</command-name>\n<command-args>";
    const TEXT: &str = "Base directory for this skill: /x\n\n# PDF";

    #[test]
    fn a_command_with_the_text_of_a_skill_behind_it_calls_the_skill() {
        assert_eq!(called(&["<system-reminder>x", CALL, TEXT]), [Some("pdf".into())]);
        assert_eq!(called(&[CALL, "<system-reminder>x", TEXT]), [Some("pdf".into())]);
        assert_eq!(called(&[CALL, TEXT, CALL, TEXT]).len(), 2);
    }

    #[test]
    fn other_commands_and_other_skill_texts_do_not() {
        assert_eq!(called(&[CALL]), []);
        assert_eq!(called(&[CALL, "do this", TEXT]), []);
        assert_eq!(called(&[TEXT]), []);
        let built_in = "<command-name>/model</command-name>\n<command-message>model</command-message>";
        assert_eq!(called(&[built_in, TEXT]), []);
    }

    #[test]
    fn a_name_that_cannot_be_read_is_none() {
        assert_eq!(called(&["<command-message>x</command-message>", TEXT]), [None]);
        assert_eq!(called(&["<command-message>\n<command-name>/two words</command-name>", TEXT]), [None]);
    }
}
