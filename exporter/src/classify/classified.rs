//! An entry with its meaning.

use ccxray_shared::{
    Entry, Name,
    entry::{Class, Outcome, Parse},
    usage::Usage,
};

use super::{
    error_type, model,
    price_table::PriceTable,
    prices::{self, PicoUsd, Terms, Tokens},
    stop_reason,
    tokens::CanonicalTokens,
};

/// The status of a connection that has become a WebSocket.
const SWITCHING_PROTOCOLS: u16 = 101;

/// What an exchange cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Nothing that is billed, or no usage stated.
    None,
    /// At list price.
    Priced(PicoUsd),
    /// Billed, but no price is known for the model.
    Unpriced,
}

/// An entry with its meaning.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent answers to independent questions")]
pub struct Classified<'e> {
    /// The facts.
    pub entry: &'e Entry<'e>,
    /// The model it counts under.
    pub model: &'e str,
    /// Whether the provider charges for this kind of request.
    pub billed: bool,
    /// How it ended for its client.
    pub outcome: Outcome,
    /// Whether it was answered with success.
    pub answered: bool,
    /// Whether that answer came to its end, without an error in it.
    pub finished: bool,
    /// Tokens, where usage was stated.
    pub tokens: Option<CanonicalTokens>,
    /// Whether these tokens are not what the provider gives as their sum.
    pub tokens_mismatch: bool,
    /// What it cost.
    pub cost: Cost,
    /// The kind of failure, if it was one.
    pub error: Option<&'static str>,
    /// Why the answer ended, if there was one that could be read.
    pub stop_reason: Option<&'static str>,
    /// Whether a stream ended without its terminal event through no doing of the client's.
    pub truncated: bool,
    /// How many tools the answer calls; `None` if the answer could not be read.
    pub tool_calls: Option<u32>,
    /// Whether it was only partly understood.
    pub degraded: bool,
}

impl<'e> Classified<'e> {
    /// Gives `entry` its meaning.
    pub fn of(entry: &'e Entry<'e>, prices: &PriceTable) -> Self {
        let billed = entry.class.is_billed();
        let answered = entry.status.is_some_and(|status| (200..300).contains(&status));
        let usage = entry.usage.as_ref().filter(|_| billed);
        let tokens = usage.map(|usage| CanonicalTokens::from_usage(entry.provider, usage));
        let unfinished = entry.streamed && entry.terminal == Some(false);
        let outcome = outcome(entry);
        Self {
            entry,
            model: model::confirmed(entry),
            outcome,
            billed,
            answered,
            finished: answered && !unfinished && entry.error.is_none() && outcome == Outcome::Complete,
            tokens,
            tokens_mismatch: usage.zip(tokens).is_some_and(|(usage, tokens)| tokens.contradict(usage)),
            cost: tokens.map_or(Cost::None, |tokens| cost(entry, &tokens, prices)),
            error: error_type::canonical(entry, outcome),
            stop_reason: (billed && answered).then(|| stop_reason::canonical(entry)).flatten(),
            truncated: unfinished && entry.error.is_none() && outcome != Outcome::ClientAbort,
            tool_calls: tool_calls(entry),
            degraded: match entry.parse {
                Parse::Ok => false,
                Parse::Partial | Parse::Shed | Parse::Error | Parse::Unknown => true,
            },
        }
    }

    /// Whether the answer should have stated usage and did not, in whole or in its output.
    pub fn usage_missing(&self) -> bool {
        self.billed && self.answered && self.tokens.is_none_or(|tokens| tokens.output.is_none())
    }
}

/// A client that leaves when it has seen the terminal event has had the whole answer: Codex ends without waiting for
/// the end of the connection. A WebSocket that has come about was answered by that; what breaks off with it are its
/// turns, which have entries of their own.
fn outcome(entry: &Entry<'_>) -> Outcome {
    match (entry.outcome, entry.terminal, entry.class) {
        (Outcome::ClientAbort, Some(true), _) => Outcome::Complete,
        (_, _, Class::Connection) if entry.status == Some(SWITCHING_PROTOCOLS) => Outcome::Complete,
        (outcome, ..) => outcome,
    }
}

/// An answer that was read and lists no calls has none; of one that was not read nothing is known.
fn tool_calls(entry: &Entry<'_>) -> Option<u32> {
    let stated = entry.tools.as_ref().map(|tools| tools.blocks);
    stated.or_else(|| is_read(entry).then_some(0))
}

/// Whether what the entry does not state was not in the answer: its copy was read to the end.
pub(super) fn is_read(entry: &Entry<'_>) -> bool {
    match entry.parse {
        Parse::Ok | Parse::Partial => true,
        Parse::Shed | Parse::Error | Parse::Unknown => false,
    }
}

fn cost<'e>(entry: &'e Entry<'e>, tokens: &CanonicalTokens, prices: &PriceTable) -> Cost {
    if tokens.all_input().is_none() && tokens.output.is_none() {
        return Cost::None;
    }
    let named = [&entry.model_served, &entry.model];
    let price = named.into_iter().flatten().find_map(|model| prices.lookup(entry.provider, model));
    let Some(price) = price else { return Cost::Unpriced };
    let usage = entry.usage.as_ref();
    let tokens = Tokens {
        input: tokens.input.unwrap_or(0),
        output: tokens.output.unwrap_or(0),
        cache_read: tokens.cache_read.unwrap_or(0),
        cache_write_5m: tokens.cache_creation.unwrap_or(0) - tokens.cache_creation_1h,
        cache_write_1h: tokens.cache_creation_1h,
        web_searches: usage.and_then(|usage| usage.counts.server_tool_use?.web_search_requests).unwrap_or(0),
    };
    let word = |name: fn(&'e Usage<'e>) -> Option<&'e Name<'e>>| usage.and_then(name).map(Name::as_str);
    let terms = Terms {
        service_tier: word(|usage| usage.service_tier.as_ref()),
        speed: word(|usage| usage.speed.as_ref()),
        geo: word(|usage| usage.inference_geo.as_ref()),
    };
    Cost::Priced(prices::cost(price, &tokens, terms))
}
