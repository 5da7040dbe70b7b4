//! The report for people.

use std::fmt::Write as _;

use super::report::{CategoryReport, Report};

/// The most distinct things of a category that are listed; the JSON has them all.
const LISTED: usize = 20;

/// The lines of `report`.
pub fn render(report: &Report) -> String {
    let mut out = format!("Drift from {} to {}\n", report.since, report.until);
    for category in &report.categories {
        out.push('\n');
        render_category(&mut out, category);
    }
    if report.skipped_lines > 0 {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "\n{} lines of the log could not be read.", report.skipped_lines);
    }
    match &report.issue {
        None => out.push_str("\nNothing was met that is not known.\n"),
        Some(issue) => {
            out.push_str(
                "\nTo have it taught to ccxray, open an issue with what follows. Look through it first:\n",
            );
            out.push_str("names of your own tools, agents and models may be in it.\n\n");
            out.push_str(issue);
        }
    }
    out
}

fn render_category(out: &mut String, category: &CategoryReport) {
    let CategoryReport { category, count, things, latest } = category;
    let _ = writeln!(out, "{}: {count} times, {} distinct", category.as_str(), things.len());
    for thing in things.iter().take(LISTED) {
        let _ = writeln!(out, "{:>9}  {:<9}  {}", thing.count, thing.provider.as_str(), thing.about);
    }
    if things.len() > LISTED {
        let _ = writeln!(out, "{:>9}  more, with --json", things.len() - LISTED);
    }
    out.push_str("  latest\n");
    for latest in latest {
        let _ = writeln!(out, "    {}  {}  {}", latest.time, latest.provider.as_str(), latest.about);
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::report::tests::{line, report},
        *,
    };

    #[test]
    fn nothing_met_is_said() {
        let expected = "\
Drift from 2026-11-20T13:00:00.000Z to 2026-11-20T14:00:00.000Z

Nothing was met that is not known.
";
        assert_eq!(render(&report(&[])), expected);
    }

    #[test]
    fn what_was_met_is_listed_and_made_into_an_issue() {
        let lines = [line(30, "unknown_tool", "Levitate", 7), line(10, "unknown_tool", "Teleport", 2)];
        let expected = "\
Drift from 2026-11-20T13:00:00.000Z to 2026-11-20T14:00:00.000Z

unknown_tool: 9 times, 2 distinct
        7  anthropic  Levitate
        2  anthropic  Teleport
  latest
    2026-11-20T13:50:00.000Z  anthropic  Teleport
    2026-11-20T13:30:00.000Z  anthropic  Levitate

To have it taught to ccxray, open an issue with what follows. Look through it first:
names of your own tools, agents and models may be in it.

## Parser drift

ccxray-exporter 0.1.0, 2026-11-20 to 2026-11-20

| category | provider | what | times |
| --- | --- | --- | --- |
| unknown_tool | anthropic | `Levitate` | 7 |
| unknown_tool | anthropic | `Teleport` | 2 |

### Latest

- unknown_tool: 2026-11-20T13:50:00.000Z, anthropic, `Teleport` (proxy 0.1.0, its rules 3)
- unknown_tool: 2026-11-20T13:30:00.000Z, anthropic, `Levitate` (proxy 0.1.0, its rules 3)

### Rules

| file | version | verified against |
| --- | --- | --- |
";
        assert_eq!(render(&report(&[&lines])), expected);
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let lines: Vec<_> =
            (0..25).map(|number| line(1, "unknown_tool", &format!("tool-{number}"), 1)).collect();
        let text = render(&report(&[&lines]));
        assert!(text.contains("        5  more, with --json\n"), "{text}");
    }
}
