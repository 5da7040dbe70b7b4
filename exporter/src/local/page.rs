//! The page for people: a few figures and tables, rendered here, exchanged every two seconds by its script.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use super::summary::{Summary, Tokens};

/// The script that the page names.
pub const SCRIPT: &str = include_str!("page.js");
/// The style sheet that the page names.
pub const STYLE: &str = include_str!("page.css");

const FRAME: &str = include_str!("page.html");

/// Nothing is loaded but what this server gives, nothing may frame the page, and no form leaves it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Rows that a table shows at most; the largest first.
const LONGEST_TABLE: usize = 20;

/// The page. Without a summary it says that there is none yet; `health` is a sentence on the exporter.
pub fn render(summary: Option<&Summary>, health: &str) -> String {
    let mut main = String::new();
    write_main(&mut main, summary, health).unwrap_or_default();
    FRAME.replacen("{{main}}", &main, 1)
}

fn write_main(out: &mut String, summary: Option<&Summary>, health: &str) -> fmt::Result {
    writeln!(out, "<p>{}</p>", Escaped(health))?;
    let Some(summary) = summary else {
        return writeln!(out, "<p class=\"none\">The figures are being collected.</p>");
    };
    figures(out, summary)?;
    models(out, summary)?;
    out.push_str("<div class=\"tables\">\n");
    counts(out, "Requests", "Status", &summary.requests)?;
    counts(out, "Errors", "Type", &summary.errors)?;
    counts(out, "Tools", "Tool", &summary.tools)?;
    writeln!(out, "</div>")
}

fn figures(out: &mut String, summary: &Summary) -> fmt::Result {
    let all = summary.all_models();
    out.push_str("<dl class=\"figures\">\n");
    figure(out, "Cost, list price", &Dollars(summary.cost_usd))?;
    figure(out, "Requests", &Count(summary.requests.values().sum()))?;
    figure(out, "Errors", &Count(summary.errors.values().sum()))?;
    figure(out, "Sessions", &Count(summary.sessions))?;
    figure(out, "Input from cache", &Share(all.cache_share()))?;
    if summary.unpriced > 0.0 {
        figure(out, "Requests without a price", &Count(summary.unpriced))?;
    }
    writeln!(out, "</dl>")
}

fn figure(out: &mut String, name: &str, value: &dyn fmt::Display) -> fmt::Result {
    writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>")
}

fn models(out: &mut String, summary: &Summary) -> fmt::Result {
    out.push_str("<section><h2>Tokens by model</h2>\n");
    if summary.models.is_empty() {
        return writeln!(out, "<p class=\"none\">None yet.</p></section>");
    }
    out.push_str("<table><tr><th>Model</th>");
    for column in ["Input", "Output", "Cache read", "Cache written", "From cache", "Cost"] {
        write!(out, "<th class=\"n\">{column}</th>")?;
    }
    out.push_str("</tr>\n");
    for (model, tokens) in largest(&summary.models, |tokens| tokens.cost_usd) {
        model_row(out, model, tokens)?;
    }
    writeln!(out, "</table></section>")
}

fn model_row(out: &mut String, model: &str, tokens: &Tokens) -> fmt::Result {
    write!(out, "<tr><td>{}</td>", Escaped(model))?;
    for count in [tokens.input, tokens.output, tokens.cache_read, tokens.cache_creation] {
        write!(out, "<td class=\"n\">{}</td>", Count(count))?;
    }
    let (share, cost) = (Share(tokens.cache_share()), Dollars(tokens.cost_usd));
    writeln!(out, "<td class=\"n\">{share}</td><td class=\"n\">{cost}</td></tr>")
}

fn counts(out: &mut String, title: &str, column: &str, counts: &BTreeMap<String, f64>) -> fmt::Result {
    writeln!(out, "<section><h2>{title}</h2>")?;
    if counts.is_empty() {
        return writeln!(out, "<p class=\"none\">None yet.</p></section>");
    }
    writeln!(out, "<table><tr><th>{column}</th><th class=\"n\">Count</th></tr>")?;
    for (name, count) in largest(counts, |count| *count) {
        writeln!(out, "<tr><td>{}</td><td class=\"n\">{}</td></tr>", Escaped(name), Count(*count))?;
    }
    writeln!(out, "</table></section>")
}

fn largest<V>(rows: &BTreeMap<String, V>, size: impl Fn(&V) -> f64) -> Vec<(&String, &V)> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by(|(_, a), (_, b)| size(b).total_cmp(&size(a)));
    rows.truncate(LONGEST_TABLE);
    rows
}

/// A whole number in groups of three digits.
struct Count(f64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:.0}", self.0);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_char('\u{202f}')?;
            }
            f.write_char(digit)?;
        }
        Ok(())
    }
}

/// To the cent, and finer below a dollar.
struct Dollars(f64);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = if self.0 > 0.0 && self.0 < 1.0 { 4 } else { 2 };
        write!(f, "${:.decimals$}", self.0)
    }
}

struct Share(Option<f64>);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(share) => write!(f, "{:.1} %", share * 100.0),
            None => f.write_char('–'),
        }
    }
}

/// Text that comes from the wire, made harmless.
struct Escaped<'t>(&'t str);

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

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn the_figures_stand_in_the_page_itself() {
        let page = render(Some(&Summary::of(&sample::request())), "healthy");
        for expected in [
            "<dt>Cost, list price</dt><dd>$0.1250</dd>",
            "<dt>Requests</dt><dd>12</dd>",
            "<td>claude-opus-4-5</td><td class=\"n\">1\u{202f}234</td>",
            "<p>healthy</p>",
        ] {
            assert!(page.contains(expected), "{expected} in {page}");
        }
    }

    #[test]
    fn names_from_the_wire_cannot_become_markup() {
        let name = "<script>alert('x')</script>&\"".to_owned();
        let summary = Summary { tools: BTreeMap::from([(name, 1.0)]), ..Summary::default() };
        let page = render(Some(&summary), "<b>");
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"), "{page}");
        assert!(page.contains("<p>&lt;b&gt;</p>"), "{page}");
    }

    #[test]
    fn the_page_names_nothing_outside_of_this_server() {
        for text in [FRAME, SCRIPT, STYLE] {
            assert!(!text.contains("//") || !text.contains("http"), "{text}");
            assert!(!text.contains("url("), "{text}");
        }
        let mut words = FRAME.split_whitespace();
        assert!(
            !words.any(|word| word.contains('=') && (word.starts_with("on") || word.starts_with("style"))),
            "inline code and style would be blocked"
        );
    }

    #[test]
    fn numbers_are_written_for_people() {
        let written = [Count(0.0), Count(999.0), Count(1_000.0), Count(1_234_567.0)].map(|n| n.to_string());
        assert_eq!(written, ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!([0.0, 0.0123, 12.345].map(|n| Dollars(n).to_string()), ["$0.00", "$0.0123", "$12.35"]);
        assert_eq!(Share(Some(0.456)).to_string(), "45.6 %");
    }

    #[test]
    fn a_table_shows_its_largest_rows() {
        let tools = (0..30).map(|n| (format!("tool-{n}"), f64::from(n))).collect();
        let page = render(Some(&Summary { tools, ..Summary::default() }), "");
        assert!(page.contains(">tool-29<") && page.contains(">tool-10<") && !page.contains(">tool-9<"));
    }
}
