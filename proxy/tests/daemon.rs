//! The daemon as a script sees it: options, exit codes, ready file, signals.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall stop")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use ccxray_shared::daemon::ready::Ready;
use rustix::process::{Pid, Signal, kill_process};

const PATIENCE: Duration = Duration::from_secs(20);

struct Daemon {
    child: Child,
    ready: Ready,
    _dir: tempfile::TempDir,
}

fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ccxray-proxy"));
    command.env_clear().arg("--state-dir").arg(dir.join("state")).stdin(Stdio::null());
    command
}

impl Daemon {
    fn start(args: &[String]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ready_file = dir.path().join("ready.json");
        let mut child = command(dir.path())
            .arg("--ready-file")
            .arg(&ready_file)
            .args(args)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It says where it listens after the ready file is written; if there is none, the end tells why.
        let mut said = String::new();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        while !said.contains("listening at") && stderr.read_line(&mut said).unwrap() > 0 {}
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        let ready = fs::read(&ready_file).unwrap_or_else(|error| panic!("{error}: {said}"));
        Self { child, ready: serde_json::from_slice(&ready).unwrap(), _dir: dir }
    }

    fn before(upstream: &TcpListener, more: &[&str]) -> Self {
        let upstream = format!("--upstream=anthropic=http://{}", upstream.local_addr().unwrap());
        let args = ["--listen", "127.0.0.1:0"].map(str::to_owned).into_iter().chain([upstream]);
        Self::start(&args.chain(more.iter().map(|&arg| arg.to_owned())).collect::<Vec<_>>())
    }

    fn post(&self) -> TcpStream {
        let address = &self.ready.addresses[0];
        let mut client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(client, "POST /v1/messages HTTP/1.1\r\nHost: {address}\r\nContent-Length: 4\r\n\r\nbody")
            .unwrap();
        client
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn exit_code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::yield_now();
        }
        panic!("the daemon did not end");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Accepts a connection and reads the request of [`Daemon::post`].
fn take_post(listener: &TcpListener) -> TcpStream {
    let (mut server, _) = listener.accept().unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\nbody") {
        let mut byte = [0];
        server.read_exact(&mut byte).unwrap();
        seen.extend(byte);
    }
    server
}

fn rest(stream: &mut impl Read) -> String {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    String::from_utf8(rest).unwrap()
}

/// What the program says on both outputs, and its exit code.
fn says(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ccxray-proxy")).env_clear().args(args).output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
    (output.status.code(), said)
}

fn fails(args: &[&str]) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let Output { status, stderr, .. } = command(dir.path()).args(args).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn an_exchange_in_flight_ends_before_the_daemon_does() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut daemon = Daemon::before(&listener, &[]);
    assert_eq!(daemon.ready.pid, daemon.child.id());
    let mut client = daemon.post();
    let mut server = take_post(&listener);
    daemon.signal(Signal::HUP);
    daemon.signal(Signal::TERM);
    daemon.signal(Signal::INT);
    // The door is closed first.
    while TcpStream::connect(&daemon.ready.addresses[0]).is_ok() {
        assert!(daemon.child.try_wait().unwrap().is_none());
    }
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    assert!(rest(&mut client).ends_with("\r\n\r\nok"));
    assert_eq!(daemon.exit_code(), Some(0));
}

#[test]
fn the_drain_ends_at_its_deadline_or_at_a_second_signal() {
    for (more, signals) in [(&["--drain-timeout", "50ms"][..], 1), (&["--drain-timeout", "1h"][..], 2)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut daemon = Daemon::before(&listener, more);
        let mut client = daemon.post();
        let mut server = take_post(&listener);
        daemon.signal(Signal::INT);
        while TcpStream::connect(&daemon.ready.addresses[0]).is_ok() {}
        let deadline = Instant::now() + PATIENCE;
        while signals == 2 && daemon.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "the daemon did not end");
            daemon.signal(Signal::INT);
        }
        assert_eq!(daemon.exit_code(), Some(0));
        assert_eq!((rest(&mut client), rest(&mut server)), (String::new(), String::new()));
    }
}

#[test]
fn a_unix_socket_is_served_and_removed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("proxy.sock");
    // A socket that a crashed daemon left behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let upstream = format!("--upstream=anthropic=http://{}", listener.local_addr().unwrap());
    let mut daemon = Daemon::start(&[upstream, format!("--listen=unix:{}", path.display())]);
    assert_eq!(daemon.ready.addresses, [path.display().to_string()]);
    let mut client = UnixStream::connect(&path).unwrap();
    client
        .write_all(
            b"POST /v1/messages HTTP/1.1\r\nHost: any\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody",
        )
        .unwrap();
    take_post(&listener).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    assert!(rest(&mut client).ends_with("\r\n\r\nok"));
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.exit_code(), Some(0));
    assert!(!path.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn running_out_of_descriptors_passes_when_clients_leave() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let daemon = Daemon::before(&listener, &[]);
    let pid = Pid::from_child(&daemon.child);
    let limit = rustix::process::Rlimit { current: Some(40), maximum: Some(40) };
    rustix::process::prlimit(Some(pid), rustix::process::Resource::Nofile, limit).unwrap();
    let crowd: Vec<TcpStream> =
        (0..60).map(|_| TcpStream::connect(&daemon.ready.addresses[0]).unwrap()).collect();
    drop(crowd);
    let mut client = daemon.post();
    take_post(&listener).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    let mut answer = [0; 15];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

#[test]
fn the_launcher_becomes_a_program_that_is_led_to_the_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let daemon = Daemon::before(&listener, &[]);
    let dir = tempfile::tempdir().unwrap();
    let launcher = |script: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccxray-proxy"));
        command.env_clear().env("CCXRAY_PROXY", format!("http://{}", daemon.ready.addresses[0]));
        command.env("CCXRAY_TIER", "0").current_dir(dir.path()).stdout(Stdio::piped());
        command.args(["run", "--", "/bin/sh", "-c", script, "sh", "--dir", "x"]).spawn().unwrap()
    };
    let said = launcher("echo \"$$ $ANTHROPIC_BASE_URL $*\"; exit 41");
    let pid = said.id();
    let output = said.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let [own_pid, url, rest] = said.trim_end().splitn(3, ' ').collect::<Vec<_>>()[..] else {
        panic!("{said}")
    };
    assert_eq!((own_pid, rest, output.status.code()), (pid.to_string().as_str(), "--dir x", Some(41)));
    let real = dir.path().canonicalize().unwrap();
    let stamp = ccxray_proxy::route::base64url::encode(real.to_str().unwrap().as_bytes());
    let address = &daemon.ready.addresses[0];
    assert_eq!(url, format!("http://{address}/_ccxray/anthropic/dir/{stamp}/tier/0/-"));
    let status = launcher("kill -KILL $$").wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
}

#[test]
fn a_launch_that_cannot_be_says_what_to_do() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, said) = says(&["run", "--proxy", &format!("http://{closed}"), "--", "/bin/true"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&closed.to_string()) && said.contains("start it with `ccxray-proxy`"), "{said}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let daemon = Daemon::before(&listener, &[]);
    let proxy = format!("http://{}", daemon.ready.addresses[0]);
    assert_eq!(says(&["run", "--proxy", &proxy, "--", "/nowhere/agent"]).0, Some(127));
    assert_eq!(says(&["run", "--proxy", &proxy, "--", "/"]).0, Some(126));
    assert_eq!(says(&["run", "--proxy", &proxy, "--dir", "/nowhere", "--", "/bin/true"]).0, Some(1));
    assert_eq!(says(&["run"]).0, Some(2));
}

#[test]
fn a_shell_reads_what_env_prints() {
    let print = Command::new(env!("CARGO_BIN_EXE_ccxray-proxy")).arg("env").output().unwrap();
    let script = String::from_utf8(print.stdout).unwrap() + "echo $GOOGLE_GEMINI_BASE_URL";
    let output = Command::new("/bin/sh").env_clear().args(["-c", &script]).output().unwrap();
    let url = String::from_utf8(output.stdout).unwrap();
    assert!(url.starts_with("http://127.0.0.1:5588/_ccxray/gemini/dir/") && url.ends_with("/-\n"), "{url}");
}

#[test]
fn an_address_that_others_can_reach_needs_a_word() {
    let (code, said) = fails(&["--listen", "0.0.0.0:0"]);
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("0.0.0.0:0") && said.contains("--allow-remote"), "{said}");
}

#[test]
fn an_upstream_that_leads_back_here_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (code, said) = fails(&[
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--upstream",
        &format!("mine=http://localhost:{port}"),
    ]);
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("`mine`"), "{said}");
}

#[test]
fn each_kind_of_failure_has_its_exit_code() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_eq!(fails(&["--listen", &address]).0, Some(1));
    assert_eq!(fails(&["--no-such-option"]).0, Some(2));
    assert_eq!(fails(&["--upstream", "mine=ftp://x"]).0, Some(2));
    assert_eq!(fails(&["--fsync", "sometimes"]).0, Some(2));
}
