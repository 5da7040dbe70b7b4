//! The tables of what agents did. One without rows is left out.

use std::fmt::{self, Write};

use super::{
    format::{Count, Escaped, Percent, Share},
    tables::{cell, counts, foot, head, largest, name},
};
use crate::local::{
    activity::{Activity, GROUPS},
    distribution::Distribution,
};

pub(super) fn write(out: &mut String, activity: &Activity) -> fmt::Result {
    for group in &GROUPS {
        if let Some(rows) = activity.counts.get(group.title) {
            counts(out, group.title, group.column, rows)?;
        }
    }
    context(out, activity)?;
    plain(out, "Also seen", "What", "Count", activity.events.iter())?;
    plain(out, "Rate limits, this window", "Limit", "Left", activity.limits.iter())
}

fn context(out: &mut String, activity: &Activity) -> fmt::Result {
    if activity.context.is_empty() {
        return Ok(());
    }
    head(out, "Context window in use", "Provider", &["Turns", "Mean", "95 %"])?;
    for (provider, used) in largest(&activity.context, Distribution::count) {
        name(out, provider, used.mean().unwrap_or_default(), 100.0)?;
        cell(out, &Count(used.count()))?;
        cell(out, &Share(used.mean().map(|percent| percent / 100.0)))?;
        cell(out, &Percent(used.quantile(0.95)))?;
        writeln!(out, "</tr>")?;
    }
    foot(out, false)
}

fn plain<'r>(
    out: &mut String,
    title: &str,
    column: &str,
    value: &str,
    rows: impl ExactSizeIterator<Item = (&'r String, &'r f64)>,
) -> fmt::Result {
    if rows.len() == 0 {
        return Ok(());
    }
    head(out, title, column, &[value])?;
    for (row, count) in rows {
        write!(out, "<tr><th scope=\"row\">{}</th>", Escaped(row))?;
        cell(out, &Count(*count))?;
        writeln!(out, "</tr>")?;
    }
    foot(out, false)
}
