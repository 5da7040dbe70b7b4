//! Everything from a provider to a real database, for a real agent to play on.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    backends::VictoriaMetrics,
    canary::Canaries,
    client::{Agent, Project},
    daemons::{Exporter, Proxy, RunningExporter, State},
    eventually::eventually_equal,
    spool::Spool,
    truth::{Totals, expected, from_upstream},
    upstream::{Upstream, play::Part, script::Script},
};

/// The provider, the daemons, the database, and secrets to look for.
#[derive(Debug)]
pub struct Stage {
    /// Where everything is.
    pub state: State,
    /// The provider.
    pub upstream: Upstream,
    /// The proxy.
    pub proxy: Proxy,
    /// Secrets.
    pub canaries: Canaries,
    victoria: VictoriaMetrics,
    _exporter: RunningExporter,
}

impl Stage {
    /// Starts everything; the provider plays what is made for this project.
    pub async fn set<S: Script + 'static>(script: impl FnOnce(&Project) -> S) -> Self {
        let state = State::new();
        let upstream = Upstream::start(script(&Project::of(&state))).await;
        let proxy = Proxy::start(&state, &upstream.url()).await;
        let victoria = VictoriaMetrics::start(&state).await;
        let exporter = Exporter::to(&victoria.otlp()).start(&state).await;
        Self { state, upstream, proxy, victoria, _exporter: exporter, canaries: Canaries::default() }
    }

    /// The project in which the agent works.
    pub fn project(&self) -> Project {
        Project::of(&self.state)
    }

    /// Claude Code, with a key that is a secret.
    pub fn claude_code(&self) -> Agent {
        Agent::claude_code(&self.canaries.mint("key"))
    }

    /// Codex, with a key that is a secret.
    pub fn codex(&self, model: &str) -> Agent {
        Agent::codex(&self.canaries.mint("key"), model)
    }

    /// Gemini CLI, with a key that is a secret.
    pub fn gemini_cli(&self, model: &str) -> Agent {
        Agent::gemini_cli(&self.canaries.mint("key"), model)
    }

    /// Lets an agent play, told something that is a secret, to the good end; returns what it printed.
    pub async fn plays(&self, agent: Agent) -> String {
        self.plays_told(agent, &self.canaries.mint("prompt")).await
    }

    /// The same, told this.
    pub async fn plays_told(&self, agent: Agent, prompt: &str) -> String {
        agent.told(prompt).converse(&self.state, &self.proxy).await
    }

    /// Lets an agent play to whatever end.
    pub async fn plays_to_any_end(&self, agent: Agent) -> String {
        let prompt = self.canaries.mint("prompt");
        agent.told(&prompt).run(&self.state, &self.proxy).await.1
    }

    /// Lets an agent play to the good end, and returns what the database has [`counted`](Self::counted).
    pub async fn plays_and_counts(&self, agent: Agent, dir: &str, name: &str) -> Totals {
        let said = self.plays(agent).await;
        assert!(said.contains("All done."), "{said}");
        self.counted(dir, name).await
    }

    /// Waits until the database says what the upstream served, and returns that; checks what the agent left behind. The
    /// comparison is left in `dir` under `name`, whether it came out well or not.
    pub async fn counted(&self, dir: &str, name: &str) -> Totals {
        let truth = expected(&from_upstream(&self.upstream.served()));
        let mut last = Totals::default();
        eventually_equal("the database to hold the truth", &truth, async || {
            last = self.victoria.totals().await;
            write_comparison(&Path::new(dir).join("metrics"), name, &truth, &last);
            last.clone()
        })
        .await;
        self.assert_stamped();
        self.assert_secret().await;
        truth
    }

    /// Checks that every entry is of the project, by the launcher's word.
    fn assert_stamped(&self) {
        let project = json!(self.state.project());
        let spool = Spool::read(&self.state.dir());
        assert_eq!(spool.len(), self.upstream.ledger().len());
        for entry in spool.entries() {
            assert_eq!((&entry["dir"], &entry["dir_source"]), (&project, &json!("stamp")), "{entry}");
        }
    }

    /// Checks that each secret reached the provider, and that none of them was kept or sent anywhere else.
    async fn assert_secret(&self) {
        let mut sent = Vec::new();
        for served in self.upstream.served() {
            sent.extend(served.request.headers.into_iter().flat_map(|(_, value)| value.into_bytes()));
            sent.extend(served.request.body);
        }
        assert_eq!(self.canaries.found_in(&sent).len(), self.canaries.count());
        assert_eq!(self.canaries.found_below(&self.state.dir()), Vec::<String>::new());
        let stored = json!(self.victoria.stored("%7B__name__%3D~%22.%2B%22%7D").await).to_string();
        assert_eq!(self.canaries.found_in(stored.as_bytes()), Vec::<String>::new());
    }
}

/// A test that has failed wants to know what was played.
impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for served in self.upstream.served() {
                let (part, status, told) = (Part::of(&served.request), served.status, &served.told);
                eprintln!("--- {part:?} {:?} {status:?} {told:?}", served.request.target);
            }
        }
    }
}

/// A line for each series: its name, the truth, what was found.
fn write_comparison(dir: &Path, name: &str, truth: &Totals, found: &Totals) {
    let series = truth.iter().chain(found.iter()).map(|(series, _)| series.as_str());
    let series: std::collections::BTreeSet<_> = series.collect();
    let line = |series: &str| format!("{series}\t{}\t{}\n", truth.get(series), found.get(series));
    let lines: String = series.into_iter().map(line).collect();
    fs::create_dir_all(dir)
        .and_then(|()| fs::write(dir.join(format!("{name}.tsv")), lines))
        .expect("the target directory can be written");
}
