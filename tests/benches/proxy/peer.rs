//! What stands between the clients and the provider: nothing, nginx, or a build of `ccxray-proxy`.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
};

use ccxray_tests::{
    daemons::{Process, State},
    eventually,
    spool::Spool,
};
use tokio::net::TcpStream;

/// Something that forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The clients speak to the provider itself.
    Direct,
    /// nginx, with an access log in JSON.
    Nginx(PathBuf),
    /// This program, recording.
    Proxy {
        /// What the table calls it.
        name: String,
        /// Where it is.
        program: PathBuf,
    },
}

/// A running one.
pub(crate) struct Peer {
    kind: Kind,
    address: SocketAddr,
    process: Option<Process>,
    state: State,
}

impl Kind {
    /// What the table calls it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Direct => "direct",
            Self::Nginx(_) => "nginx",
            Self::Proxy { name, .. } => name,
        }
    }

    /// Starts one before `upstream`; `one_core` holds all of it to the first core.
    pub(crate) async fn start(&self, upstream: SocketAddr, one_core: bool) -> Peer {
        let state = State::new();
        let (address, process) = match self {
            Self::Direct => (upstream, None),
            Self::Nginx(program) => {
                let address = free_address();
                let config = state.root().join("nginx.conf");
                fs::write(&config, nginx_config(state.root(), address, upstream))
                    .expect("scratch can be written");
                let mut command = command(program, one_core);
                command.arg("-p").arg(state.root()).arg("-c").arg(config);
                command.arg("-e").arg(state.root().join("error.log"));
                (address, Some(Process::start(command, state.root(), &[])))
            }
            Self::Proxy { program, .. } => {
                let ready = state.root().join("ready.json");
                let mut command = command(program, one_core);
                command.args(["serve", "--listen", "127.0.0.1:0"]);
                command.arg("--upstream").arg(format!("anthropic=http://{upstream}"));
                command.arg("--state-dir").arg(state.dir()).arg("--ready-file").arg(&ready);
                let process = Process::start(command, state.root(), &[]);
                (eventually("the proxy to be ready", || listens_at(&ready)).await, Some(process))
            }
        };
        wait_for(address).await;
        Peer { kind: self.clone(), address, process, state }
    }
}

impl Peer {
    /// What it is.
    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Where the clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it keeps what it keeps.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// The CPU time that it has taken so far, all threads, in nanoseconds.
    pub(crate) fn cpu(&self) -> u64 {
        let Some(process) = &self.process else { return 0 };
        let tasks =
            fs::read_dir(format!("/proc/{}/task", process.pid())).expect("a running process has threads");
        let times = tasks.filter_map(|task| {
            let stat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            stat.split(' ').next()?.parse::<u64>().ok()
        });
        times.sum()
    }

    /// The most memory that was resident so far, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let Some(process) = &self.process else { return 0 };
        let status =
            fs::read_to_string(format!("/proc/{}/status", process.pid())).expect("a running process");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a process has a peak");
        1024 * peak.trim().trim_end_matches(" kB").parse::<u64>().expect("a peak is a number")
    }

    /// Ends it. Panics if it is a proxy that did not leave one entry per request, and says how many of them came from a
    /// copy that was given up, which costs less than it should.
    pub(crate) async fn end(mut self, requests: usize) {
        let Some(process) = &mut self.process else { return };
        if matches!(self.kind, Kind::Proxy { .. }) {
            process.stop().await;
            let spool = Spool::read(&self.state.dir());
            assert_eq!((spool.lost, spool.len()), (0, requests), "one entry per request, and none lost");
            let whole = |entry: &&serde_json::Value| entry.get("parse").is_none_or(|parse| parse == "ok");
            let given_up = requests - spool.entries().filter(whole).count();
            if given_up > 0 {
                eprintln!("{}: {given_up} of {requests} copies were given up", self.kind.name());
            }
        }
    }
}

fn command(program: &Path, one_core: bool) -> Command {
    if !one_core {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(program);
    command
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket has an address")
}

fn listens_at(ready: &Path) -> Option<SocketAddr> {
    let ready: serde_json::Value = serde_json::from_slice(&fs::read(ready).ok()?).ok()?;
    ready["addresses"][0].as_str()?.parse().ok()
}

async fn wait_for(address: SocketAddr) {
    let mut tries = 0;
    while TcpStream::connect(address).await.is_err() {
        tries += 1;
        assert!(tries < 3000, "nobody listens at {address}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// nginx as one would set it up for this purpose: nothing held back in either direction, connections kept, one line
/// of JSON per exchange. One process, which is what costs it the least.
fn nginx_config(dir: &Path, address: SocketAddr, upstream: SocketAddr) -> String {
    let dir = dir.display();
    format!(
        r#"
daemon off;
master_process off;
pid {dir}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    log_format entry escape=json '{{"at":"$time_iso8601","method":"$request_method","path":"$uri","status":$status,'
        '"outcome":"$request_completion","request_bytes":$request_length,"response_bytes":$body_bytes_sent,'
        '"latency":$request_time,"upstream_latency":"$upstream_response_time","agent":"$http_user_agent"}}';
    access_log {dir}/access.log entry;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    keepalive_requests 100000000;
    keepalive_timeout 1h;
    tcp_nodelay on;
    client_max_body_size 0;
    upstream provider {{
        server {upstream};
        keepalive 64;
        keepalive_requests 100000000;
        keepalive_timeout 1h;
    }}
    server {{
        listen {address};
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_read_timeout 1h;
        }}
    }}
}}
"#
    )
}
