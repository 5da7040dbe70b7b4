//! The real Claude Code plays through the proxy, and a real database says of every metric what the provider knows.

use ccxray_tests::{
    Stage,
    client::{Agent, installed},
    truth::Totals,
    upstream::{
        Call, Encoding, Usage,
        play::{Part, Play, Step, Trouble},
    },
    wire::Break,
};
use serde_json::json;

/// Where the comparisons of truth and database are left.
const DIR: &str = env!("CARGO_TARGET_TMPDIR");

fn bash(command: &str) -> Call {
    Call::new("Bash", json!({"command": command, "description": "Does something"}))
}

fn agent(kind: &str, prompt: &str) -> Call {
    let input = json!({"subagent_type": kind, "description": "A small thing", "prompt": prompt});
    Call::new("Agent", input).starts(&kind.to_lowercase(), prompt)
}

fn mcp(tool: &str) -> Call {
    Call::new(&format!("mcp__demo__{tool}"), json!({"text": "hello"})).mcp("demo", tool)
}

/// Lets Claude Code play to the good end, and returns what the database has counted.
async fn counted(name: &str, stage: &Stage, agent: Agent) -> Totals {
    stage.plays_and_counts(agent, DIR, &format!("claude-code.{name}")).await
}

#[tokio::test]
async fn tools() {
    if !installed("claude") {
        return;
    }
    let stage = Stage::set(|project| {
        let readme = json!({"file_path": project.path("README.md")});
        let file = json!({"file_path": project.path("made.txt"), "content": "made"});
        Play::new([
            Step::calls([Call::new("Read", readme), bash("echo hello"), bash("exit 3")])
                .encoded(Encoding::Gzip)
                .remaining("requests", 49)
                .remaining("input-tokens", 39_000),
            Step::calls([
                Call::new("Write", file).writes(),
                bash("rm -rf ./nothing").danger("recursive_delete"),
            ])
            .remaining("requests", 48),
        ])
    })
    .await;
    let totals = counted("tools", &stage, stage.claude_code()).await;
    let counts = [
        ("ccxray.tool.invocations_total{provider=anthropic,tool=Bash}", 3),
        ("ccxray.tool.failures_total{provider=anthropic,tool=Bash}", 1),
        ("ccxray.dangerous_tool.invocations_total{pattern=recursive_delete}", 1),
        ("ccxray.file_writes_total{provider=anthropic}", 1),
        ("ccxray.tools_per_turn{provider=anthropic}", 3),
        ("ccxray.tools_per_turn.sum{provider=anthropic}", 5),
        ("ccxray.ratelimit.remaining{limit=requests,provider=anthropic}", 48),
        ("ccxray.ratelimit.remaining{limit=input-tokens,provider=anthropic}", 39_000),
        ("ccxray.permission_mode.usage_total{mode=unknown}", 3),
        ("ccxray.agent_type.invocations_total{type=main}", 3),
        // Three times a bit more than 10 000 of 1 000 000 tokens.
        ("ccxray.context.utilization_pct.sum{provider=anthropic}", 6),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn an_mcp_server_and_a_skill_by_the_model() {
    if !installed("claude") {
        return;
    }
    let skill = || Call::new("Skill", json!({"skill": "greet"})).skill("greet");
    let play = Play::new([Step::calls([mcp("echo"), mcp("fail"), mcp("echo")]), Step::calls([skill()])]);
    let stage = Stage::set(|_| play).await;
    stage.project().skill("greet", "Say hello.");
    let agent = stage.claude_code().with_mcp_server(&stage.project().mcp_server());
    let totals = counted("mcp-and-skill", &stage, agent).await;
    let counts = [
        ("ccxray.mcp.invocations_total{server=demo,tool=echo}", 2),
        ("ccxray.mcp.invocations_total{server=demo,tool=fail}", 1),
        ("ccxray.mcp.errors_total{server=demo}", 1),
        ("ccxray.tool.failures_total{provider=anthropic,tool=mcp__demo__fail}", 1),
        ("ccxray.tool.invocations_total{provider=anthropic,tool=mcp__demo__echo}", 2),
        ("ccxray.skill.activations_total{provider=anthropic,skill=greet}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn a_skill_by_the_user() {
    if !installed("claude") {
        return;
    }
    let stage = Stage::set(|_| Play::new([Step::calls([bash("echo hello")])])).await;
    stage.project().skill("greet", "Say hello.");
    let prompt = format!("/greet {}", stage.canaries.mint("prompt"));
    let said = stage.plays_told(stage.claude_code(), &prompt).await;
    assert!(said.contains("All done."), "{said}");
    let totals = stage.counted(DIR, "claude-code.skill-by-user").await;
    totals.assert_counts(&[("ccxray.skill.activations_total{provider=anthropic,skill=greet}", 1)]);
}

#[tokio::test]
async fn sub_agents() {
    if !installed("claude") {
        return;
    }
    let together =
        [agent("general-purpose", "Look at the first thing."), agent("Explore", "Look at the second.")];
    let play =
        Play::new([Step::calls(together), Step::calls([agent("sweeper", "Look at the third thing.")])])
            .and(Part::SubAgent, [Step::calls([bash("echo from within")])]);
    let stage = Stage::set(|_| play).await;
    stage.project().agent_type("sweeper", "You look after small things.");
    let totals = counted("sub-agents", &stage, stage.claude_code()).await;
    let counts = [
        ("ccxray.subagent.invocations_total{provider=anthropic}", 3),
        ("ccxray.agent_type.invocations_total{type=sweeper}", 1),
        ("ccxray.tool.invocations_total{provider=anthropic,tool=Agent}", 3),
        ("ccxray.sessions_total{provider=anthropic}", 1),
    ];
    totals.assert_counts(&counts);
    let explorers = totals.get("ccxray.agent_type.invocations_total{type=explore}");
    let others = totals.get("ccxray.agent_type.invocations_total{type=general-purpose}");
    assert_eq!((explorers.min(others), explorers + others), (1, 3), "whoever came first made a call");
    // They work in the background: how often the main agent asks meanwhile is left to chance.
    assert!(totals.get("ccxray.agent_type.invocations_total{type=main}") >= 3);
}

#[tokio::test]
async fn plan_mode_with_a_small_window() {
    if !installed("claude") {
        return;
    }
    let stage = Stage::set(|project| {
        let read = Call::new("Read", json!({"file_path": project.path("README.md")}));
        Play::new([Step::calls([read]).uses(Usage { cache_read: 50_000, ..Usage::sample(1) })])
    })
    .await;
    let agent = stage.claude_code().arguments(["--permission-mode", "plan", "--model", "claude-haiku-4-5"]);
    let totals = counted("plan-mode", &stage, agent).await;
    let counts = [
        ("ccxray.permission_mode.usage_total{mode=plan}", 2),
        // 51 480 and 10 525 of 200 000 tokens.
        ("ccxray.context.utilization_pct.sum{provider=anthropic}", 26 + 6),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn a_web_search() {
    if !installed("claude") {
        return;
    }
    let query = || json!({"query": "ccxray"});
    let found = Step::searches(Call::new("web_search", query()), "Something was found.")
        .uses(Usage { searches: 1, ..Usage::sample(40) });
    let play = Play::new([Step::calls([Call::new("WebSearch", query())])]).and(Part::WebSearch, [found]);
    let stage = Stage::set(|_| play).await;
    let totals = counted("web-search", &stage, stage.claude_code()).await;
    let counts = [
        ("ccxray.requests_total{class=web_search,provider=anthropic,route=messages,status=2xx}", 1),
        ("ccxray.agent_type.invocations_total{type=web-search}", 1),
        ("ccxray.tool.invocations_total{provider=anthropic,tool=WebSearch}", 1),
        ("ccxray.tool.invocations_total{provider=anthropic,tool=web_search}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn a_conversation_that_is_compacted() {
    if !installed("claude") {
        return;
    }
    let stage = Stage::set(|_| {
        Play::new([
            Step::calls([bash("echo one")]),
            Step::calls([bash("echo two")]),
            Step::trouble(Trouble::PromptTooLong),
        ])
    })
    .await;
    let totals = counted("compaction", &stage, stage.claude_code()).await;
    let counts = [
        ("ccxray.auto_compact.triggered_total{provider=anthropic}", 1),
        ("ccxray.requests_total{class=compaction,provider=anthropic,route=messages,status=2xx}", 1),
        ("ccxray.agent_type.invocations_total{type=compaction}", 1),
        ("ccxray.errors_total{provider=anthropic,type=context_length}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn what_fails_and_is_tried_again() {
    if !installed("claude") {
        return;
    }
    let stage = Stage::set(|_| {
        Play::new([
            Step::trouble(Trouble::RateLimited(1)),
            Step::calls([bash("echo hello")]),
            Step::trouble(Trouble::Overloaded),
            Step::trouble(Trouble::Broken),
            Step::says("All done.").without_terminal(),
        ])
    })
    .await;
    let totals = counted("faults", &stage, stage.claude_code()).await;
    let counts = [
        ("ccxray.retries_total{provider=anthropic}", 3),
        ("ccxray.errors_total{provider=anthropic,type=rate_limit}", 1),
        ("ccxray.errors_total{provider=anthropic,type=overloaded}", 1),
        ("ccxray.errors_total{provider=anthropic,type=server}", 1),
        ("ccxray.invariants.sse_truncated_total{provider=anthropic}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn answers_that_end_for_other_reasons() {
    if !installed("claude") {
        return;
    }
    let stage = Stage::set(|_| {
        Play::new([
            Step::says("And then").stops("max_tokens"),
            Step::says("I would rather not.").stops("refusal"),
        ])
    })
    .await;
    stage.plays_to_any_end(stage.claude_code()).await;
    let totals = stage.counted(DIR, "claude-code.stop-reasons").await;
    let counts = [
        ("ccxray.max_tokens_hit_total{model=claude-opus-4-8}", 1),
        ("ccxray.stop_reason_total{reason=max_tokens}", 1),
        ("ccxray.stop_reason_total{reason=refusal}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn a_stream_that_is_cut() {
    if !installed("claude") {
        return;
    }
    let cut = Step::says("This will not come to its end.").cut_after(4, Break::Rst);
    let stage = Stage::set(|_| Play::new([Step::calls([bash("echo hello")]), cut])).await;
    stage.plays_to_any_end(stage.claude_code()).await;
    let totals = stage.counted(DIR, "claude-code.cut").await;
    let counts = [
        ("ccxray.aborted_total{by=upstream,provider=anthropic}", 1),
        ("ccxray.invariants.sse_truncated_total{provider=anthropic}", 1),
    ];
    totals.assert_counts(&counts);
}

#[tokio::test]
async fn an_error_within_a_stream() {
    if !installed("claude") {
        return;
    }
    let fails = Step::says("This will not come to its end.").fails_after(4, Trouble::Overloaded);
    let stage = Stage::set(|_| Play::new([Step::calls([bash("echo hello")]), fails])).await;
    stage.plays_to_any_end(stage.claude_code()).await;
    let totals = stage.counted(DIR, "claude-code.error-in-stream").await;
    totals.assert_counts(&[("ccxray.stop_reason_total{reason=error}", 1)]);
}
