//! What the exporter's local page counts.

use std::fmt;

use bytes::Bytes;
use ccxray_tests::client::{Ask, Client};

/// A few of the figures of `/metrics`, summed over all models.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    /// Exchanges.
    pub(crate) requests: f64,
    input: f64,
    output: f64,
    cache_read: f64,
    cost: f64,
}

impl Figures {
    /// The figures now; none if the page does not answer.
    pub(crate) async fn read(address: &str) -> Option<Self> {
        let client = Client::new(&format!("http://{address}"));
        let ask = Ask { method: "GET", target: "/metrics".into(), headers: vec![], body: Bytes::new() };
        let answered = client.ask(&ask).await;
        (answered.status == 200).then(|| Self::parse(&String::from_utf8_lossy(&answered.decoded())))
    }

    fn parse(page: &str) -> Self {
        Self {
            requests: sum(page, "ccxray_requests_total"),
            input: sum(page, "ccxray_tokens_input_total"),
            output: sum(page, "ccxray_tokens_output_total"),
            cache_read: sum(page, "ccxray_tokens_cache_read_total"),
            cost: sum(page, "ccxray_cost_usd_total"),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, input, output, cache_read, cost } = self;
        write!(
            f,
            "{requests} requests, {cost:.6} USD; tokens: {input} in, {output} out, {cache_read} from the cache"
        )
    }
}

/// The sum of a metric's samples on a page in Prometheus' text format.
fn sum(page: &str, metric: &str) -> f64 {
    page.lines().filter_map(|line| sample(line.strip_prefix(metric)?)).fold(0.0, |sum, value| sum + value)
}

/// The value in what follows the name: labels or none, the value, a timestamp or none.
fn sample(rest: &str) -> Option<f64> {
    let value = match rest.strip_prefix('{') {
        Some(labels) => labels.rsplit_once("} ")?.1,
        None => rest.strip_prefix(' ')?,
    };
    value.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_one_metric_are_summed_whatever_their_labels() {
        let page = "# TYPE ccxray_cost_usd_total counter\n\
            ccxray_cost_usd_total{provider=\"anthropic\",model=\"a} b\"} 0.25\n\
            ccxray_cost_usd_total{provider=\"openai\"} 0.5 1790000000000\n\
            ccxray_cost_usd_total_more 7\n\
            ccxray_requests_total 3\n";
        let expected = Figures { cost: 0.75, requests: 3.0, ..Figures::default() };
        assert_eq!(Figures::parse(page), expected);
    }
}
