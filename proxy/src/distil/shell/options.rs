//! A command's arguments, told apart as `getopt` does.

use super::word::Word;

/// Which options of a command take the next word as their value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Valued {
    /// Of the short ones, their letters.
    pub(super) short: &'static str,
    /// Of the long ones, their names with the dashes.
    pub(super) long: &'static [&'static str],
}

/// Arguments, told apart.
#[derive(Debug, Default)]
pub(super) struct Arguments<'a> {
    /// The letters of the short options.
    short: String,
    /// The long options with their dashes, without their values.
    long: Vec<&'a str>,
    /// What is neither an option nor one's value.
    pub(super) operands: Vec<&'a Word>,
    /// How many words stood before the first operand.
    pub(super) before_operands: usize,
}

impl<'a> Arguments<'a> {
    /// Options anywhere, as GNU's tools take them.
    pub(super) fn of(words: &'a [Word], valued: Valued) -> Self {
        Self::read(words, valued, false)
    }

    /// Options before the first operand only: what follows is another command's.
    pub(super) fn leading(words: &'a [Word], valued: Valued) -> Self {
        Self::read(words, valued, true)
    }

    fn read(words: &'a [Word], valued: Valued, only_leading: bool) -> Self {
        let mut arguments = Self::default();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            let text = word.text.as_str();
            if text == "--" {
                break;
            } else if text.len() > 2 && text.starts_with("--") {
                at += usize::from(arguments.add_long(text, valued));
            } else if text.len() > 1 && text.starts_with('-') {
                at += usize::from(arguments.add_short(&text[1..], valued));
            } else if only_leading {
                at -= 1;
                break;
            } else {
                arguments.operands.push(word);
            }
        }
        arguments.before_operands = at.min(words.len());
        arguments.operands.extend(words.get(at..).unwrap_or_default());
        arguments
    }

    /// Says whether the next word is the option's value.
    fn add_long(&mut self, text: &'a str, valued: Valued) -> bool {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        self.long.push(name);
        value.is_none() && valued.long.contains(&name)
    }

    fn add_short(&mut self, letters: &str, valued: Valued) -> bool {
        for (at, letter) in letters.char_indices() {
            self.short.push(letter);
            if valued.short.contains(letter) {
                return at + letter.len_utf8() == letters.len();
            }
        }
        false
    }

    /// Whether this short option is there.
    pub(super) fn has(&self, letter: char) -> bool {
        self.short.contains(letter)
    }

    /// Whether this long option is there.
    pub(super) fn has_long(&self, name: &str) -> bool {
        self.long.contains(&name)
    }
}
