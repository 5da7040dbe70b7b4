//! What `strace` wrote.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Where the preloaded `getenv` looks.
const GETENV: &str = "/getenv";

/// Files and sockets that are there for nothing but to find out what a name stands for.
const RESOLVING: [&str; 5] =
    ["/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/nscd/socket", "/io.systemd.Resolve"];

/// The calls of a process and of those that it started.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    calls: Vec<Call>,
    /// Whether the first process has ended.
    is_complete: bool,
}

#[derive(Clone, Debug)]
struct Call {
    name: String,
    /// As `strace` writes them.
    arguments: String,
}

impl Calls {
    /// Reads a log with process ids and the paths of descriptors (`-f -y -o`).
    pub fn parse(log: &str) -> Self {
        let mut calls = Self::default();
        let first = log.split(' ').next().unwrap_or_default();
        for line in log.lines() {
            let Some((process, said)) = line.split_once(' ') else { continue };
            let said = said.trim_start();
            calls.is_complete |= process == first && said.starts_with("+++ ");
            // The rest of a call that was interrupted in the log tells only what came of it.
            let Some((name, arguments)) = said.split_once('(').filter(|_| !said.starts_with(['<', '-', '+']))
            else {
                continue;
            };
            calls.calls.push(Call { name: name.to_owned(), arguments: arguments.to_owned() });
        }
        calls
    }

    /// Whether the process has ended.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// How many sockets were made that can reach a network, but for those that were bound in order to listen.
    pub fn sockets(&self) -> usize {
        let made = self.named("socket").filter(|call| !call.arguments.starts_with("AF_UNIX")).count();
        made - self.named("bind").filter(|call| call.arguments.contains("sa_family=AF_INET")).count()
    }

    /// The addresses on a network that were connected or sent to.
    pub fn peers(&self) -> BTreeSet<String> {
        let to = |call: &&Call| call.name == "connect" || call.name.starts_with("send");
        self.calls.iter().filter(to).filter_map(Call::address).collect()
    }

    /// What was done to find out the address of a name.
    pub fn lookups(&self) -> Vec<String> {
        let resolves = |call: &&Call| {
            RESOLVING.iter().any(|path| call.arguments.contains(&format!("{path}\"")))
                || call.address().is_some_and(|address| address.ends_with(":53"))
        };
        self.calls.iter().filter(resolves).map(|call| format!("{}({}", call.name, call.arguments)).collect()
    }

    /// Every path that was opened, looked at, or otherwise named to the system.
    pub fn paths(&self) -> BTreeSet<PathBuf> {
        let calls = self.calls.iter().filter(|call| !call.name.starts_with("send"));
        calls.filter_map(Call::path).filter(|path| !path.starts_with(GETENV)).collect()
    }

    /// The programs that were started.
    pub fn programs(&self) -> BTreeSet<PathBuf> {
        self.named("execve").filter_map(Call::path).collect()
    }

    /// The environment variables that were read.
    pub fn variables(&self) -> BTreeSet<String> {
        let read = self.named("access").filter_map(Call::path);
        read.filter_map(|path| path.strip_prefix(GETENV).ok()?.to_str().map(str::to_owned)).collect()
    }

    fn named(&self, name: &'static str) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(move |call| call.name == name)
    }
}

impl Call {
    /// `ip:port`, if the call names one.
    fn address(&self) -> Option<String> {
        let port = between(&self.arguments, "port=htons(", ")")?;
        let ip = between(&self.arguments, "inet_addr(\"", "\"");
        match ip {
            Some(ip) => Some(format!("{ip}:{port}")),
            None => Some(format!("[{}]:{port}", between(&self.arguments, "inet_pton(AF_INET6, \"", "\"")?)),
        }
    }

    /// The first path, with that of the directory that it is relative to.
    fn path(&self) -> Option<PathBuf> {
        let (before, rest) = self.arguments.split_once('"')?;
        let path = Path::new(rest.split('"').next()?);
        let is_of_file = before.is_empty() || before.ends_with(">, ");
        let dir = Path::new(between(before, "<", ">").unwrap_or_default());
        let is_itself = path.as_os_str().is_empty();
        is_of_file.then(|| if is_itself { dir.to_owned() } else { dir.join(path) })
    }
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"100 execve("/bin/it", ["it"], 0x7fff /* 3 vars */) = 0
100 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 4<socket:[1]>
100 bind(4<socket:[1]>, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
101 access("/getenv/HOME", F_OK) = -1 ENOENT (No such file or directory)
101 openat(AT_FDCWD</tmp>, "a/b", O_RDONLY) = 5</tmp/a/b>
101 newfstatat(5</tmp/a>, ".git",  <unfinished ...>
100 socket(AF_INET6, SOCK_DGRAM, IPPROTO_IP) = 6<socket:[2]>
100 connect(6<socket:[2]>, {sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28 <unfinished ...>
101 <... newfstatat resumed>{st_mode=S_IFREG}, 0) = 0
100 <... connect resumed>) = 0
101 socket(AF_UNIX, SOCK_STREAM, 0) = 7<socket:[3]>
101 newfstatat(7</etc>, "", {st_mode=S_IFDIR}, AT_EMPTY_PATH) = 0
101 openat(AT_FDCWD</tmp>, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 8</etc/hosts>
101 sendto(7<socket:[3]>, "READY=1", 7, 0, NULL, 0) = 7
101 +++ exited with 0 +++
"#;

    #[test]
    fn a_trace_tells_of_sockets_peers_names_paths_and_variables() {
        let calls = Calls::parse(LOG);
        assert_eq!(calls.sockets(), 1);
        assert_eq!(calls.peers(), BTreeSet::from(["[::1]:53".to_owned()]));
        assert_eq!(calls.lookups().len(), 2);
        assert_eq!(calls.variables(), BTreeSet::from(["HOME".to_owned()]));
        assert_eq!(calls.programs(), BTreeSet::from(["/bin/it".into()]));
        let paths = ["/bin/it", "/tmp/a/b", "/tmp/a/.git", "/etc", "/etc/hosts"];
        assert_eq!(calls.paths(), paths.map(PathBuf::from).into());
    }

    #[test]
    fn a_trace_is_complete_with_the_end_of_the_first_process() {
        assert!(!Calls::parse(LOG).is_complete());
        assert!(Calls::parse(&format!("{LOG}100 +++ killed by SIGKILL +++\n")).is_complete());
        assert!(!Calls::parse("").is_complete());
    }
}
