//! A machine with good and bad collectors, and what must hold there.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Component, Path, PathBuf},
};

use ccxray_tests::{
    canary::Canaries,
    client::Ask,
    collector::{Collector, Reply},
    daemons::binary,
    machine::{Machine, agrees, sends},
    trace::{Calls, Trace},
};
use serde_json::{Value, json};

/// What the person's file lets projects have, and what it does not.
pub(crate) const ALLOWED: &str = "TEAM_OTEL_TOKEN";
pub(crate) const SECRETS: [&str; 4] =
    ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "EVIL_HOST"];

/// A machine with a good project, a bad collector, and variables that it would like to have.
pub(crate) struct Scene {
    pub(crate) machine: Machine,
    pub(crate) good: Collector,
    pub(crate) evil: Collector,
    /// A trusted collector that says that pushes are to go to the bad one.
    pub(crate) redirecting: Collector,
    pub(crate) canaries: Canaries,
    pub(crate) allowed: String,
    pub(crate) variables: Vec<(String, String)>,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let (machine, good, evil, redirecting) = (
            Machine::new().await,
            Collector::start().await,
            Collector::start().await,
            Collector::start().await,
        );
        redirecting.reply(Reply::Redirect(format!("{}/v1/metrics", evil.url())));
        let (canaries, allowed) = (Canaries::default(), Canaries::default().mint(ALLOWED));
        let mut variables: Vec<_> =
            SECRETS.iter().map(|name| ((*name).to_owned(), canaries.mint(name))).collect();
        variables.push((ALLOWED.to_owned(), allowed.clone()));
        Self { machine, good, evil, redirecting, canaries, allowed, variables }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.machine.path(below)
    }

    /// Makes a project whose file says this text.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let dir = self.path(name);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(".ccxray.json"), text).unwrap();
        dir
    }

    /// What a bad project's file says below `otel`, with this under `key`.
    pub(crate) fn bad(&self, key: &str, value: Value) -> Value {
        let mut otel = sends("bad", 2, &self.evil.url());
        otel[key] = value;
        otel
    }

    pub(crate) fn person_agrees(&self) {
        let mut own = agrees(2);
        own["trusted_roots"] = json!([self.path("work")]);
        own["allow_env"] = json!([ALLOWED]);
        self.machine.person_says(&own);
    }

    /// What a command of the exporter says, which has the variables, too.
    pub(crate) fn said(&self, arguments: &[&str], trace: &Trace) -> String {
        let mut command = trace.command(&binary("ccxray-exporter"));
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.machine.state.home()).env("CCXRAY_STATE_DIR", self.machine.state.dir());
        let output = command.envs(self.variables.iter().cloned()).output().unwrap();
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
    }

    /// A good project, which may use a variable, and one whose collector redirects.
    pub(crate) fn good_projects(&self) -> [PathBuf; 2] {
        let mut otel = sends("good", 2, &self.good.url());
        otel["headers"] = json!({"authorization": format!("Bearer ${{{ALLOWED}}}")});
        let good = self.machine.project("good", &otel);
        self.machine.trusts(&good);
        [good, self.machine.trusted("redirected", 1, &self.redirecting)]
    }

    /// Asks from this directory as a stamp says, as the client states, and as both say.
    pub(crate) async fn asks_from(&self, dir: &OsStr, good: &Path) {
        let client = &self.machine.client;
        client.ask(&Ask::simple("Hi").from_dir(Path::new(dir))).await;
        if let Some(dir) = dir.to_str() {
            client.ask(&Ask::simple("Hi").stating_dir(dir)).await;
            client.ask(&Ask::simple("Hi").stating_dir(dir).from_dir(good)).await;
        }
    }

    pub(crate) fn assert_no_secret(&self, bytes: &[u8], place: &str) {
        assert_eq!(self.canaries.found_in(bytes), Vec::<String>::new(), "{place}");
    }

    /// Nothing was looked at but for what is the exporter's, the person's, in trusted places, or the system's.
    pub(crate) fn assert_in_trusted_places(&self, calls: &Calls) {
        let own = ["state", "home", "good", "redirected", "changed", "vanished", "work"]
            .map(|name| self.path(name));
        let root = self.path("");
        let is_ready_file = |path: &Path| {
            path.strip_prefix(&root).is_ok_and(|name| name.to_string_lossy().starts_with("exporter-"))
        };
        let is_own = |path: &Path| {
            own.iter().any(|own| path.starts_with(own)) || root.starts_with(path) || is_ready_file(path)
        };
        let is_plain = |path: &Path| !path.components().any(|part| part == Component::ParentDir);
        let paths = calls.paths().into_iter();
        let odd: Vec<_> =
            paths.filter(|path| !is_plain(path) || !(is_own(path) || is_systems(path))).collect();
        assert_eq!(odd, Vec::<PathBuf>::new());
    }
}

/// Nothing was connected to but for these; nothing foreign was looked at; no variable was read that nobody allowed.
pub(crate) fn assert_harmless(calls: &Calls, allowed: &[&Collector]) {
    let allowed: BTreeSet<_> = allowed.iter().map(|collector| collector.address().to_string()).collect();
    assert!(calls.peers().is_subset(&allowed), "{:?} is not {allowed:?}", calls.peers());
    assert_eq!(calls.lookups(), Vec::<String>::new());
    let read = calls.variables();
    assert!(read.contains("HOME"), "it was traced: {read:?}");
    assert!(!SECRETS.iter().any(|name| read.contains(*name)), "{read:?}");
}

/// Whether a program looks at this by itself: to be loaded, to know its machine, and for the list of mounts.
fn is_systems(path: &Path) -> bool {
    const DIRS: [&str; 8] = [
        "/etc/ld.so.cache",
        "/etc/ld.so.preload",
        "/etc/ssl",
        "/lib",
        "/usr/lib",
        "/proc/sys/vm/overcommit_memory",
        "/proc/self/exe",
        "/sys/fs/cgroup",
    ];
    let is_of_process = path.starts_with("/proc")
        && path.components().count() == 4
        && ["cgroup", "maps", "mountinfo"].iter().any(|name| path.ends_with(name));
    let is_traced = path == binary("ccxray-exporter") || path.ends_with("getenv.so");
    is_of_process || is_traced || DIRS.iter().any(|dir| path.starts_with(dir))
}
