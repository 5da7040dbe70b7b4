//! The list for people, on 80 columns.

use std::fmt::Write as _;

use super::listed::{Attribute, Listed};
use crate::status::columns::wrapped;

/// What a terminal has at least.
const WIDTH: usize = 80;
/// Where what is said of a metric begins.
const INDENT: usize = 4;

/// The metrics by family, each with its name, kind, unit, attributes and description.
pub fn render(all: &[Listed]) -> String {
    let mut out = String::new();
    let mut family = "";
    for metric in all {
        if metric.family != family {
            family = metric.family;
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{}{}\n", if out.is_empty() { "" } else { "\n" }, family.to_uppercase());
        }
        write_metric(&mut out, metric);
    }
    out
}

fn write_metric(out: &mut String, metric: &Listed) {
    let kind = format!("{} {}", metric.kind, metric.unit);
    let _ = writeln!(out, "  {:<50}{}", metric.name, kind.trim_end());
    if !metric.attributes.is_empty() {
        let attributes: Vec<String> = metric.attributes.iter().map(attribute).collect();
        write_indented(out, &format!("by {}", attributes.join(", ")));
    }
    write_indented(out, metric.description);
}

fn attribute(attribute: &Attribute) -> String {
    let Attribute { key, budget, .. } = attribute;
    budget.map_or_else(|| (*key).to_owned(), |budget| format!("{key} (at most {budget})"))
}

fn write_indented(out: &mut String, text: &str) {
    for line in wrapped(text, WIDTH - INDENT) {
        let _ = writeln!(out, "{:INDENT$}{line}", "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_has_its_name_kind_unit_attributes_and_description() {
        let text = render(&Listed::all());
        let expected = "
QUALITY

  ccxray.errors_total                               counter {error}
    by type, provider
    Failed exchanges by the kind of error.
";
        assert!(text.contains(expected), "{text}");
        let tools = "
  ccxray.tool.invocations_total                     counter {call}
    by tool (at most 50), provider
";
        assert!(text.contains(tools), "{text}");
        assert!(text.starts_with("COST\n\n  ccxray.tokens.input_total"), "{text}");
    }

    #[test]
    fn it_fits_into_80_columns() {
        for line in render(&Listed::all()).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
