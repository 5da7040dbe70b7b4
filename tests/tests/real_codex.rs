//! The real Codex plays through the proxy, and a real database says of every metric what the provider knows.

use ccxray_tests::{
    Stage,
    client::{Agent, installed},
    truth::Totals,
    upstream::{
        Call,
        play::{Part, Play, Step, Trouble},
    },
    wire::Break,
};
use serde_json::json;

/// Where the comparisons of truth and database are left.
const DIR: &str = env!("CARGO_TARGET_TMPDIR");

/// The model whose calls are plain ones, and the one whose calls are scripts.
const PLAIN: &str = "gpt-5.5";
const SCRIPTS: &str = "gpt-6.1-sol";

fn shell(command: &str) -> Call {
    Call::new("exec_command", json!({"cmd": command}))
}

fn patch(file: &str) -> String {
    format!("*** Begin Patch\n*** Add File: {file}\n+made\n*** End Patch\n")
}

fn script(text: &str) -> Call {
    Call::new("exec", json!(text))
}

fn anything_goes(agent: Agent) -> Agent {
    agent.arguments(["--dangerously-bypass-approvals-and-sandbox"])
}

/// Lets Codex play to the good end, and returns what the database has counted.
async fn counted(name: &str, stage: &Stage, agent: Agent) -> Totals {
    stage.plays_and_counts(agent, DIR, &format!("codex.{name}")).await
}

#[tokio::test]
async fn a_plain_conversation_to_the_last_token() {
    if !installed("codex") {
        return;
    }
    let stage = Stage::set(|_| Play::new([Step::calls([shell("cat README.md")])])).await;
    let totals = counted("plain", &stage, anything_goes(stage.codex(PLAIN))).await;
    let counts = [
        ("ccxray.requests_total{class=turn,provider=openai,route=responses,status=2xx}", 2),
        ("ccxray.tool.invocations_total{provider=openai,tool=exec_command}", 1),
        ("ccxray.stop_reason_total{reason=tool_use}", 1),
        ("ccxray.stop_reason_total{reason=end_turn}", 1),
        ("ccxray.sessions_total{provider=openai}", 1),
        ("ccxray.tokens.input_total{model=gpt-5.5,provider=openai}", 1_008 + 1_015),
        ("ccxray.tokens.cache_read_total{model=gpt-5.5,provider=openai}", 9_024 + 9_035),
        ("ccxray.tokens.cache_creation_total{model=gpt-5.5,provider=openai}", 472 + 490),
        ("ccxray.tokens.output_total{model=gpt-5.5,provider=openai}", 214 + 217),
        ("ccxray.tokens.reasoning_total{model=gpt-5.5,provider=openai}", 18 + 19),
        // 2023 × 5 + 18059 × 0.5 + 962 × 5 + 431 × 30 millionths of a dollar.
        ("ccxray.cost.usd_total{model=gpt-5.5,provider=openai}", 36_884_500_000),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn tools() {
    if !installed("codex") {
        return;
    }
    let stage = Stage::set(|_| {
        let patch = Call::new("apply_patch", json!(patch("made.txt"))).writes();
        let delete = shell("rm -rf ./nothing").danger("recursive_delete");
        Play::new([
            Step::calls([shell("echo hello"), shell("exit 3").fails()]).remaining("requests", 49),
            Step::calls([patch, delete]).remaining("requests", 48).remaining("tokens", 39_000),
        ])
    })
    .await;
    let totals = counted("tools", &stage, anything_goes(stage.codex(PLAIN))).await;
    let counts = [
        ("ccxray.tool.invocations_total{provider=openai,tool=exec_command}", 3),
        ("ccxray.tool.failures_total{provider=openai,tool=exec_command}", 1),
        ("ccxray.dangerous_tool.invocations_total{pattern=recursive_delete}", 1),
        ("ccxray.file_writes_total{provider=openai}", 1),
        ("ccxray.tools_per_turn.sum{provider=openai}", 4),
        ("ccxray.ratelimit.remaining{limit=requests,provider=openai}", 48),
        ("ccxray.ratelimit.remaining{limit=tokens,provider=openai}", 39_000),
        ("ccxray.permission_mode.usage_total{mode=danger-full-access}", 3),
        ("ccxray.agent_type.invocations_total{type=main}", 3),
        // Three times a bit more than 10 500 of 272 000 tokens.
        ("ccxray.context.utilization_pct.sum{provider=openai}", 12),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn tools_in_scripts() {
    if !installed("codex") {
        return;
    }
    let stage = Stage::set(|_| {
        let reads = r#"text(JSON.stringify(await tools.exec_command({cmd: "cat README.md"})));"#;
        let deletes = r#"text(JSON.stringify(await tools.exec_command({cmd: "rm -rf ./nothing"})));"#;
        let fails = r#"text(JSON.stringify(await tools.exec_command({cmd: "exit 3"})));"#;
        let writes = format!("text(JSON.stringify(await tools.apply_patch({})));", json!(patch("made.txt")));
        Play::new([
            Step::calls([script(reads), script(deletes).danger("recursive_delete").fails()]),
            Step::calls([script(&writes).writes()]),
            Step::calls([script(fails).fails()]),
        ])
    })
    .await;
    let totals = counted("scripts", &stage, anything_goes(stage.codex(SCRIPTS))).await;
    let counts = [
        ("ccxray.tool.invocations_total{provider=openai,tool=exec}", 4),
        ("ccxray.tool.failures_total{provider=openai,tool=exec}", 2),
        ("ccxray.dangerous_tool.invocations_total{pattern=recursive_delete}", 1),
        ("ccxray.file_writes_total{provider=openai}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn an_mcp_server() {
    if !installed("codex") {
        return;
    }
    let call = |tool: &str| Call::new(tool, json!({"text": "hello"})).within("mcp__demo").mcp("demo", tool);
    // That a plain call has failed, Codex does not say.
    let stage = Stage::set(|_| Play::new([Step::calls([call("echo"), call("fail")])])).await;
    let agent = anything_goes(stage.codex(PLAIN)).with_mcp_server(&stage.project().mcp_server());
    let totals = counted("mcp", &stage, agent).await;
    let counts = [
        ("ccxray.mcp.invocations_total{server=demo,tool=echo}", 1),
        ("ccxray.mcp.invocations_total{server=demo,tool=fail}", 1),
        ("ccxray.tool.invocations_total{provider=openai,tool=mcp__demo__echo}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn an_mcp_server_in_scripts() {
    if !installed("codex") {
        return;
    }
    let call = |tool: &str| {
        script(&format!("text(JSON.stringify(await tools.mcp__demo__{tool}({{text: \"hello\"}})));"))
            .mcp("demo", tool)
    };
    let stage =
        Stage::set(|_| Play::new([Step::calls([call("echo")]), Step::calls([call("fail").fails()])])).await;
    let agent = anything_goes(stage.codex(SCRIPTS)).with_mcp_server(&stage.project().mcp_server());
    let totals = counted("mcp-in-scripts", &stage, agent).await;
    let counts = [
        ("ccxray.mcp.invocations_total{server=demo,tool=echo}", 1),
        ("ccxray.mcp.invocations_total{server=demo,tool=fail}", 1),
        ("ccxray.tool.failures_total{provider=openai,tool=exec}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn skills_by_the_model_and_by_the_user() {
    if !installed("codex") {
        return;
    }
    let stage = Stage::set(|project| {
        let read = format!("cat {}", project.path(".agents/skills/wave/SKILL.md"));
        Play::new([Step::calls([shell(&read).skill("wave")])])
    })
    .await;
    stage.project().skill("greet", "Say hello.");
    stage.project().skill("wave", "Wave.");
    let prompt = format!("$greet {}", stage.canaries.mint("prompt"));
    let said = stage.plays_told(anything_goes(stage.codex(PLAIN)), &prompt).await;
    assert!(said.contains("All done."), "{said}");
    let totals = stage.counted(DIR, "codex.skills").await;
    let counts = [
        ("ccxray.skill.activations_total{provider=openai,skill=greet}", 1),
        ("ccxray.skill.activations_total{provider=openai,skill=wave}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn a_sub_agent() {
    if !installed("codex") {
        return;
    }
    let told = "Look at the small thing.";
    let spawn = Call::new("spawn_agent", json!({"message": told, "agent_type": "worker"}));
    let spawn = spawn.within("multi_agent_v1").starts("worker", told);
    let play = Play::new([Step::calls([spawn]), Step::calls([shell("sleep 2")])])
        .and(Part::SubAgent, [Step::calls([shell("echo from within")])]);
    let stage = Stage::set(|_| play).await;
    let totals = counted("sub-agent", &stage, anything_goes(stage.codex(PLAIN))).await;
    let counts = [
        ("ccxray.subagent.invocations_total{provider=openai}", 1),
        ("ccxray.agent_type.invocations_total{type=main}", 3),
        ("ccxray.agent_type.invocations_total{type=worker}", 2),
        ("ccxray.sessions_total{provider=openai}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn a_sandbox_that_only_reads() {
    if !installed("codex") {
        return;
    }
    let stage = Stage::set(|_| Play::new([Step::calls([shell("cat README.md")])])).await;
    stage.plays(stage.codex(PLAIN).arguments(["--sandbox", "read-only"])).await;
    let totals = stage.counted(DIR, "codex.read-only").await;
    totals.assert_counts(&[("ccxray.permission_mode.usage_total{mode=read-only}", 2)]);
}

#[tokio::test]
async fn a_conversation_that_is_compacted() {
    if !installed("codex") {
        return;
    }
    let stage =
        Stage::set(|_| Play::new([Step::calls([shell("echo one")]), Step::calls([shell("echo two")])])).await;
    let agent = anything_goes(stage.codex(PLAIN)).setting("model_auto_compact_token_limit", "10500");
    let said = stage.plays(agent).await;
    assert!(said.contains("All done."), "{said}");
    let totals = stage.counted(DIR, "codex.compaction").await;
    let compactions = totals.get("ccxray.auto_compact.triggered_total{provider=openai}");
    assert!(compactions > 0);
    totals.assert_counts(&[("ccxray.agent_type.invocations_total{type=compaction}", compactions)]);
}

#[tokio::test]
async fn what_fails_and_is_tried_again() {
    if !installed("codex") {
        return;
    }
    let stage = Stage::set(|_| {
        Play::new([
            Step::trouble(Trouble::RateLimited(1)),
            Step::calls([shell("echo hello")]),
            Step::trouble(Trouble::Broken),
            Step::says("This will not come to its end.").cut_after(4, Break::Fin),
            Step::says("All done.").without_terminal(),
        ])
    })
    .await;
    let totals = counted("faults", &stage, anything_goes(stage.codex(PLAIN))).await;
    let counts = [
        // After the cut it has heard what was said, and goes on from there.
        ("ccxray.retries_total{provider=openai}", 3),
        ("ccxray.errors_total{provider=openai,type=rate_limit}", 1),
        ("ccxray.errors_total{provider=openai,type=server}", 1),
        ("ccxray.aborted_total{by=upstream,provider=openai}", 1),
        ("ccxray.invariants.sse_truncated_total{provider=openai}", 2),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn an_answer_that_is_too_long() {
    if !installed("codex") {
        return;
    }
    let stage = Stage::set(|_| Play::new([Step::says("And then").stops("max_tokens")])).await;
    stage.plays_to_any_end(anything_goes(stage.codex(PLAIN))).await;
    let totals = stage.counted(DIR, "codex.max-tokens").await;
    totals.assert_counts(&[("ccxray.max_tokens_hit_total{model=gpt-5.5}", 1)]);
}

#[tokio::test]
async fn an_error_within_a_stream() {
    if !installed("codex") {
        return;
    }
    let stage =
        Stage::set(|_| Play::new([Step::says("Not to the end.").fails_after(4, Trouble::Overloaded)])).await;
    stage.plays_to_any_end(anything_goes(stage.codex(PLAIN))).await;
    let totals = stage.counted(DIR, "codex.error-in-stream").await;
    let counts = [
        ("ccxray.stop_reason_total{reason=error}", 1),
        ("ccxray.errors_total{provider=openai,type=overloaded}", 1),
    ];
    totals.assert_counts(&counts);
}
