//! A distribution over fixed bounds, and what can be said of it: its mean exactly, its quantiles by estimate.

use opentelemetry_proto::tonic::metrics::v1::HistogramDataPoint;

/// Values counted in buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// The upper bounds, inclusive, of all buckets but the last, which has none.
    bounds: Vec<f64>,
    counts: Vec<u64>,
    sum: f64,
}

/// A quantile, as far as buckets can tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// As if the bucket's values lay evenly in it.
    pub value: f64,
    /// The bucket's lower bound: the true value lies above it.
    pub above: f64,
    /// The bucket's upper bound: the true value is not larger. The last bucket has none.
    pub up_to: Option<f64>,
}

impl Distribution {
    /// Adds what `point` counted. One with other bounds cannot be added and is left out.
    pub fn add(&mut self, point: &HistogramDataPoint) {
        self.merge(&Self {
            bounds: point.explicit_bounds.clone(),
            counts: point.bucket_counts.clone(),
            sum: point.sum.unwrap_or_default(),
        });
    }

    /// Adds what `other` counted. One with other bounds cannot be added and is left out.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.is_empty() {
            self.clone_from(other);
        } else if self.bounds == other.bounds {
            for (count, more) in self.counts.iter_mut().zip(&other.counts) {
                *count += more;
            }
            self.sum += other.sum;
        }
    }

    /// How many values there are.
    #[expect(clippy::cast_precision_loss, reason = "shown to people")]
    pub fn count(&self) -> f64 {
        self.counts.iter().sum::<u64>() as f64
    }

    /// Their sum.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Their mean, exactly; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0.0).then(|| self.sum / self.count())
    }

    /// The value that the share `q` of all values does not exceed, estimated as Prometheus' `histogram_quantile` does;
    /// `None` without values.
    #[expect(clippy::cast_precision_loss, reason = "shown to people")]
    pub fn quantile(&self, q: f64) -> Option<Estimate> {
        let rank = q * self.count();
        let mut below = 0.0;
        for (bucket, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = count as f64;
            if below + count >= rank {
                return Some(self.within(bucket, (rank - below) / count));
            }
            below += count;
        }
        None
    }

    /// What lies at `share` of the way through a bucket.
    fn within(&self, bucket: usize, share: f64) -> Estimate {
        let above = bucket.checked_sub(1).map_or(0.0, |before| self.bounds[before]);
        let up_to = self.bounds.get(bucket).copied();
        Estimate { value: up_to.map_or(above, |up_to| above + (up_to - above) * share), above, up_to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(counts: [u64; 4]) -> Distribution {
        let mut distribution = Distribution::default();
        distribution.add(&HistogramDataPoint {
            bucket_counts: counts.to_vec(),
            explicit_bounds: vec![100.0, 200.0, 500.0],
            sum: Some(600.0),
            ..HistogramDataPoint::default()
        });
        distribution
    }

    #[test]
    fn a_quantile_lies_in_its_bucket_in_proportion() {
        let distribution = distribution([1, 4, 5, 0]);
        // The fifth of ten values is the fourth of the four in the second bucket; the 9.5th is 4.5 fifths into the third.
        let median = Estimate { value: 200.0, above: 100.0, up_to: Some(200.0) };
        assert_eq!(distribution.quantile(0.5), Some(median));
        let p95 = Estimate { value: 470.0, above: 200.0, up_to: Some(500.0) };
        assert_eq!(distribution.quantile(0.95), Some(p95));
    }

    #[test]
    fn beyond_the_last_bound_only_the_bound_is_known() {
        let open = Estimate { value: 500.0, above: 500.0, up_to: None };
        assert_eq!(distribution([0, 0, 1, 9]).quantile(0.5), Some(open));
    }

    #[test]
    fn the_mean_is_exact_and_nothing_has_none() {
        assert_eq!(distribution([1, 1, 1, 0]).mean(), Some(200.0));
        assert_eq!(Distribution::default().mean(), None);
        assert_eq!(Distribution::default().quantile(0.5), None);
    }

    #[test]
    fn distributions_with_the_same_bounds_add_up_and_others_do_not() {
        let mut all = distribution([1, 2, 3, 4]);
        all.merge(&distribution([1, 1, 1, 1]));
        assert_eq!((all.counts.as_slice(), all.sum()), ([2, 3, 4, 5].as_slice(), 1200.0));
        let other = Distribution { bounds: vec![1.0], counts: vec![7, 7], sum: 1.0 };
        let before = all.clone();
        all.merge(&other);
        assert_eq!(all, before);
    }
}
