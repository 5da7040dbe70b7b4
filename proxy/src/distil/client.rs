//! Which program asks.

use ccxray_shared::Name;
use hyper::{HeaderMap, header::USER_AGENT};

/// How the names of the clients begin that are told apart, by what they call themselves: Claude Code `claude-cli/2.1.329
/// (external, cli)`, Codex `codex_exec/0.169.0 (…)` and `codex_cli_rs/…`, Gemini CLI `GeminiCLI-tui/0.61.0/<model> (…)`.
const KNOWN: [&str; 3] = ["claude-cli", "codex", "GeminiCLI"];

/// The client and its version, `<name>/<version>`, if it is a known one: of another program's word nothing is kept.
pub(super) fn client(headers: &HeaderMap) -> Option<Name<'static>> {
    let agent = headers.get(USER_AGENT)?.to_str().ok()?;
    let (name, rest) = agent.split_once('/')?;
    let is_known = KNOWN.iter().any(|known| name.starts_with(known)) && name.chars().all(is_plain);
    let version = rest.split(['/', ' ']).next().unwrap_or_default();
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && version.chars().all(is_plain);
    (is_known && is_version).then(|| Name::from_string(format!("{name}/{version}")))
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-+".contains(c)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn a_known_client_is_named_with_its_version_and_nothing_more() {
        for (agent, expected) in [
            ("claude-cli/2.1.329 (external, sdk-cli)", Some("claude-cli/2.1.329")),
            ("codex_exec/0.169.0 (Debian 12; x86_64) unknown", Some("codex_exec/0.169.0")),
            ("codex_cli_rs/0.170.0-alpha.1", Some("codex_cli_rs/0.170.0-alpha.1")),
            ("GeminiCLI-tui/0.61.0/gemini-3 (linux; x64)", Some("GeminiCLI-tui/0.61.0")),
            ("Bun/1.4.0", None),
            ("my-secret-project/1.0", None),
            ("claude-cli", None),
            ("claude-cli/secret", None),
            ("claude-cli secret/1.0", None),
        ] {
            let headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(agent))]);
            assert_eq!(client(&headers).as_deref(), expected, "{agent}");
        }
        assert_eq!(client(&HeaderMap::new()), None);
    }
}
