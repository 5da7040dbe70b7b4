//! A service manager's end of `sd_notify(3)`: a real datagram socket.

use std::{
    collections::BTreeSet,
    io,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The socket, and all that has been heard on it.
#[derive(Debug)]
pub struct ServiceManager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl ServiceManager {
    /// A socket in `dir`.
    pub fn in_dir(dir: &Path) -> io::Result<Self> {
        let path = dir.join("notify.sock");
        Ok(Self { socket: UnixDatagram::bind(&path)?, path })
    }

    /// What a unit's process finds in its environment, with a watchdog of this patience.
    pub fn environment(&self, watchdog: Duration) -> Vec<(&'static str, String)> {
        vec![
            ("NOTIFY_SOCKET", self.path.display().to_string()),
            ("WATCHDOG_USEC", watchdog.as_micros().to_string()),
        ]
    }

    /// The next message, as its lines; none if there is none within `patience`.
    pub fn hear(&self, patience: Duration) -> Option<BTreeSet<String>> {
        let mut message = [0; 4096];
        self.socket.set_read_timeout(Some(patience)).ok()?;
        let length = self.socket.recv(&mut message).ok()?;
        Some(String::from_utf8_lossy(&message[..length]).lines().map(str::to_owned).collect())
    }

    /// Hears until a message has this line, and returns it. Fails if none has within `patience`.
    pub fn hear_until(&self, line: &str, patience: Duration) -> Result<BTreeSet<String>, String> {
        let deadline = Instant::now() + patience;
        let mut heard = Vec::new();
        while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
        {
            match self.hear(left) {
                Some(message) if message.contains(line) => return Ok(message),
                message => heard.extend(message),
            }
        }
        Err(format!("no `{line}`, but {heard:?}"))
    }
}
