//! System calls of a process, seen from outside: what it connects to, which files it looks at, which variables it reads.
//!
//! By `strace`, where there is one and it may trace. A read of an environment variable is no system call: a preloaded
//! `getenv` makes it one.

mod calls;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use tempfile::TempDir;

pub use self::calls::Calls;
use crate::eventually;

/// The calls of interest.
const TRACED: &str = "trace=%file,socket,bind,connect,sendto,sendmsg,sendmmsg";

const GETENV: &str = include_str!("getenv.c");

/// Traces processes.
#[derive(Debug)]
pub struct Tracer {
    strace: PathBuf,
    /// The logs, and the preloaded library.
    dir: TempDir,
    number: AtomicU64,
}

/// What is traced of one process and all that it starts.
#[derive(Clone, Debug)]
pub struct Trace {
    strace: PathBuf,
    library: PathBuf,
    log: PathBuf,
}

impl Tracer {
    /// One, if this machine has what it needs; says so, loudly, if not.
    pub fn new() -> Option<Self> {
        let Some(strace) = strace() else {
            eprintln!("SKIPPED: system calls cannot be traced here; see `tests/scripts/get-strace.sh`");
            return None;
        };
        let dir = tempfile::tempdir().expect("a scratch directory can be made");
        let source = dir.path().join("getenv.c");
        fs::write(&source, GETENV).expect("the scratch directory can be written");
        let library = dir.path().join("getenv.so");
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
        assert!(built.expect("whoever links Rust has a C compiler").success(), "getenv.c is sound");
        Some(Self { strace, dir, number: AtomicU64::new(0) })
    }

    /// For one more process.
    pub fn trace(&self) -> Trace {
        let log = self.dir.path().join(format!("{}.trace", self.number.fetch_add(1, Relaxed)));
        Trace { strace: self.strace.clone(), library: self.dir.path().join("getenv.so"), log }
    }
}

impl Trace {
    /// Starts `program` traced. The process is its own, with its own process id; the tracer stands aside.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(&self.strace);
        command.args(["-D", "-f", "-y", "--seccomp-bpf", "-e", TRACED, "-o"]).arg(&self.log);
        command.arg("-E").arg(format!("LD_PRELOAD={}", self.library.display())).arg("--").arg(program);
        command
    }

    /// All its calls, once it has ended.
    pub async fn ended(&self) -> Calls {
        eventually("the end of the trace", || {
            let text = fs::read(&self.log).ok()?;
            let calls = Calls::parse(&String::from_utf8_lossy(&text));
            calls.is_complete().then_some(calls)
        })
        .await
    }
}

/// A working `strace`: the machine's, or that of `tests/scripts/get-strace.sh`.
fn strace() -> Option<PathBuf> {
    let cached = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/strace/usr/bin/strace");
    [PathBuf::from("strace"), cached].into_iter().find(|strace| {
        let mut tried = Command::new(strace);
        tried.args(["-D", "-f", "--seccomp-bpf", "-o", "/dev/null", "true"]).stderr(Stdio::null());
        tried.status().is_ok_and(|status| status.success())
    })
}
