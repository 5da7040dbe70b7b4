//! A process of the test's own, which never outlives it.

use std::{
    fs::{self, File},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::eventually;

/// Tells the logs and ready files of one test's processes apart.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A running (or stopped, or ended) process. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with nothing of the test's environment but `PATH`, a home below `dir`, and what
    /// `variables` says; stderr and stdout go to a log below `dir`.
    pub fn start(mut command: Command, dir: &Path, variables: &[(String, String)]) -> Self {
        let name =
            Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = fresh_path(dir, &name, "log");
        let file = File::create(&log).expect("the scratch directory can be written");
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", dir.join("home"))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file handle can be doubled"))
            .stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("failed to start {name}: {error}"));
        Self { name, child, log }
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Hangs it (SIGSTOP).
    pub fn hang(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on (SIGCONT).
    pub fn wake(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        eventually(&what, || self.child.try_wait().expect("a child can be waited for")).await
    }

    /// Asks it to end, waits for that, and checks that it ended well.
    pub async fn stop(&mut self) {
        self.terminate();
        let status = self.ended().await;
        assert!(
            status.success(),
            "{} ended with {status} ({:?}):\n{}",
            self.name,
            status.signal(),
            self.said()
        );
    }

    /// Panics with what it said if it has ended.
    pub fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
            panic!("{} ended with {status}:\n{}", self.name, self.said());
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid is positive");
        kill_process(pid, signal).expect("a child that has not been waited for takes signals");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {} said:\n{}", self.name, self.said());
        }
    }
}

/// A path below `dir` that no other process of this test has.
pub(super) fn fresh_path(dir: &Path, name: &str, extension: &str) -> PathBuf {
    dir.join(format!("{name}-{}.{extension}", NUMBER.fetch_add(1, Relaxed)))
}

/// Waits until the daemon has written its ready file, and returns the addresses that it names.
pub(super) async fn ready(process: &mut Process, file: &Path) -> Vec<String> {
    let what = format!("the ready file of {}", process.name);
    let ready: serde_json::Value = eventually(&what, || {
        process.assert_alive();
        serde_json::from_slice(&fs::read(file).ok()?).ok()
    })
    .await;
    assert_eq!(ready["pid"], process.pid(), "the ready file is this process's own");
    let addresses = ready["addresses"].as_array().expect("a ready file lists addresses");
    addresses.iter().map(|address| address.as_str().expect("an address is text").to_owned()).collect()
}
