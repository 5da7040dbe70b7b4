//! Prices by hand, from the providers' public lists of November 2026.

use crate::upstream::Usage;

/// Pico-USD for one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    input: u64,
    output: u64,
    cache_read: u64,
    write_5m: u64,
    write_1h: u64,
}

/// USD 5, 25, 0.50, 6.25 and 10 for a million tokens.
const OPUS_4_8: Price = Price {
    input: 5_000_000,
    output: 25_000_000,
    cache_read: 500_000,
    write_5m: 6_250_000,
    write_1h: 10_000_000,
};

/// USD 1, 5, 0.10, 1.25 and 2 for a million tokens.
const HAIKU_4_5: Price = Price {
    input: 1_000_000,
    output: 5_000_000,
    cache_read: 100_000,
    write_5m: 1_250_000,
    write_1h: 2_000_000,
};

/// USD 5, 30 and 0.50 for a million tokens; writing to the cache costs what input costs.
const GPT_5_5: Price = Price {
    input: 5_000_000,
    output: 30_000_000,
    cache_read: 500_000,
    write_5m: 5_000_000,
    write_1h: 5_000_000,
};

/// USD 2, 10, 0.10 and 2.50 for a million tokens.
const GPT_6_1_SOL: Price = Price {
    input: 2_000_000,
    output: 10_000_000,
    cache_read: 100_000,
    write_5m: 2_500_000,
    write_1h: 2_500_000,
};

/// USD 1.25, 10 and 0.125 for a million tokens, up to 200 000 of them; nothing is written to a cache.
const GEMINI_2_5_PRO: Price =
    Price { input: 1_250_000, output: 10_000_000, cache_read: 125_000, write_5m: 0, write_1h: 0 };

/// USD 0.30, 2.50 and 0.03 for a million tokens.
const GEMINI_3_5_FLASH_LITE: Price =
    Price { input: 300_000, output: 2_500_000, cache_read: 30_000, write_5m: 0, write_1h: 0 };

/// USD 0.50, 3 and 0.05 for a million tokens.
const GEMINI_3_FLASH: Price =
    Price { input: 500_000, output: 3_000_000, cache_read: 50_000, write_5m: 0, write_1h: 0 };

/// USD 0.75, 3.75 and 0.075 for a million tokens.
const GEMINI_3_8_FLASH: Price =
    Price { input: 750_000, output: 3_750_000, cache_read: 75_000, write_5m: 0, write_1h: 0 };

/// What a search in the web costs, whichever model asks for it: USD 10 for a thousand.
const SEARCH: u64 = 10_000_000_000;

/// The price of a model, if it is one of those that the tests use.
pub fn price_of(model: &str) -> Option<Price> {
    match model {
        "claude-opus-4-8" => Some(OPUS_4_8),
        "claude-haiku-4-5" | "claude-haiku-4-5-20251001" => Some(HAIKU_4_5),
        "gpt-5.5" => Some(GPT_5_5),
        "gpt-6.1-sol" => Some(GPT_6_1_SOL),
        "gemini-2.5-pro" => Some(GEMINI_2_5_PRO),
        "gemini-3-flash-preview" => Some(GEMINI_3_FLASH),
        "gemini-3.5-flash-lite" => Some(GEMINI_3_5_FLASH_LITE),
        "gemini-3.8-flash" => Some(GEMINI_3_8_FLASH),
        _ => None,
    }
}

impl Price {
    /// What this usage costs, in pico-USD.
    pub fn of(&self, usage: &Usage) -> i128 {
        [
            (self.input, usage.input),
            (self.output, usage.output),
            (self.cache_read, usage.cache_read),
            (self.write_5m, usage.write_5m),
            (self.write_1h, usage.write_1h),
            (SEARCH, usage.searches),
        ]
        .iter()
        .map(|&(price, number)| i128::from(price) * i128::from(number))
        .sum()
    }
}

/// A double of USD in pico-USD.
pub fn pico(usd: f64) -> i128 {
    #[expect(clippy::cast_possible_truncation, reason = "tests spend less than 10^26 USD")]
    let pico = (usd * 1e12).round() as i128;
    pico
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_is_what_a_real_client_computed_for_the_same_usage() {
        // Claude Code's own figure for this usage: 0.045 995 25 USD.
        let usage = Usage {
            input: 3117,
            output: 663,
            cache_read: 9153,
            write_5m: 1227,
            write_1h: 159,
            reasoning: 0,
            searches: 0,
        };
        assert_eq!(OPUS_4_8.of(&usage), 45_995_250_000);
    }
}
