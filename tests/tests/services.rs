//! The daemons as packages bring them: what they tell a service manager, the files that have it start them, completions
//! and man pages.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use ccxray_tests::{
    PATIENCE,
    daemons::{Process, State, binary},
    service_manager::ServiceManager,
};

const WATCHDOG: Duration = Duration::from_millis(600);

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging")
}

fn start(program: &str, arguments: &[&str], state: &State, manager: &ServiceManager) -> Process {
    let mut command = Command::new(binary(program));
    command.args(arguments).arg("--state-dir").arg(state.dir());
    command.arg("--ready-file").arg(state.root().join("ready.json"));
    let variables: Vec<_> =
        manager.environment(WATCHDOG).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Process::start(command, state.root(), &variables)
}

/// Where the daemon listens, as its ready file says.
fn address(state: &State) -> String {
    let ready = fs::read(state.root().join("ready.json")).expect("the ready file is there");
    let ready: ccxray_shared::daemon::ready::Ready = serde_json::from_slice(&ready).expect("it is JSON");
    ready.addresses[0].clone()
}

async fn tells_its_manager(program: &str, arguments: &[&str]) {
    let state = State::new();
    let manager = ServiceManager::in_dir(state.root()).expect("a socket can be bound");
    let mut process = start(program, arguments, &state, &manager);
    let ready = manager.hear_until("READY=1", PATIENCE).unwrap_or_else(|e| panic!("{e}: {}", process.said()));
    assert!(ready.iter().any(|line| line.starts_with("STATUS=")), "{ready:?}");
    TcpStream::connect(address(&state)).expect("a daemon that is ready answers");
    for _ in 0..4 {
        manager.hear_until("WATCHDOG=1", PATIENCE).expect("a daemon that lives says so");
    }
    process.hang();
    while manager.hear(WATCHDOG).is_some() {}
    process.wake();
    manager.hear_until("WATCHDOG=1", PATIENCE).expect("it goes on");
    process.terminate();
    manager.hear_until("STOPPING=1", PATIENCE).expect("a daemon that stops says so");
    assert_eq!(process.ended().await.code(), Some(0));
}

#[tokio::test]
async fn the_proxy_tells_its_service_manager_how_it_is() {
    tells_its_manager("ccxray-proxy", &["serve", "--listen", "127.0.0.1:0"]).await;
}

#[tokio::test]
async fn the_exporter_tells_its_service_manager_how_it_is() {
    tells_its_manager("ccxray-exporter", &["run", "--local", "127.0.0.1:0"]).await;
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let home = tempfile::tempdir().expect("a scratch directory");
    let bin = home.path().join(".local/bin");
    fs::create_dir_all(&bin).expect("it can be written");
    for program in ["ccxray-proxy", "ccxray-exporter"] {
        symlink(binary(program), bin.join(program)).expect("it can be written");
    }
    let units = packaging().join("systemd/user");
    let verified = Command::new("systemd-analyze")
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .args(["--user", "verify"])
        .args(["ccxray-proxy.service", "ccxray-exporter.service"].map(|unit| units.join(unit)))
        .output();
    let Ok(verified) = verified else {
        eprintln!("SKIPPED: systemd-analyze is not installed; the units were not verified");
        return;
    };
    // It says what it ignores, and succeeds all the same.
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.is_empty(), "{said}");
}

#[test]
fn neither_unit_depends_on_the_other() {
    for (unit, other) in [("ccxray-proxy", "ccxray-exporter"), ("ccxray-exporter", "ccxray-proxy")] {
        let file = packaging().join(format!("systemd/user/{unit}.service"));
        let text = fs::read_to_string(file).expect("the unit is there");
        assert!(text.contains(&format!("/{unit} ")) && !text.contains(other), "{text}");
    }
}

/// What a program prints on stdout, and whether it succeeded.
fn prints(program: &str, arguments: &[&str]) -> (bool, String) {
    let output =
        Command::new(binary(program)).env_clear().args(arguments).output().expect("it can be started");
    (output.status.success(), String::from_utf8(output.stdout).expect("it prints text"))
}

#[test]
fn both_programs_print_their_completions() {
    for (program, option) in [("ccxray-proxy", "drain-timeout"), ("ccxray-exporter", "resume-grace")] {
        for shell in ["bash", "zsh", "fish"] {
            let (succeeded, script) = prints(program, &["completions", shell]);
            assert!(succeeded && script.contains(program) && script.contains(option), "{program} {shell}");
        }
        assert!(!prints(program, &["completions", "cmd.exe"]).0);
    }
}

#[test]
fn both_programs_print_their_man_pages() {
    let pages = [
        ("ccxray-proxy", "run", "PROGRAM"),
        ("ccxray-proxy", "serve", r"drain\-timeout"),
        ("ccxray-exporter", "run", r"resume\-grace"),
    ];
    for (program, command, word) in pages {
        let (succeeded, page) = prints(program, &["man"]);
        assert!(succeeded && page.contains(&format!(".TH {program} 1")), "{page}");
        let (succeeded, page) = prints(program, &["man", command]);
        let title = format!(".TH {program}-{command} 1");
        assert!(succeeded && page.contains(&title) && page.contains(word), "{page}");
        assert!(!prints(program, &["man", "walk"]).0);
    }
}
