//! Secrets that stand in a file as they are.
//!
//! A file is copied, committed and shown; a secret belongs into a variable. What looks like one is refused. Addresses and
//! host names are none, whatever they look like.

use super::template::{Part, parts};

/// What a secret looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// A token with the prefix of a known kind.
    Token,
    /// `Bearer …` or `Basic …`.
    Credentials,
    /// A JSON Web Token.
    Jwt,
    /// A private key.
    PrivateKey,
    /// `user:password@` or `?key=…` in an address.
    InAddress,
}

impl Secret {
    /// What it looks like, for people.
    pub const fn described(self) -> &'static str {
        match self {
            Self::Token => "an API token",
            Self::Credentials => "credentials",
            Self::Jwt => "a JSON Web Token",
            Self::PrivateKey => "a private key",
            Self::InAddress => "a credential in an address",
        }
    }
}

/// The secret that stands in `value` outside of its variables, if one does.
pub fn find(value: &str) -> Option<Secret> {
    if value.contains("-----BEGIN ") {
        return Some(Secret::PrivateKey);
    }
    let parts = parts(value).unwrap_or_else(|_| vec![Part::Text(value)]);
    // A variable is replaced by what no token contains, so that what stands around it is seen as it is.
    let text: String = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text,
            Part::Variable(_) => VARIABLE,
        })
        .collect();
    credentials(&text).or_else(|| text.split(is_separator).find_map(word))
}

/// Whether a header of this name usually bears a credential.
pub fn is_credential_header(name: &str) -> bool {
    const WORDS: [&str; 8] =
        ["authorization", "api-key", "apikey", "token", "secret", "password", "cookie", "honeycomb-team"];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word)) || name.ends_with("-key")
}

const VARIABLE: &str = "\u{0}";

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '(' | ')' | '<' | '>' | '`')
}

fn credentials(text: &str) -> Option<Secret> {
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let least = if word.eq_ignore_ascii_case("bearer") {
            20
        } else if word.eq_ignore_ascii_case("basic") {
            8
        } else {
            continue;
        };
        if words.clone().next().is_some_and(|token| token_len(token) >= least) {
            return Some(Secret::Credentials);
        }
    }
    None
}

fn word(word: &str) -> Option<Secret> {
    match word.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) => {
            address(rest)
        }
        _ => word.split(['=', '&']).find_map(token),
    }
}

/// An address after its scheme: the host is none of our business; the rest is.
fn address(rest: &str) -> Option<Secret> {
    let (authority, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |end| rest.split_at(end));
    if authority.contains('@') {
        return Some(Secret::InAddress);
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let has_secret = query.split('&').filter_map(|pair| pair.split_once('=')).any(is_secret_pair);
    let in_path = || path.split('/').find_map(token);
    if has_secret { Some(Secret::InAddress) } else { in_path() }
}

fn is_secret_pair((name, value): (&str, &str)) -> bool {
    const NAMES: [&str; 9] =
        ["key", "apikey", "api_key", "api-key", "token", "access_token", "auth", "secret", "password"];
    let is_literal = !value.is_empty() && !value.starts_with(VARIABLE);
    is_literal && NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Known prefixes, and how much must follow.
const PREFIXES: [(&str, usize); 26] = [
    ("sk-ant-", 10),
    ("sk-proj-", 20),
    ("sk-", 20),
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("rk_live_", 8),
    ("pk_live_", 8),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("glsa_", 16),
    ("glc_", 16),
    ("AIza", 30),
    ("ya29.", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("hf_", 20),
    ("npm_", 20),
    ("dt0c01.", 16),
    ("NRAK-", 16),
];

fn token(word: &str) -> Option<Secret> {
    if is_jwt(word) {
        return Some(Secret::Jwt);
    }
    let known = PREFIXES.iter().any(|(prefix, least)| {
        word.strip_prefix(prefix).is_some_and(|rest| token_len(rest) >= *least && !is_host_like(rest))
    });
    known.then_some(Secret::Token)
}

/// How many characters of a token `text` begins with.
fn token_len(text: &str) -> usize {
    text.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-_.~+/=".contains(b)).count()
}

/// Words with dashes and dots, such as a host's name or a model's: a token has a digit or a capital somewhere.
fn is_host_like(text: &str) -> bool {
    !text.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

fn is_jwt(word: &str) -> bool {
    let segments: Vec<&str> = word.split('.').collect();
    let is_base64url =
        |s: &&str| s.len() >= 6 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    segments.len() == 3 && word.starts_with("eyJ") && segments.iter().all(is_base64url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_found() {
        for (value, expected) in [
            ("Bearer abcdefghijklmnopqrst", Secret::Credentials),
            ("bearer ABCDEFGHIJKLMNOPQRST", Secret::Credentials),
            ("Basic dXNlcjpwYXNz", Secret::Credentials),
            ("sk_live_4242424242", Secret::Token),
            ("sk_test_4242424242", Secret::Token),
            ("sk-ant-api03-AAAABBBBCCCC", Secret::Token),
            ("sk-1234567890abcdefghij", Secret::Token),
            ("ghp_1234567890abcdefghij1234567890abcdef", Secret::Token),
            ("github_pat_11AAAAAAA0123456789abcdef", Secret::Token),
            ("AIzaSyA1234567890abcdefghijklmnopqrstuv", Secret::Token),
            ("glsa_1234567890abcdef1234", Secret::Token),
            ("glc_eyJvIjoiMTIzNDU2Nzg5MCJ9", Secret::Token),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", Secret::Jwt),
            ("token=ghp_1234567890abcdefghij1234567890abcdef", Secret::Token),
            ("https://user:pass@otel.example", Secret::InAddress),
            ("https://otel.example/?key=abc", Secret::InAddress),
            ("https://otel.example/v1?x=1&api_key=abc", Secret::InAddress),
            ("https://otel.example/ghp_1234567890abcdefghij1234567890abcdef/x", Secret::Token),
            ("-----BEGIN PRIVATE KEY-----\nMII", Secret::PrivateKey),
            ("${A} Bearer abcdefghijklmnopqrst", Secret::Credentials),
        ] {
            assert_eq!(find(value), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_stands_in_a_variable_and_what_is_no_secret_is_let_through() {
        for value in [
            "Bearer ${TOKEN}",
            "Basic ${CREDENTIALS}",
            "${EVERYTHING}",
            "sk-${REST}",
            "https://otel.example/?key=${KEY}",
            "https://sk-live-collector-of-our-team.example/v1/metrics",
            "https://eyja.fjalla.jokull.example",
            "sk-learn",
            "Bearer of good news",
            "basic",
            "acme",
            "team-with-a-very-long-name-indeed",
            "ghp_",
            "2026-11-20",
            "http://127.0.0.1:4318",
            "sk-some-very-long-word-with-dashes-in-it",
        ] {
            assert_eq!(find(value), None, "{value}");
        }
    }

    #[test]
    fn headers_that_bear_credentials_are_known_by_their_names() {
        for name in [
            "Authorization",
            "x-api-key",
            "DD-API-KEY",
            "x-honeycomb-team",
            "X-Auth-Token",
            "api-key",
            "cookie",
        ] {
            assert!(is_credential_header(name), "{name}");
        }
        for name in ["x-scope-orgid", "x-tenant", "user-agent"] {
            assert!(!is_credential_header(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn addresses_and_host_names_are_no_secrets(
            host in "[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?){1,4}",
            port in proptest::option::of(1u16..),
            path in "(/[a-z0-9-]{1,12}){0,4}/?",
        ) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            for scheme in ["http", "https"] {
                let address = format!("{scheme}://{host}{port}{path}");
                prop_assert_eq!(find(&address), None, "{}", address);
            }
            prop_assume!(!host.starts_with("sk-"));
            prop_assert_eq!(find(&host), None, "{}", host);
        }

        #[test]
        fn a_token_is_found_wherever_it_stands(
            before in "[a-z ]{0,10}[ =]", token in "[A-Za-z0-9]{20,40}", after in "( [a-z]{1,8}){0,2}",
        ) {
            prop_assume!(!super::is_host_like(&token));
            for prefix in ["ghp_", "sk-ant-", "sk_live_", "glsa_"] {
                let text = format!("{before}{prefix}{token}{after}");
                prop_assert!(find(&text).is_some(), "{}", text);
            }
        }
    }
}
