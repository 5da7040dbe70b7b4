//! What an exchange cost, at list price.
//!
//! Integers only, in pico-USD, so that no order of addition changes a sum. A flat-rate plan pays otherwise; for
//! it the figure is an equivalent.

use std::{collections::HashMap, num::NonZeroU64};

use serde::Deserialize;

/// A millionth of a millionth of a US dollar. A `u64` of them holds 18 million dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct PicoUsd(pub u64);

/// The billed parts of a usage, each token in exactly one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Input that was neither read from a cache nor written to one.
    pub input: u64,
    /// Output, thinking included.
    pub output: u64,
    /// Input that was read from a cache.
    pub cache_read: u64,
    /// Input that was written to a cache for the shorter life (Anthropic: five minutes; OpenAI: thirty).
    pub cache_write_5m: u64,
    /// Input that was written to a cache for an hour (Anthropic).
    pub cache_write_1h: u64,
    /// Searches that the provider ran itself; they are billed by number.
    pub web_searches: u64,
}

impl Tokens {
    /// The size of the prompt, however its parts are billed.
    pub const fn prompt(&self) -> u64 {
        self.input
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
    }
}

/// What the answer says about how it was produced, where that changes the price; as sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms<'a> {
    /// `standard`, `priority`, `flex`, `batch` …
    pub service_tier: Option<&'a str>,
    /// Anthropic: `standard` or `fast`.
    pub speed: Option<&'a str>,
    /// Anthropic: where the model ran (`us`, `global` …).
    pub geo: Option<&'a str>,
}

/// Everything that decides the price of one model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelPrice {
    /// The model's name as the provider spells it.
    pub model: String,
    /// Whose model it is, in the spool's word for the provider.
    pub(super) provider: String,
    rates: Rates,
    #[serde(default)]
    tiers: Vec<SizeTier>,
    #[serde(default)]
    service_tiers: HashMap<String, Schedule>,
    #[serde(default)]
    speed: HashMap<String, Ratio>,
    #[serde(default)]
    geo: HashMap<String, Ratio>,
    #[serde(default)]
    web_search: PicoUsd,
}

/// The rates of one service tier.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    rates: Rates,
    #[serde(default)]
    tiers: Vec<SizeTier>,
}

/// The rates for the whole of a request whose prompt is larger than so many tokens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SizeTier {
    above_tokens: u64,
    rates: Rates,
}

/// Pico-USD per token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rates {
    input: PicoUsd,
    output: PicoUsd,
    cache_read: PicoUsd,
    cache_write_5m: PicoUsd,
    cache_write_1h: PicoUsd,
}

/// A factor, as numerator and denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Ratio(u64, NonZeroU64);

/// What `tokens` cost under `terms`. Terms that the table does not know are billed as the standard ones. A
/// fraction of a pico-USD is dropped; a sum beyond [`PicoUsd`] stays at its largest value.
pub fn cost(price: &ModelPrice, tokens: &Tokens, terms: Terms<'_>) -> PicoUsd {
    let by_token = price.rates_for(tokens.prompt(), terms.service_tier).total(tokens);
    let by_token = scaled(by_token, &price.speed, terms.speed);
    let by_token = scaled(by_token, &price.geo, terms.geo);
    let by_search = product(tokens.web_searches, price.web_search);
    PicoUsd(u64::try_from(by_token.saturating_add(by_search)).unwrap_or(u64::MAX))
}

impl ModelPrice {
    fn rates_for(&self, prompt: u64, service_tier: Option<&str>) -> &Rates {
        let (rates, tiers) = match service_tier.and_then(|tier| self.service_tiers.get(tier)) {
            Some(schedule) => (&schedule.rates, &schedule.tiers),
            None => (&self.rates, &self.tiers),
        };
        let reached = tiers.iter().filter(|tier| prompt > tier.above_tokens);
        reached.max_by_key(|tier| tier.above_tokens).map_or(rates, |tier| &tier.rates)
    }
}

impl Rates {
    fn total(&self, tokens: &Tokens) -> u128 {
        let parts = [
            product(tokens.input, self.input),
            product(tokens.output, self.output),
            product(tokens.cache_read, self.cache_read),
            product(tokens.cache_write_5m, self.cache_write_5m),
            product(tokens.cache_write_1h, self.cache_write_1h),
        ];
        parts.into_iter().fold(0, u128::saturating_add)
    }
}

fn product(count: u64, each: PicoUsd) -> u128 {
    u128::from(count) * u128::from(each.0)
}

fn scaled(amount: u128, ratios: &HashMap<String, Ratio>, word: Option<&str>) -> u128 {
    match word.and_then(|word| ratios.get(word)) {
        Some(Ratio(numerator, denominator)) => {
            amount.saturating_mul(u128::from(*numerator)) / u128::from(denominator.get())
        }
        None => amount,
    }
}

#[cfg(test)]
mod tests {
    use ccxray_shared::entry::Provider;

    use super::{super::price_table::PriceTable, *};

    const STANDARD: Terms<'static> = Terms { service_tier: None, speed: None, geo: None };

    fn usd_e12(provider: Provider, model: &str, tokens: Tokens, terms: Terms<'_>) -> u64 {
        cost(PriceTable::embedded().lookup(provider, model).unwrap(), &tokens, terms).0
    }

    /// A usage for which Claude Code itself showed 0.04599525 USD.
    const SEEN: Tokens = Tokens {
        input: 3117,
        output: 663,
        cache_read: 9153,
        cache_write_5m: 1227,
        cache_write_1h: 159,
        web_searches: 0,
    };

    #[test]
    fn a_usage_costs_what_the_client_shows_for_it_to_the_last_digit() {
        assert_eq!(usd_e12(Provider::Anthropic, "claude-opus-4-8", SEEN, STANDARD), 45_995_250_000);
    }

    #[test]
    fn fast_mode_and_inference_in_one_country_multiply() {
        let opus = |terms| usd_e12(Provider::Anthropic, "claude-opus-4-8", SEEN, terms);
        assert_eq!(opus(Terms { speed: Some("fast"), ..STANDARD }), 91_990_500_000);
        assert_eq!(opus(Terms { geo: Some("us"), ..STANDARD }), 50_594_775_000);
        assert_eq!(opus(Terms { speed: Some("fast"), geo: Some("us"), ..STANDARD }), 101_189_550_000);
        assert_eq!(opus(Terms { speed: Some("standard"), geo: Some("global"), ..STANDARD }), 45_995_250_000);
    }

    #[test]
    fn a_search_costs_a_cent_whatever_the_multipliers() {
        let tokens = Tokens { web_searches: 3, ..Tokens::default() };
        let fast = Terms { speed: Some("fast"), geo: Some("us"), ..STANDARD };
        for model in ["claude-opus-4-8", "claude-haiku-4-5"] {
            assert_eq!(usd_e12(Provider::Anthropic, model, tokens, STANDARD), 30_000_000_000);
        }
        assert_eq!(usd_e12(Provider::Anthropic, "claude-opus-4-8", tokens, fast), 30_000_000_000);
    }

    #[test]
    fn a_prompt_above_the_limit_is_billed_at_the_higher_rates_as_a_whole() {
        let haiku = |tokens| usd_e12(Provider::Anthropic, "claude-haiku-5-5", tokens, STANDARD);
        let at = Tokens { input: 40_000, cache_read: 60_000, output: 10, ..Tokens::default() };
        let above = Tokens { cache_write_1h: 1, ..at };
        assert_eq!(haiku(at), 40_000 * 100_000 + 60_000 * 10_000 + 10 * 500_000);
        assert_eq!(haiku(above), 40_000 * 500_000 + 60_000 * 50_000 + 10 * 2_500_000 + 1_000_000);
    }

    #[test]
    fn a_service_tier_has_its_own_rates_and_an_unknown_one_the_standard_ones() {
        let million = Tokens { input: 200_000, output: 1_000_000, ..Tokens::default() };
        let sol = |tier| {
            usd_e12(Provider::OpenAi, "gpt-6.1-sol", million, Terms { service_tier: Some(tier), ..STANDARD })
        };
        assert_eq!(sol("default"), 10_400_000_000_000);
        assert_eq!(sol("flex"), 5_200_000_000_000);
        assert_eq!(sol("priority"), 20_800_000_000_000);
        assert_eq!(sol("ultrafast"), 62_400_000_000_000);
        let batch = Terms { service_tier: Some("batch"), ..STANDARD };
        let long_write = Tokens { cache_write_1h: 1_000_000, ..Tokens::default() };
        assert_eq!(usd_e12(Provider::Anthropic, "claude-opus-4-8", long_write, batch), 5_000_000_000_000);
    }

    #[test]
    fn a_service_tier_has_its_own_rates_above_the_limit_too() {
        let tokens = Tokens { input: 300_000, output: 1_000, ..Tokens::default() };
        let priority = Terms { service_tier: Some("priority"), ..STANDARD };
        assert_eq!(
            usd_e12(Provider::OpenAi, "gpt-6.1-sol", tokens, priority),
            300_000 * 8_000_000 + 1_000 * 30_000_000
        );
    }

    #[test]
    fn absurd_numbers_stay_at_the_largest_value() {
        let tokens = Tokens {
            input: u64::MAX,
            output: u64::MAX,
            cache_read: u64::MAX,
            cache_write_5m: u64::MAX,
            cache_write_1h: u64::MAX,
            web_searches: u64::MAX,
        };
        let fast = Terms { speed: Some("fast"), geo: Some("us"), ..STANDARD };
        assert_eq!(usd_e12(Provider::Anthropic, "claude-opus-4-8", tokens, fast), u64::MAX);
    }

    /// In millionths of a dollar, worked out by hand from the price lists of November 2026.
    #[test]
    fn a_request_costs_what_the_price_lists_say() {
        let usual = Tokens { input: 1_000, output: 100, cache_read: 10_000, ..Tokens::default() };
        let long = Tokens { input: 300_000, output: 1_000, ..Tokens::default() };
        let written = Tokens { cache_write_5m: 400, ..usual };
        let both = Tokens { cache_write_1h: 200, ..written };
        for (provider, tokens, rows) in [
            (
                Provider::Anthropic,
                both,
                &[
                    ("claude-fable-5-1", 26_500),
                    ("claude-opus-5-5", 11_600),
                    ("claude-opus-4-8", 17_000),
                    ("claude-sonnet-5-5", 5_800),
                    ("claude-sonnet-5", 6_800),
                    ("claude-sonnet-4-6", 10_200),
                    ("claude-haiku-5-5", 340),
                    ("claude-haiku-4-5", 3_400),
                ][..],
            ),
            (
                Provider::OpenAi,
                written,
                &[("gpt-6-astra", 30_000), ("gpt-6.1-sol", 5_000), ("gpt-5.6-terra", 6_200)],
            ),
            (
                Provider::OpenAi,
                usual,
                &[("gpt-5.5", 13_000), ("gpt-5.3-codex", 4_900), ("gpt-5-mini", 700), ("gpt-4.1", 7_800)],
            ),
            (
                Provider::OpenAi,
                long,
                &[("gpt-5.5", 3_045_000), ("gpt-6.1-terra", 607_500), ("gpt-5.6-luna", 121_800)],
            ),
            (
                Provider::Gemini,
                usual,
                &[
                    ("gemini-3.1-pro-preview", 5_200),
                    ("gemini-2.5-pro", 3_500),
                    ("gemini-3.8-flash", 1_875),
                    ("gemini-3.5-flash", 3_900),
                    ("gemini-3-flash-preview", 1_300),
                    ("gemini-2.5-flash", 850),
                    ("gemini-3.1-flash-lite", 650),
                    ("gemini-2.5-flash-lite", 240),
                ],
            ),
            (Provider::Gemini, long, &[("gemini-3.1-pro-preview", 1_218_000), ("gemini-2.5-pro", 765_000)]),
        ] {
            for &(model, expected) in rows {
                assert_eq!(usd_e12(provider, model, tokens, STANDARD), expected * 1_000_000, "{model}");
            }
        }
    }
}
