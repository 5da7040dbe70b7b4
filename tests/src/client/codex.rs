//! The real Codex.

use super::installed::converse;
use crate::daemons::{Proxy, State};

/// Lets the real Codex hold one conversation with `model`, through `proxy` and with this API key, in the scratch
/// project; returns what it printed.
pub async fn codex(state: &State, proxy: &Proxy, model: &str, key: &str, prompt: &str) -> String {
    let arguments = [
        "exec",
        "--skip-git-repo-check",
        "--dangerously-bypass-approvals-and-sandbox",
        "-c",
        "analytics.enabled=false",
        "-c",
        "check_for_update_on_startup=false",
        "-m",
        model,
        prompt,
    ];
    converse(state, proxy, ("codex", &arguments), &[("CODEX_API_KEY", key)]).await
}
