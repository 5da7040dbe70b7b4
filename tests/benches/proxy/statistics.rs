//! Medians, and how sure they are.

/// The value in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this part of all lies; not a number if there are none.
pub(crate) fn quantile(values: &[f64], part: f64) -> f64 {
    let sorted = sorted(values);
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// Between which two values the true median lies but for this `doubt`, whatever the distribution: how many of `n` fall
/// below it is like the toss of `n` coins. Both infinite if there are too few.
pub(crate) fn median_interval(values: &[f64], doubt: f64) -> (f64, f64) {
    let sorted = sorted(values);
    let n = sorted.len();
    // The most values that may be cut off at each end.
    let mut below = 0.5_f64.powi(i32::try_from(n).expect("a bench has few rounds"));
    let (mut cut, mut sum) = (0, below);
    while sum <= doubt / 2.0 && cut < n / 2 {
        cut += 1;
        below *= (n - cut + 1) as f64 / cut as f64;
        sum += below;
    }
    if cut == 0 {
        return (f64::NEG_INFINITY, f64::INFINITY);
    }
    (sorted[cut - 1], sorted[n - cut])
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}
