//! Closed sets of canonical words.

/// Defines a closed set of words, as rules and metrics spell them. A file that says another word is refused, with the
/// list of those that there are.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
        pub(in crate::classify) enum $name {
            $(#[serde(rename = $word)] $variant,)*
        }
        impl $name {
            /// The word.
            pub(in crate::classify) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

pub(in crate::classify) use words;
