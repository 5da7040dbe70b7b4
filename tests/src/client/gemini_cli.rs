//! The real Gemini CLI.

use std::fs;

use serde_json::json;

use super::installed::converse;
use crate::daemons::{Proxy, State};

/// Lets the real Gemini CLI hold one conversation with `model`, through `proxy` and with this API key, in the scratch
/// project; returns what it printed.
pub async fn gemini_cli(state: &State, proxy: &Proxy, model: &str, key: &str, prompt: &str) -> String {
    let settings = json!({
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": false},
        "telemetry": {"enabled": false},
        "general": {"enableAutoUpdate": false, "enableAutoUpdateNotification": false},
    });
    let dir = state.home().join(".gemini");
    fs::create_dir_all(&dir).expect("the scratch directory can be written");
    fs::write(dir.join("settings.json"), settings.to_string()).expect("the scratch directory can be written");
    let arguments = ["--skip-trust", "-m", model, "-p", prompt];
    // In one process, so that its end is the end of all of it.
    let variables = [("GEMINI_API_KEY", key), ("GEMINI_CLI_NO_RELAUNCH", "true")];
    converse(state, proxy, ("gemini", &arguments), &variables).await
}
