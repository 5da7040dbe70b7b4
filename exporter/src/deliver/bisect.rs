//! Which metrics of a snapshot go into the next request, after it was not taken whole.
//!
//! Too large: in halves. Turned down for its content: a hunt for the one metric that spoils the rest. Each request
//! of the hunt holds half of the suspects and everything that is not suspected any more:
//!
//! ```text
//! suspects A B, clean C:   send A + C   taken        → the poison is in B, and A and C are through
//!                                       turned down  → the poison is in A; B joins C
//! one suspect, clean C:    send C       taken        → the suspect is the poison
//!                                       turned down  → there are several
//! ```
//!
//! so that n metrics take at most log₂ n + 1 requests, and whatever is clean gets through. Where there are several
//! poisoned metrics, the suspect and each half of the rest are sent and hunted through on their own, until
//! [`MOST_TURNED_DOWN`] requests of the snapshot were turned down; what is still unsent then is given up.

/// After that many requests a destination objects to more than single metrics.
pub const MOST_TURNED_DOWN: u32 = 32;

/// A set of metrics, by their index in the snapshot.
pub type Metrics = Vec<usize>;

/// What is still to be sent of one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The last one is next.
    parts: Vec<Part>,
    turned_down: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Plain(Metrics),
    /// At least two suspects.
    Hunt {
        suspects: Metrics,
        clean: Metrics,
    },
    /// The hunt's last request.
    Verdict {
        suspect: Metrics,
        clean: Metrics,
    },
}

impl Plan {
    /// All of a snapshot with `metrics` metrics, in one request.
    pub fn whole(metrics: usize) -> Self {
        Self { parts: vec![Part::Plain((0..metrics).collect())], turned_down: 0 }
    }

    /// What the next request holds; `None` when the snapshot is done.
    pub fn next(&self) -> Option<Metrics> {
        self.parts.last().map(Part::request)
    }

    /// The request was taken; returns what is given up, because that is where the poison must be.
    pub fn taken(&mut self) -> Metrics {
        match self.parts.pop() {
            Some(Part::Hunt { mut suspects, .. }) => {
                let rest = suspects.split_off(suspects.len() / 2);
                self.hunt(rest, Metrics::new())
            }
            Some(Part::Verdict { suspect, .. }) => suspect,
            Some(Part::Plain(_)) | None => Metrics::new(),
        }
    }

    /// The request was too large; returns what is given up because it cannot be split any further.
    pub fn too_large(&mut self) -> Metrics {
        match self.parts.pop() {
            Some(part) => {
                let (request, rest) = part.into_request_and_rest();
                self.push(rest);
                self.halve(request)
            }
            None => Metrics::new(),
        }
    }

    /// The request was turned down for its content; returns what is given up.
    pub fn turned_down(&mut self) -> Metrics {
        self.turned_down += 1;
        if self.turned_down > MOST_TURNED_DOWN {
            return self.parts.drain(..).flat_map(Part::into_metrics).collect();
        }
        match self.parts.pop() {
            Some(Part::Plain(metrics)) => self.hunt(metrics, Metrics::new()),
            Some(Part::Hunt { mut suspects, mut clean }) => {
                clean.extend(suspects.split_off(suspects.len() / 2));
                self.hunt(suspects, clean)
            }
            // What was taken for clean is not, so the suspect may be innocent.
            Some(Part::Verdict { suspect, clean }) => {
                self.push(suspect);
                self.halve(clean)
            }
            None => Metrics::new(),
        }
    }

    /// Goes on looking among `suspects`, or gives up the one that is left.
    fn hunt(&mut self, suspects: Metrics, clean: Metrics) -> Metrics {
        if suspects.len() > 1 {
            self.parts.push(Part::Hunt { suspects, clean });
        } else if clean.is_empty() {
            return suspects;
        } else {
            self.parts.push(Part::Verdict { suspect: suspects, clean });
        }
        Metrics::new()
    }

    /// Goes on with two halves, or gives up the one metric that is left.
    fn halve(&mut self, mut metrics: Metrics) -> Metrics {
        if metrics.len() <= 1 {
            return metrics;
        }
        let second = metrics.split_off(metrics.len() / 2);
        self.push(second);
        self.push(metrics);
        Metrics::new()
    }

    fn push(&mut self, metrics: Metrics) {
        if !metrics.is_empty() {
            self.parts.push(Part::Plain(metrics));
        }
    }
}

impl Part {
    fn request(&self) -> Metrics {
        match self {
            Self::Plain(metrics) => metrics.clone(),
            Self::Hunt { suspects, clean } => [&suspects[..suspects.len() / 2], clean].concat(),
            Self::Verdict { clean, .. } => clean.clone(),
        }
    }

    fn into_request_and_rest(self) -> (Metrics, Metrics) {
        let request = self.request();
        match self {
            Self::Plain(_) => (request, Metrics::new()),
            Self::Hunt { mut suspects, .. } => (request, suspects.split_off(suspects.len() / 2)),
            Self::Verdict { suspect, .. } => (request, suspect),
        }
    }

    fn into_metrics(self) -> Metrics {
        let (request, rest) = self.into_request_and_rest();
        [request, rest].concat()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// What a destination saw of a snapshot.
    #[derive(Debug, Default)]
    struct Run {
        requests: usize,
        taken: BTreeSet<usize>,
        given_up: BTreeSet<usize>,
    }

    /// Sends `metrics` metrics to a destination that turns down the `poisoned` and takes `largest` at once.
    fn run(metrics: usize, poisoned: &[usize], largest: usize) -> Run {
        let (mut plan, mut run) = (Plan::whole(metrics), Run::default());
        while let Some(request) = plan.next() {
            run.requests += 1;
            assert!(run.requests < 10_000, "the plan does not end");
            let given_up = if request.len() > largest {
                plan.too_large()
            } else if request.iter().any(|metric| poisoned.contains(metric)) {
                plan.turned_down()
            } else {
                run.taken.extend(request);
                plan.taken()
            };
            run.given_up.extend(given_up);
        }
        run
    }

    fn set(metrics: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        metrics.into_iter().collect()
    }

    #[test]
    fn a_snapshot_that_is_taken_is_one_request() {
        for metrics in [0, 1, 40] {
            assert_eq!(run(metrics, &[], 100).requests, 1);
        }
    }

    #[test]
    fn one_poisoned_metric_of_any_place_is_found_in_the_logarithm_of_their_number() {
        for (metrics, log2) in [(1, 0), (2, 1), (3, 2), (8, 3), (40, 6), (64, 6)] {
            for poisoned in 0..metrics {
                let run = run(metrics, &[poisoned], 1000);
                assert_eq!(run.given_up, set([poisoned]));
                assert_eq!(run.taken, set((0..metrics).filter(|metric| *metric != poisoned)));
                // The first request, that of the whole, does not count.
                assert!(run.requests - 1 <= log2 + 1, "{metrics} {poisoned}: {}", run.requests);
            }
        }
    }

    #[test]
    fn a_limit_on_the_size_is_met_by_halves_and_a_metric_beyond_it_is_given_up() {
        let run_of_eight = run(8, &[], 3);
        // 8, then 4 and 4, then 2 2 2 2.
        assert_eq!((run_of_eight.requests, run_of_eight.taken.len()), (7, 8));
        let nothing_fits = run(4, &[], 0);
        assert_eq!((nothing_fits.requests, nothing_fits.given_up), (7, set(0..4)));
    }

    #[test]
    fn a_destination_that_turns_everything_down_is_asked_a_bounded_number_of_times() {
        let all: Vec<usize> = (0..64).collect();
        let run = run(64, &all, 1000);
        assert_eq!(run.given_up, set(all));
        assert!(run.requests <= 33, "{}", run.requests);
    }

    proptest! {
        #[test]
        fn every_metric_is_taken_or_given_up_and_up_to_three_poisons_stop_no_other(
            metrics in 1_usize..80,
            poisoned in proptest::collection::btree_set(0_usize..80, 0..4),
            largest in 1_usize..80,
        ) {
            let poisoned: Vec<usize> = poisoned.into_iter().filter(|metric| *metric < metrics).collect();
            let run = run(metrics, &poisoned, largest);
            prop_assert_eq!(&run.given_up, &set(poisoned.iter().copied()));
            prop_assert_eq!(run.taken.len() + run.given_up.len(), metrics);
        }
    }
}
