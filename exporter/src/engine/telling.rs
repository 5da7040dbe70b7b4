//! What the engine tells of itself and of what it comes upon beside entries: as counts, as metrics, in the log.

use std::time::{Duration, Instant};

use ccxray_shared::UnixMillis;

use super::Engine;
use crate::source::{Finding, Loss};

/// A complaint is made at most this often.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

impl Engine {
    /// Tells the telemetry how things stand after a round.
    pub(super) fn tell(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        if entries > 0 {
            self.figures.count_entries("entry", entries);
        }
        let oldest = self.source.peek().map(|(_, ended_at)| UnixMillis::now().since(ended_at));
        self.figures.set_lag(self.source.lag_bytes(), oldest.unwrap_or_default());
        self.figures.set_checkpoint_age(self.last_saved.elapsed());
        for exported in self.core.take_complement_news() {
            tracing::info!("{}, complement-mode: true", exported.grant().summary());
        }
    }

    pub(super) fn count_findings(&mut self, now: UnixMillis) {
        for finding in self.source.take_findings() {
            self.dirty = true;
            if let Some(kind) = kind_of_line(&finding) {
                self.figures.count_entries(kind, 1);
            }
            match finding {
                Finding::Lost { reason, entries } => {
                    self.core.count_loss(reason.as_str(), entries, now);
                    tracing::warn!(reason = reason.as_str(), entries, "entries are lost");
                }
                Finding::Skipped(reason) => {
                    self.skipped += 1;
                    let skipped = self.skipped;
                    self.complain(&format!(
                        "a line of the spool was skipped ({}), {skipped} so far",
                        reason.as_str()
                    ));
                }
                Finding::Unreadable(what) => self.complain(&format!("segment not readable: {what}")),
                Finding::Stats(_) => self.core.set_active_requests(self.source.active_requests()),
            }
        }
    }

    pub(super) fn complain(&mut self, what: &str) {
        let now = Instant::now();
        if self.last_complaint.is_none_or(|last| now - last >= COMPLAIN_EVERY) {
            self.last_complaint = Some(now);
            tracing::warn!("{what}");
        }
    }
}

/// The kind of the line that was found, if it was one whole line.
fn kind_of_line(finding: &Finding) -> Option<&'static str> {
    match finding {
        Finding::Lost { reason: Loss::Gap(_), .. } => Some("gap"),
        Finding::Lost { reason: Loss::Missing | Loss::Expired | Loss::Torn, .. } | Finding::Unreadable(_) => {
            None
        }
        Finding::Skipped(reason) => Some(reason.as_str()),
        Finding::Stats(_) => Some("stats"),
    }
}
