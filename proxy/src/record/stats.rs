//! The proxy's own gauges, as lines of the spool.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ccxray_shared::{UnixMillis, line::Stats};

use super::{channel::Sender, gauges::ProxyGauges};

/// Lines are at least this far apart.
const INTERVAL: Duration = Duration::from_secs(10);

/// Decides when the gauges are written.
#[derive(Debug)]
pub(super) struct Gauging {
    gauges: Arc<ProxyGauges>,
    written: Stats,
    due: Instant,
}

impl Gauging {
    pub(super) fn new(gauges: Arc<ProxyGauges>, at: Instant) -> Self {
        Self { gauges, written: Stats::default(), due: at + INTERVAL }
    }

    /// When to ask next.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// The gauges, if it is time and they have changed.
    pub(super) fn if_due(
        &mut self,
        sender: &Sender,
        panics: u64,
        now: UnixMillis,
        at: Instant,
    ) -> Option<Stats> {
        if at < self.due {
            return None;
        }
        self.due = at + INTERVAL;
        self.if_changed(sender, panics, now)
    }

    /// The gauges, if they have changed since they were written last.
    pub(super) fn if_changed(&mut self, sender: &Sender, panics: u64, now: UnixMillis) -> Option<Stats> {
        let stats = Stats {
            at: self.written.at,
            active_exchanges: sender.active() as u64,
            connections: self.gauges.connections(),
            shed_copies: sender.refusals().shed,
            refused: self.gauges.refused(),
            recorder_panics: panics,
        };
        let changed = stats != self.written;
        self.written = Stats { at: now, ..stats };
        changed.then(|| self.written.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::channel::{Limits, channel};

    #[test]
    fn gauges_are_written_when_changed_and_not_more_often_than_the_interval() {
        let (sender, _messages) = channel(Limits::default());
        let begun = Instant::now();
        let mut gauging = Gauging::new(Arc::default(), begun);
        let mut ask = |after: Duration, panics| {
            gauging.if_due(&sender, panics, UnixMillis(7), begun + after).map(|stats| stats.recorder_panics)
        };
        assert_eq!(ask(INTERVAL, 0), None, "nothing has changed");
        assert_eq!(ask(INTERVAL + Duration::from_secs(1), 1), None, "too early");
        assert_eq!(ask(2 * INTERVAL, 1), Some(1));
        assert_eq!(ask(3 * INTERVAL, 1), None, "nothing has changed");
        assert_eq!(ask(4 * INTERVAL, 2), Some(2));
    }
}
