use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::HistogramDataPoint;

use super::*;
use crate::local::{activity::Activity, distribution::Distribution, sample, summary::Tokens};

/// A summary with something in it, so that the tables are shown.
fn recorded() -> Summary {
    Summary { requests: BTreeMap::from([("2xx".to_owned(), 1.0)]), ..Summary::default() }
}

#[test]
fn the_figures_stand_in_the_page_itself() {
    let page = render(Some(&Summary::of(&sample::request())), "healthy", None).replace('\u{202f}', " ");
    for expected in [
        "<dt>Cost, list price</dt><dd>$0.1250</dd>",
        "<dt>Requests</dt><dd>12</dd>",
        // Six answers: 1 up to 50 ms, 2 up to 100 ms, 3 above, which is all that is known of the 95th percentile.
        "<dt>Whole answer, median</dt><dd>≈ 100 ms</dd><dd class=\"note\">95 %: &gt; 100 ms</dd>",
        "<th scope=\"row\">claude-opus-4-5<svg",
        "<td class=\"n\">$0.1250</td><td class=\"n\">1 234</td>",
        "<small>50 ms to 100 ms</small>",
        "<p id=\"health\">healthy</p>",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

#[test]
fn a_page_without_anything_recorded_says_what_to_do() {
    let page = render(Some(&Summary::default()), "healthy", None);
    assert!(page.contains("ANTHROPIC_BASE_URL=http://127.0.0.1:5588 claude"), "{page}");
    assert!(!page.contains("<table>"), "{page}");
    assert!(!render(Some(&recorded()), "healthy", None).contains("ANTHROPIC_BASE_URL"));
}

#[test]
fn names_from_the_wire_cannot_become_markup() {
    let name = "<script>alert('x')</script>&\"{{tables}}".to_owned();
    let summary = Summary { tools: BTreeMap::from([(name, 1.0)]), ..recorded() };
    let page = render(Some(&summary), "<b>{{top}}", None);
    assert!(
        page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;{{tables}}<svg"),
        "{page}"
    );
    assert!(page.contains("<p id=\"health\">&lt;b&gt;{{top}}</p>"), "{page}");
    assert_eq!(page.matches("<dl class").count(), 1, "what looks like a placeholder is none");
}

#[test]
fn the_page_names_nothing_outside_of_this_server() {
    for text in [FRAME, WELCOME, SCRIPT, CHARTS, STYLE, UPLOT_STYLE] {
        let foreign = text.replace("http://127.0.0.1", "");
        assert!(!foreign.contains("http:") && !foreign.contains("https:"), "{text}");
        assert!(!text.contains("url("), "{text}");
    }
    // The library names its home in a comment, once, and loads nothing.
    assert_eq!(UPLOT_SCRIPT.matches("http").count(), 1);
    assert!(!["fetch(", "XMLHttpRequest", "import(", "eval("].iter().any(|call| UPLOT_SCRIPT.contains(call)));
    let mut words = [FRAME, WELCOME].into_iter().flat_map(str::split_whitespace);
    assert!(
        !words.any(|word| word.contains('=') && (word.starts_with("on") || word.starts_with("style"))),
        "inline code and style would be blocked"
    );
}

#[test]
fn a_table_shows_its_largest_rows_with_bars_that_compare_them() {
    let tools = (0..30).map(|n| (format!("tool-{n}"), f64::from(n))).collect();
    let page = render(Some(&Summary { tools, ..recorded() }), "", None);
    assert!(page.contains(">tool-29<") && page.contains(">tool-10<") && !page.contains(">tool-9<"));
    assert!(
        page.contains(">tool-29<svg class=\"bar\" aria-hidden=\"true\"><rect width=\"100.0%\""),
        "{page}"
    );
}

#[test]
fn a_table_of_what_agents_did_is_there_only_if_they_did_it() {
    let none = render(Some(&recorded()), "", None);
    for title in [
        "MCP servers",
        "Failed tools",
        "Skills",
        "Dangerous calls",
        "Context window",
        "Also seen",
        "Rate limits",
    ] {
        assert!(!none.contains(title), "{title}");
    }
    let one = |name: &str, count| BTreeMap::from([(name.to_owned(), count)]);
    let mut used = Distribution::default();
    used.add(&HistogramDataPoint {
        bucket_counts: vec![0, 4, 0],
        explicit_bounds: vec![10.0, 20.0],
        sum: Some(60.0),
        ..HistogramDataPoint::default()
    });
    let activity = Activity {
        counts: BTreeMap::from([("MCP servers", one("demo", 3.0))]),
        events: one("Requests sent again", 2.0),
        context: BTreeMap::from([("anthropic".to_owned(), used)]),
        limits: one("anthropic tokens", 0.0),
        under_way: Some(1.0),
    };
    let page = render(Some(&Summary { activity, ..recorded() }), "", None).replace('\u{202f}', " ");
    for expected in [
        "<caption>MCP servers</caption>",
        ">demo<svg",
        "<th scope=\"row\">Requests sent again</th><td class=\"n\">2</td>",
        // Four turns between 10 % and 20 %: the 95th percentile lies 3.8 quarters of the way.
        "<td class=\"n\">4</td><td class=\"n\">15.0 %</td><td class=\"n\">≈ 20 %</td>",
        "<th scope=\"row\">anthropic tokens</th><td class=\"n\">0</td>",
        "<dt>Requests</dt><dd>1</dd><dd class=\"note\">1 under way</dd>",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    assert!(!page.contains("Skills"));
}

#[test]
fn what_could_not_be_measured_is_shown_only_if_there_is_any() {
    assert!(!render(Some(&recorded()), "", None).contains("Not measured"));
    let gaps = BTreeMap::from([("Answers cut short".to_owned(), 2.0)]);
    assert!(render(Some(&Summary { gaps, ..recorded() }), "", None).contains("Not measured"));
}

#[test]
fn a_model_without_a_price_does_not_look_free() {
    let unpriced = Tokens { unpriced: 2.0, ..Tokens::default() };
    let priced = Tokens { cost_usd: 1.5, ..Tokens::default() };
    let models = BTreeMap::from([("known".to_owned(), priced), ("unknown".to_owned(), unpriced)]);
    let page = render(Some(&Summary { models, ..recorded() }), "", None);
    assert!(
        page.contains("<td class=\"n\">no price</td>") && page.contains("<td class=\"n\">$1.50</td>"),
        "{page}"
    );
    assert!(page.contains("<td class=\"n\">$1.50<small>without 2 of no price</small></td>"), "{page}");
}

#[test]
fn what_keeps_the_exporter_from_its_work_stands_first() {
    let page = render(Some(&recorded()), "healthy", Some("no <spool>"));
    assert!(
        page.contains("<p id=\"health\"><strong>Not ready: no &lt;spool&gt;</strong>; healthy</p>"),
        "{page}"
    );
}
