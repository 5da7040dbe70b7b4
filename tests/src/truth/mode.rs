//! What an agent may do, as far as the wire shows it.

use crate::{
    upstream::{Api, gemini, openai},
    wire::Request,
};

/// What Claude Code tells the model in plan mode, and when that ends.
const PLAN: &str = "Plan mode is active.";
const PLAN_LEFT: &str = "## Exited Plan Mode";

/// What a Gemini CLI without a terminal lets its model do, by the functions that it offers: it leaves out the others.
const GEMINI: [(&str, &str); 3] =
    [("exit_plan_mode", "plan"), ("run_shell_command", "yolo"), ("write_file", "auto_edit")];

/// The mode in which this request is made.
pub(super) fn of(api: Api, request: &Request) -> String {
    let shown = match api {
        Api::Anthropic => claude_code(request),
        Api::OpenAi => openai::metadata_of(request)["sandbox_mode"].as_str().map(str::to_owned),
        Api::Gemini => gemini_cli(request),
    };
    shown.unwrap_or_else(|| "unknown".into())
}

fn claude_code(request: &Request) -> Option<String> {
    let said = String::from_utf8_lossy(&request.body);
    let plans = said.rfind(PLAN)? > said.rfind(PLAN_LEFT).unwrap_or_default();
    plans.then(|| "plan".into())
}

fn gemini_cli(request: &Request) -> Option<String> {
    let body = request.json();
    // A sub-agent has the functions that its work needs, whatever the mode.
    let tells = gemini::offers(&body, "read_file") && !gemini::offers(&body, "complete_task");
    tells.then_some(())?;
    let shown = GEMINI.iter().find(|(function, _)| gemini::offers(&body, function));
    Some(shown.map_or("default", |(_, mode)| mode).into())
}
