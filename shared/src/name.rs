//! Names that came over the wire.

use std::{borrow::Cow, fmt, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, de};

/// The most characters of a name that are kept.
pub const NAME_CHARS: usize = 64;

/// What stands for a value that cannot be a name (it has spaces, quotes, line breaks …, or is a path from the root or
/// from somebody's home), so that free text in the place of a name never reaches a disk or a network.
pub const MALFORMED: &str = "_malformed_";

/// A name as a client or a provider gave it (of a model, a tool, a skill, an error type …), or a short word
/// of our own such as a keyed hash: letters and digits of any script and `_ - . : / @ [ ] + ~ $ #`, at most
/// [`NAME_CHARS`] of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name<'a>(Cow<'a, str>);

impl<'a> Name<'a> {
    /// A name out of `raw`: cut at [`NAME_CHARS`] characters; [`MALFORMED`] if it is empty, has a character that no
    /// name has, or begins as a path does.
    pub fn from_wire(raw: &'a str) -> Self {
        Self::clean(Cow::Borrowed(raw))
    }

    fn clean(raw: Cow<'a, str>) -> Self {
        // Nearly all are short and ASCII, and a reader of the spool sees some forty of them in each line.
        let is_path = raw.starts_with(['/', '~']);
        let is_short = raw.len() <= NAME_CHARS && !raw.is_empty();
        if is_short && !is_path && raw.bytes().all(|b| ASCII_NAME[usize::from(b)]) {
            return Self(raw);
        }
        if raw.is_empty() || is_path || !raw.chars().all(is_name_char) {
            return Self(Cow::Borrowed(MALFORMED));
        }
        match raw.char_indices().nth(NAME_CHARS) {
            None => Self(raw),
            Some((end, _)) => Self(match raw {
                Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
                Cow::Owned(mut text) => {
                    text.truncate(end);
                    Cow::Owned(text)
                }
            }),
        }
    }

    /// The same name, free of the text that it was borrowed from.
    pub fn into_owned(self) -> Name<'static> {
        Name(Cow::Owned(self.0.into_owned()))
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const PUNCTUATION: &[u8] = b"_-.:/@[]+~$#";

/// Which ASCII characters a name may have.
const ASCII_NAME: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte: u8 = 0;
    while byte.is_ascii() {
        allowed[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut i = 0;
    while i < PUNCTUATION.len() {
        allowed[PUNCTUATION[i] as usize] = true;
        i += 1;
    }
    allowed
};

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || u8::try_from(c).is_ok_and(|byte| PUNCTUATION.contains(&byte))
}

impl Name<'static> {
    /// A name out of `raw`, which it takes over; the same rules as [`Name::from_wire`].
    pub fn from_string(raw: String) -> Self {
        Self::clean(Cow::Owned(raw))
    }
}

impl Deref for Name<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Borrows from the input where it can, and cleans: a spool file may have been edited by hand.
impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E: de::Error>(self, v: &'de str) -> Result<Name<'de>, E> {
                Ok(Name::from_wire(v))
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Name<'de>, E> {
                Ok(Name::from_string(v.to_owned()))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_they_are_sent_pass_untouched() {
        for name in
            ["claude-opus-4-8[1m]", "mcp__demo__echo", "gemini-3.1-pro-preview", "plugin:skill", "名前"]
        {
            assert_eq!(Name::from_wire(name).as_str(), name);
        }
    }

    #[test]
    fn a_path_is_no_name() {
        for path in ["/home/dev/shop/.claude/skills/demo", "~/notes.md", "~dev/notes.md", "/etc"] {
            assert_eq!(Name::from_wire(path).as_str(), MALFORMED);
            assert_eq!(Name::from_string(path.to_owned()).as_str(), MALFORMED);
        }
        assert_eq!(Name::from_wire("openai/gpt-5.6").as_str(), "openai/gpt-5.6");
    }

    #[test]
    fn free_text_is_no_name() {
        for text in ["", "rm -rf /", "two\nlines", "\u{1b}[31mred", "\"quoted\""] {
            assert_eq!(Name::from_wire(text).as_str(), MALFORMED);
        }
    }

    #[test]
    fn a_long_name_is_cut_at_a_character() {
        let long = "é".repeat(NAME_CHARS + 1);
        assert_eq!(Name::from_wire(&long).chars().count(), NAME_CHARS);
        assert_eq!(Name::from_string(long).as_str(), "é".repeat(NAME_CHARS));
    }

    #[test]
    fn a_name_is_read_without_a_copy_unless_it_is_escaped() {
        let plain: Name<'_> = serde_json::from_str("\"Bash\"").unwrap();
        assert!(matches!(plain.0, Cow::Borrowed(_)));
        let escaped: Name<'_> = serde_json::from_str("\"B\\u0061sh\"").unwrap();
        assert_eq!(escaped, plain);
    }
}
