//! What the system tells the daemon.

use std::{io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

/// Within this time a second signal is an echo of the first: `timeout`, for one, signals both the process and its
/// group.
const ECHO: Duration = Duration::from_millis(200);

/// The signals that end the daemon.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Held so that a terminal that goes away does not take the daemon with it.
    _hang_up: Signal,
    /// Held so that a limit on the size of files makes a write fail, as a full disk does, and does not end the daemon.
    _file_too_large: Signal,
}

impl Signals {
    /// Takes the signals from now on.
    pub fn take() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _hang_up: signal(SignalKind::hangup())?,
            _file_too_large: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    /// Waits for the next SIGTERM or SIGINT.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits for one more, from somebody who does not want to wait.
    pub async fn stop_at_once(&mut self) {
        let echoes = async {
            loop {
                self.stop().await;
            }
        };
        let _: Result<(), _> = timeout(ECHO, echoes).await;
        self.stop().await;
    }
}
