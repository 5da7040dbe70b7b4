//! The real Gemini CLI plays through the proxy, and a real database says of every metric what the provider knows.

use ccxray_tests::{
    Stage,
    client::{Agent, installed},
    truth::Totals,
    upstream::{
        Call, Encoding, Usage,
        play::{Part, Play, Step, Trouble},
    },
};
use serde_json::json;

/// Where the comparisons of truth and database are left.
const DIR: &str = env!("CARGO_TARGET_TMPDIR");

const PRO: &str = "gemini-2.5-pro";

fn read(file: &str) -> Call {
    Call::new("read_file", json!({"file_path": file}))
}

fn shell(command: &str) -> Call {
    Call::new("run_shell_command", json!({"command": command, "description": "Does something"}))
}

fn agent(kind: &str, prompt: &str) -> Call {
    Call::new("invoke_agent", json!({"agent_name": kind, "prompt": prompt})).starts(kind, prompt)
}

fn mcp(tool: &str) -> Call {
    Call::new(&format!("mcp_demo_{tool}"), json!({"text": "hello"})).mcp("demo", tool)
}

fn anything_goes(agent: Agent) -> Agent {
    agent.arguments(["--approval-mode", "yolo"])
}

/// Lets Gemini CLI play to the good end, and returns what the database has counted.
async fn counted(name: &str, stage: &Stage, agent: Agent) -> Totals {
    stage.plays_and_counts(agent, DIR, &format!("gemini-cli.{name}")).await
}

#[tokio::test]
async fn a_plain_conversation_to_the_last_token() {
    if !installed("gemini") {
        return;
    }
    let stage = Stage::set(|_| Play::new([Step::calls([read("README.md")])])).await;
    let totals = counted("plain", &stage, stage.gemini_cli(PRO)).await;
    let counts = [
        ("ccxray.requests_total{class=turn,provider=gemini,route=stream_generate_content,status=2xx}", 2),
        ("ccxray.tool.invocations_total{provider=gemini,tool=read_file}", 1),
        ("ccxray.stop_reason_total{reason=tool_use}", 1),
        ("ccxray.stop_reason_total{reason=end_turn}", 1),
        ("ccxray.sessions_total{provider=gemini}", 1),
        ("ccxray.permission_mode.usage_total{mode=default}", 2),
        ("ccxray.tokens.input_total{model=gemini-2.5-pro,provider=gemini}", 1_008 + 1_015),
        ("ccxray.tokens.cache_read_total{model=gemini-2.5-pro,provider=gemini}", 9_024 + 9_035),
        ("ccxray.tokens.output_total{model=gemini-2.5-pro,provider=gemini}", 214 + 217),
        ("ccxray.tokens.reasoning_total{model=gemini-2.5-pro,provider=gemini}", 18 + 19),
        // 2023 × 1.25 + 18059 × 0.125 + 431 × 10 millionths of a dollar.
        ("ccxray.cost.usd_total{model=gemini-2.5-pro,provider=gemini}", 9_096_125_000),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn a_conversation_that_asks_which_model_to_ask() {
    if !installed("gemini") {
        return;
    }
    let stage = Stage::set(|_| Play::new([Step::calls([read("README.md")])])).await;
    let totals = counted("router", &stage, stage.gemini_cli("auto")).await;
    let counts = [
        ("ccxray.requests_total{class=helper,provider=gemini,route=generate_content,status=2xx}", 1),
        ("ccxray.requests_total{class=turn,provider=gemini,route=stream_generate_content,status=2xx}", 2),
        ("ccxray.agent_type.invocations_total{type=helper}", 1),
        ("ccxray.sessions_total{provider=gemini}", 1),
        // 1008 × 0.3 + 9024 × 0.03 + 214 × 2.5 millionths of a dollar.
        ("ccxray.cost.usd_total{model=gemini-3.5-flash-lite,provider=gemini}", 1_108_120_000),
        // 2037 × 0.75 + 18081 × 0.075 + 437 × 3.75 millionths of a dollar.
        ("ccxray.cost.usd_total{model=gemini-3.8-flash,provider=gemini}", 4_522_575_000),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn tools() {
    if !installed("gemini") {
        return;
    }
    let write = Call::new("write_file", json!({"file_path": "made.txt", "content": "made"})).writes();
    let delete = shell("rm -rf ./nothing").danger("recursive_delete");
    let play = Play::new([
        Step::calls([read("README.md"), read("nothing.md"), shell("echo hello")]).encoded(Encoding::Gzip),
        Step::calls([write, delete]),
    ]);
    let stage = Stage::set(|_| play).await;
    let totals = counted("tools", &stage, anything_goes(stage.gemini_cli(PRO))).await;
    let counts = [
        ("ccxray.tool.invocations_total{provider=gemini,tool=read_file}", 2),
        ("ccxray.tool.failures_total{provider=gemini,tool=read_file}", 1),
        ("ccxray.dangerous_tool.invocations_total{pattern=recursive_delete}", 1),
        ("ccxray.file_writes_total{provider=gemini}", 1),
        ("ccxray.tools_per_turn.sum{provider=gemini}", 5),
        ("ccxray.permission_mode.usage_total{mode=yolo}", 3),
        ("ccxray.agent_type.invocations_total{type=main}", 3),
        // Three times a bit more than 10 000 of 1 048 576 tokens.
        ("ccxray.context.utilization_pct.sum{provider=gemini}", 3),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn an_mcp_server_and_a_skill() {
    if !installed("gemini") {
        return;
    }
    let skill = Call::new("activate_skill", json!({"name": "greet"})).skill("greet");
    let play = Play::new([Step::calls([mcp("echo"), mcp("fail")]), Step::calls([skill])]);
    let stage = Stage::set(|_| play).await;
    stage.project().skill("greet", "Say hello.");
    let agent = anything_goes(stage.gemini_cli(PRO)).with_mcp_server(&stage.project().mcp_server());
    let totals = counted("mcp-and-skill", &stage, agent).await;
    let counts = [
        ("ccxray.mcp.invocations_total{server=demo,tool=echo}", 1),
        ("ccxray.mcp.invocations_total{server=demo,tool=fail}", 1),
        ("ccxray.mcp.errors_total{server=demo}", 1),
        ("ccxray.tool.failures_total{provider=gemini,tool=mcp_demo_fail}", 1),
        ("ccxray.skill.activations_total{provider=gemini,skill=greet}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn sub_agents() {
    if !installed("gemini") {
        return;
    }
    let play = Play::new([
        Step::calls([agent("generalist", "Look at the first thing.")]),
        Step::calls([agent("codebase_investigator", "Look at the second thing.")]),
    ]);
    let stage = Stage::set(|_| play).await;
    let totals = counted("sub-agents", &stage, anything_goes(stage.gemini_cli(PRO))).await;
    let counts = [
        ("ccxray.subagent.invocations_total{provider=gemini}", 2),
        ("ccxray.agent_type.invocations_total{type=main}", 3),
        ("ccxray.agent_type.invocations_total{type=generalist}", 1),
        ("ccxray.agent_type.invocations_total{type=codebase_investigator}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn plan_mode() {
    if !installed("gemini") {
        return;
    }
    let stage = Stage::set(|_| Play::new([Step::calls([read("README.md")])])).await;
    let agent = stage.gemini_cli(PRO).arguments(["--approval-mode", "plan"]);
    let totals = counted("plan-mode", &stage, agent).await;
    totals.assert_counts(&[("ccxray.permission_mode.usage_total{mode=plan}", 2)]);
}

#[tokio::test]
async fn a_web_search() {
    if !installed("gemini") {
        return;
    }
    let search = Call::new("google_web_search", json!({"query": "ccxray"}));
    let play = Play::new([Step::calls([search])]).and(Part::WebSearch, [Step::says("Something was found.")]);
    let stage = Stage::set(|_| play).await;
    let totals = counted("web-search", &stage, anything_goes(stage.gemini_cli(PRO))).await;
    let counts = [
        ("ccxray.requests_total{class=web_search,provider=gemini,route=generate_content,status=2xx}", 1),
        ("ccxray.agent_type.invocations_total{type=web-search}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn a_conversation_that_is_compressed() {
    if !installed("gemini") {
        return;
    }
    // More than half of the window, from which on Gemini CLI makes room of itself.
    let full = Usage { input: 1_000, output: 200, cache_read: 600_000, reasoning: 20, ..Usage::default() };
    let play = Play::new([Step::calls([shell("seq 1 3000")]), Step::says("All done.").uses(full)]);
    let stage = Stage::set(|_| play).await;
    let agent = || {
        // After a resumption it only estimates how much there is.
        let early = json!({"compressionThreshold": 0.001});
        anything_goes(stage.gemini_cli("gemini-3.8-flash")).stored_setting("model", early)
    };
    stage.plays(agent()).await;
    let totals = counted("compression", &stage, agent().arguments(["--resume", "latest"])).await;
    let compressions = totals.get("ccxray.auto_compact.triggered_total{provider=gemini}");
    assert!(compressions > 0);
    totals.assert_counts(&[("ccxray.agent_type.invocations_total{type=compaction}", compressions)]);
}

#[tokio::test]
async fn what_fails_and_is_tried_again() {
    if !installed("gemini") {
        return;
    }
    let stage = Stage::set(|_| {
        Play::new([
            Step::calls([read("README.md")]),
            Step::trouble(Trouble::RateLimited(1)),
            Step::says("This ends too early.").without_terminal(),
        ])
    })
    .await;
    stage.plays_to_any_end(stage.gemini_cli(PRO)).await;
    let totals = stage.counted(DIR, "gemini-cli.faults").await;
    let counts = [
        ("ccxray.retries_total{provider=gemini}", 1),
        ("ccxray.errors_total{provider=gemini,type=rate_limit}", 1),
        ("ccxray.invariants.sse_truncated_total{provider=gemini}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn answers_that_end_for_other_reasons() {
    if !installed("gemini") {
        return;
    }
    let stage = Stage::set(|_| Play::new([Step::says("I would rather not.").stops("refusal")])).await;
    stage.plays_to_any_end(stage.gemini_cli(PRO)).await;
    let totals = stage.counted(DIR, "gemini-cli.refusal").await;
    assert!(totals.get("ccxray.stop_reason_total{reason=refusal}") > 0);
}

#[tokio::test]
async fn an_answer_that_is_too_long() {
    if !installed("gemini") {
        return;
    }
    let stage = Stage::set(|_| Play::new([Step::says("And then").stops("max_tokens")])).await;
    stage.plays_to_any_end(stage.gemini_cli(PRO)).await;
    let totals = stage.counted(DIR, "gemini-cli.max-tokens").await;
    assert!(totals.get("ccxray.max_tokens_hit_total{model=gemini-2.5-pro}") > 0);
}
