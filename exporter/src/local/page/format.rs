//! Numbers and names as people read them.

use std::fmt::{self, Write};

use crate::local::distribution::Estimate;

/// A narrow space that does not break, between groups of digits.
const THIN: char = '\u{202f}';

/// A whole number in groups of three digits.
pub(super) struct Count(pub(super) f64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(&format!("{:.0}", self.0)))
    }
}

/// A number of three digits at most, with a letter for thousands, millions and so on.
pub(super) struct Short(pub(super) f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bounds are where the next smaller unit would be rounded up to a thousand.
        let units = [(999.5e9, 1e12, "T"), (999.5e6, 1e9, "G"), (999.5e3, 1e6, "M"), (999.5, 1e3, "k")];
        let Some((_, unit, letter)) = units.into_iter().find(|(from, ..)| self.0 >= *from) else {
            return Count(self.0).fmt(f);
        };
        let scaled = self.0 / unit;
        let decimals = usize::from(scaled < 9.95) + usize::from(scaled < 99.5);
        write!(f, "{scaled:.decimals$}{THIN}{letter}")
    }
}

/// To the cent from a dollar up, then finer, so that the smallest price of a token can be seen.
pub(super) struct Dollars(pub(super) f64);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = match self.0 {
            small if small > 0.0 && small < 0.000_1 => 8,
            small if small > 0.0 && small < 0.01 => 6,
            small if small > 0.0 && small < 1.0 => 4,
            _ => 2,
        };
        let text = format!("{:.decimals$}", self.0);
        let (whole, cents) = text.split_once('.').unwrap_or((&text, ""));
        write!(f, "${}.{cents}", grouped(whole))
    }
}

/// A share in percent; a dash if there is nothing to share.
pub(super) struct Share(pub(super) Option<f64>);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(share) => write!(f, "{:.1}{THIN}%", share * 100.0),
            None => f.write_char('–'),
        }
    }
}

/// A duration given in milliseconds; a dash if there is none.
pub(super) struct Millis(pub(super) Option<f64>);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_char('–'),
            Some(ms) if ms < 999.5 => write!(f, "{ms:.0}{THIN}ms"),
            Some(ms) if ms < 9_950.0 => write!(f, "{:.1}{THIN}s", ms / 1e3),
            Some(ms) if ms < 99_500.0 => write!(f, "{:.0}{THIN}s", ms / 1e3),
            Some(ms) => write!(f, "{:.1}{THIN}min", ms / 60e3),
        }
    }
}

/// A quantile, never without a sign that it is estimated.
pub(super) struct About(pub(super) Option<Estimate>);

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_char('–'),
            Some(Estimate { value, up_to: Some(_), .. }) => write!(f, "≈{THIN}{}", Millis(Some(value))),
            Some(Estimate { above, up_to: None, .. }) => write!(f, "&gt;{THIN}{}", Millis(Some(above))),
        }
    }
}

/// A quantile of percentages, never without a sign that it is estimated.
pub(super) struct Percent(pub(super) Option<Estimate>);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_char('–'),
            Some(Estimate { value, up_to: Some(_), .. }) => write!(f, "≈{THIN}{value:.0}{THIN}%"),
            Some(Estimate { above, up_to: None, .. }) => write!(f, "&gt;{THIN}{above:.0}{THIN}%"),
        }
    }
}

/// The bounds between which a quantile certainly lies.
pub(super) struct Between(pub(super) Estimate);

impl fmt::Display for Between {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.up_to {
            Some(up_to) => write!(f, "{} to {}", Millis(Some(self.0.above)), Millis(Some(up_to))),
            None => write!(f, "above {}", Millis(Some(self.0.above))),
        }
    }
}

/// Text that comes from the wire, made harmless.
pub(super) struct Escaped<'t>(pub(super) &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(THIN);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<const N: usize>(values: [impl fmt::Display; N]) -> [String; N] {
        values.map(|value| value.to_string().replace(THIN, " "))
    }

    #[test]
    fn counts_are_grouped_and_shortened() {
        assert_eq!(
            written([0.0, 999.0, 1_000.0, 1_234_567.0].map(Count)),
            ["0", "999", "1 000", "1 234 567"]
        );
        assert_eq!(
            written([7.0, 999.0, 1_000.0, 12_345.0, 999_499.0, 999_600.0, 3.2e9].map(Short)),
            ["7", "999", "1.00 k", "12.3 k", "999 k", "1.00 M", "3.20 G"]
        );
    }

    #[test]
    fn small_sums_of_money_can_be_seen() {
        assert_eq!(
            written([0.0, 0.000_000_05, 0.000_123, 0.0123, 0.5, 12.345, 1234.5].map(Dollars)),
            ["$0.00", "$0.00000005", "$0.000123", "$0.0123", "$0.5000", "$12.35", "$1 234.50"]
        );
    }

    #[test]
    fn shares_and_durations_have_units_and_nothing_is_a_dash() {
        assert_eq!(written([Some(0.456), Some(1.0), None].map(Share)), ["45.6 %", "100.0 %", "–"]);
        assert_eq!(
            written(
                [Some(0.4), Some(740.2), Some(1_840.0), Some(24_400.0), Some(320_000.0), None].map(Millis)
            ),
            ["0 ms", "740 ms", "1.8 s", "24 s", "5.3 min", "–"]
        );
    }

    #[test]
    fn an_estimate_is_told_as_one_with_the_bounds_that_are_known() {
        let closed = Estimate { value: 1840.0, above: 1000.0, up_to: Some(2500.0) };
        let open = Estimate { value: 640_000.0, above: 640_000.0, up_to: None };
        assert_eq!(written([Some(closed), Some(open), None].map(About)), ["≈ 1.8 s", "&gt; 10.7 min", "–"]);
        assert_eq!(written([closed, open].map(Between)), ["1.0 s to 2.5 s", "above 10.7 min"]);
    }
}
