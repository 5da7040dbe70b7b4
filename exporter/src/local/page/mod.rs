//! The page for people. Figures and tables are rendered here; its scripts exchange them every two seconds and draw the
//! charts, so that it can be read without scripts as well.

mod activity;
mod figures;
mod format;
mod tables;

use self::format::Escaped;
use super::summary::Summary;

/// The script that keeps the page up to date.
pub const SCRIPT: &str = include_str!("page.js");
/// The script that draws the charts.
pub const CHARTS: &str = include_str!("charts.js");
/// The style sheet.
pub const STYLE: &str = include_str!("page.css");
/// The page's icon.
pub const ICON: &str = include_str!("icon.svg");
/// The library that draws the charts, as its authors publish it; see `exporter/scripts/refresh-uplot.sh`.
pub const UPLOT_SCRIPT: &str = include_str!("../vendor/uPlot.iife.min.js");
/// Its style sheet.
pub const UPLOT_STYLE: &str = include_str!("../vendor/uPlot.min.css");

const FRAME: &str = include_str!("page.html");
const WELCOME: &str = include_str!("welcome.html");

/// Nothing is loaded but what this server gives, nothing may frame the page, and no form leaves it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page. Without a summary it says that there is none yet; `health` is a sentence on the exporter, and `problem` what
/// keeps it from its work, if anything does.
pub fn render(summary: Option<&Summary>, health: &str, problem: Option<&str>) -> String {
    let (top, tables) = match summary {
        None => ("<p class=\"none\">The figures are being collected.</p>".to_owned(), String::new()),
        Some(summary) if summary.requests.is_empty() => (WELCOME.to_owned(), tables::gaps(summary)),
        Some(summary) => (figures::render(summary), tables::render(summary)),
    };
    let problem = problem.map(|why| format!("<strong>Not ready: {}</strong>; ", Escaped(why)));
    let health = problem.unwrap_or_default() + &Escaped(health).to_string();
    fill(&[("{{health}}", &health), ("{{top}}", &top), ("{{tables}}", &tables)])
}

/// The frame with `parts` in place of their names, which it holds in this order. What a part holds is never searched.
fn fill(parts: &[(&str, &str)]) -> String {
    let mut page = String::new();
    let end = parts.iter().fold(FRAME, |rest, (name, part)| {
        let (before, after) = rest.split_once(name).unwrap_or((rest, ""));
        page.push_str(before);
        page.push_str(part);
        after
    });
    page + end
}

#[cfg(test)]
mod tests;
