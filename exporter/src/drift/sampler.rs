//! Which drift becomes a line of the log.
//!
//! Each distinct thing does when it is met first, and then at most once an hour, with the count since. Pure: the time
//! is passed in.

use std::{collections::HashMap, mem, time::Duration};

use ccxray_shared::{Name, UnixMillis, entry::Provider};

use super::Sample;
use crate::classify::drift::{Category, Drift};

/// The time between two lines on the same thing.
const QUIET: Duration = Duration::from_hours(1);
/// The most things that are told apart; further ones share one line for each category and provider.
const MOST: usize = 1024;
/// Their name.
const OVERFLOW: &str = "_overflow_";

/// Where drift was met.
#[derive(Clone, Debug)]
pub struct Met<'a> {
    /// The entry's time.
    pub at: UnixMillis,
    /// The clock's.
    pub now: UnixMillis,
    /// The version of the proxy's text-dependent rules.
    pub rules_version: u32,
    /// The proxy's version, if it is known.
    pub proxy_version: Option<&'a str>,
}

/// What has been met within the last hour.
#[derive(Debug, Default)]
pub struct Sampler {
    tallies: HashMap<Thing, Tally>,
}

/// What is one thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Thing {
    category: Category,
    provider: Provider,
    token: Option<String>,
    parser: Option<String>,
    reason: Option<String>,
}

#[derive(Debug)]
struct Tally {
    /// The time of the last line, by the entries …
    line_at: UnixMillis,
    /// … and by the clock.
    line_now: UnixMillis,
    /// Of the latest.
    last_at: UnixMillis,
    rules_version: u32,
    proxy_version: Option<String>,
    /// Met since the last line.
    pending: u64,
}

impl Sampler {
    /// The line that `drift` is worth, if it is.
    pub fn note(&mut self, drift: &Drift<'_>, met: &Met<'_>) -> Option<Sample<'static>> {
        let mut thing = Thing::of(drift);
        if self.tallies.len() >= MOST && !self.tallies.contains_key(&thing) {
            thing = thing.beyond_bounds();
        }
        let is_new = !self.tallies.contains_key(&thing);
        let tally = self.tallies.entry(thing.clone()).or_insert_with(|| Tally::new(met));
        tally.add(drift.count, met);
        let is_due = is_new || met.at.since(tally.line_at) >= QUIET;
        is_due.then(|| tally.line(&thing, met.now))
    }

    /// The lines of what was met since its last line, if that is an hour ago by the clock. Forgets what was not met
    /// since.
    pub fn due(&mut self, now: UnixMillis) -> Vec<Sample<'static>> {
        let is_over = |tally: &Tally| now.since(tally.line_now) >= QUIET;
        self.tallies.retain(|_, tally| tally.pending > 0 || !is_over(tally));
        self.lines(now, is_over)
    }

    /// The lines of all that was met since its last line.
    pub fn rest(&mut self, now: UnixMillis) -> Vec<Sample<'static>> {
        self.lines(now, |_| true)
    }

    fn lines(&mut self, now: UnixMillis, is_due: impl Fn(&Tally) -> bool) -> Vec<Sample<'static>> {
        let pending = self.tallies.iter_mut().filter(|(_, tally)| tally.pending > 0 && is_due(tally));
        pending.map(|(thing, tally)| tally.line(thing, now)).collect()
    }
}

impl Thing {
    fn of(drift: &Drift<'_>) -> Self {
        let [token, parser, reason] =
            [drift.token, drift.parser, drift.reason].map(|name| name.map(str::to_owned));
        Self { category: drift.category, provider: drift.provider, token, parser, reason }
    }

    fn beyond_bounds(self) -> Self {
        Self { token: Some(OVERFLOW.to_owned()), parser: None, reason: None, ..self }
    }
}

impl Tally {
    fn new(met: &Met<'_>) -> Self {
        Self {
            line_at: met.at,
            line_now: met.now,
            last_at: met.at,
            rules_version: met.rules_version,
            proxy_version: None,
            pending: 0,
        }
    }

    fn add(&mut self, count: u64, met: &Met<'_>) {
        self.pending = self.pending.saturating_add(count);
        self.last_at = self.last_at.max(met.at);
        self.rules_version = met.rules_version;
        self.proxy_version = met.proxy_version.map(str::to_owned);
    }

    fn line(&mut self, thing: &Thing, now: UnixMillis) -> Sample<'static> {
        (self.line_at, self.line_now) = (self.last_at, now);
        let name = |text: &Option<String>| text.clone().map(Name::from_string);
        Sample {
            time: self.last_at,
            category: thing.category,
            provider: thing.provider,
            token: name(&thing.token),
            parser: name(&thing.parser),
            reason: name(&thing.reason),
            count: mem::take(&mut self.pending),
            rules_version: self.rules_version,
            proxy_version: name(&self.proxy_version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn unknown(token: &str) -> Drift<'_> {
        Drift {
            category: Category::UnknownTool,
            provider: Provider::Anthropic,
            token: Some(token),
            parser: None,
            reason: None,
            count: 1,
        }
    }

    fn met(at: u64) -> Met<'static> {
        Met { at: UnixMillis(at), now: UnixMillis(at), rules_version: 3, proxy_version: Some("0.1.0") }
    }

    /// Token, time and count.
    fn shown(sample: &Sample<'_>) -> (String, u64, u64) {
        (sample.about(), sample.time.0, sample.count)
    }

    #[test]
    fn a_thing_has_a_line_at_first_sight_and_then_one_an_hour_with_the_count_since() {
        let mut sampler = Sampler::default();
        let mut note =
            |at| sampler.note(&unknown("Levitate"), &met(at)).map(|sample| (sample.time.0, sample.count));
        assert_eq!(note(1_000), Some((1_000, 1)));
        assert_eq!(note(2_000), None);
        assert_eq!(note(1_500), None, "an entry that comes late");
        assert_eq!(note(HOUR), None);
        assert_eq!(note(1_000 + HOUR), Some((1_000 + HOUR, 4)));
        assert_eq!(note(1_001 + HOUR), None);
    }

    #[test]
    fn things_are_told_apart_by_all_that_names_them() {
        let mut sampler = Sampler::default();
        let tool = unknown("Levitate");
        for drift in [
            tool,
            Drift { provider: Provider::Gemini, ..tool },
            Drift { category: Category::UnknownMcpFormat, ..tool },
            Drift { token: Some("Teleport"), ..tool },
            Drift { token: None, parser: Some("sse"), ..tool },
            Drift { token: None, reason: Some("sse"), ..tool },
        ] {
            assert!(sampler.note(&drift, &met(1_000)).is_some(), "{drift:?}");
            assert!(sampler.note(&drift, &met(1_001)).is_none(), "{drift:?}");
        }
    }

    #[test]
    fn what_was_met_since_its_line_is_written_after_an_hour_or_at_the_end() {
        let mut sampler = Sampler::default();
        for at in [1_000, 2_000, 3_000] {
            sampler.note(&unknown("Levitate"), &met(at));
        }
        assert_eq!(sampler.due(UnixMillis(999 + HOUR)), []);
        let due: Vec<_> = sampler.due(UnixMillis(1_000 + HOUR)).iter().map(shown).collect();
        assert_eq!(due, [("Levitate".to_owned(), 3_000, 2)]);
        sampler.note(&unknown("Levitate"), &met(4_000));
        let rest: Vec<_> = sampler.rest(UnixMillis(5_000 + HOUR)).iter().map(shown).collect();
        assert_eq!(rest, [("Levitate".to_owned(), 4_000, 1)]);
        assert_eq!(sampler.rest(UnixMillis(5_000 + HOUR)), []);
    }

    #[test]
    fn what_is_not_met_for_an_hour_is_forgotten() {
        let mut sampler = Sampler::default();
        sampler.note(&unknown("Levitate"), &met(1_000));
        sampler.due(UnixMillis(1_000 + HOUR));
        assert!(sampler.tallies.is_empty());
    }

    #[test]
    fn an_old_spool_has_a_line_for_each_hour_of_its_time() {
        let mut sampler = Sampler::default();
        let now = UnixMillis(1_000 * HOUR);
        let lines = (0..180).filter_map(|minute| {
            sampler
                .note(&unknown("Levitate"), &Met { now, ..met(minute * 60_000) })
                .map(|sample| shown(&sample))
        });
        let expected = [(0, 1), (HOUR, 60), (2 * HOUR, 60)];
        assert_eq!(lines.collect::<Vec<_>>(), expected.map(|(at, count)| ("Levitate".to_owned(), at, count)));
        assert_eq!(sampler.due(now), [], "an hour by the clock");
    }

    #[test]
    fn however_many_names_there_are_memory_is_bounded_and_nothing_goes_uncounted() {
        let mut sampler = Sampler::default();
        let names: Vec<_> = (0..3_000).map(|number| format!("tool-{number}")).collect();
        let mut lines: Vec<_> = names
            .iter()
            .filter_map(|name| sampler.note(&unknown(name), &met(1_000)))
            .map(|sample| shown(&sample))
            .collect();
        assert_eq!(lines.len(), 1_025);
        assert_eq!(lines[1_024].0, "_overflow_");
        lines.extend(sampler.rest(UnixMillis(2_000)).iter().map(shown));
        assert_eq!(lines.iter().map(|(.., count)| count).sum::<u64>(), 3_000);
        assert!(sampler.tallies.len() <= 1_025);
    }
}
