//! The status for people, on 80 columns.

use std::fmt::Write as _;

use super::report::{DestinationReport, Report};

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    let running = match (&report.pid, report.last_alive) {
        (Some(pid), _) => format!("running (pid {pid})"),
        (None, Some(alive)) => format!("not running; last alive {alive}"),
        (None, None) => "not running; it never ran here".to_owned(),
    };
    line(&mut out, "exporter", &running);
    line(&mut out, "state", &report.state_dir.display().to_string());
    let spool = &report.spool;
    let files =
        format!("{} files, {}; {} not read yet", spool.segments, size(spool.bytes), size(spool.unread_bytes));
    line(&mut out, "spool", &files);
    if report.destinations.is_empty() {
        line(&mut out, "sends", "nothing; no destination has consent");
    }
    for destination in &report.destinations {
        render_destination(&mut out, destination);
    }
    out
}

fn render_destination(out: &mut String, destination: &DestinationReport) {
    line(out, "sends to", &destination.endpoint);
    line(out, "tier", &format!("{} (anonymous)", destination.tier));
    let health = &destination.health;
    let cause = health.cause.map_or(String::new(), |cause| format!(" ({})", cause.as_str()));
    line(out, "health", &format!("{}{cause} since {}", health.state.as_str(), health.since));
    if let Some(at) = health.next_attempt {
        line(out, "retry", &format!("not before {at}"));
    }
    line(out, "totals", &format!("{} series, last snapshot {}", destination.series, destination.last_cut));
    for budget in destination.budgets.iter().filter(|budget| budget.used * 2 >= budget.budget) {
        let name = format!("{} {}", budget.metric.name(), budget.attribute.as_str());
        line(out, "budget", &format!("{name}: {}/{}", budget.used, budget.budget));
    }
    for absence in &destination.withheld {
        let span = format!("{} to {}", absence.from, absence.until);
        line(out, "withheld", &format!("{} entries, {span}", absence.entries));
    }
}

fn line(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "{name:<9} {value}");
}

fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|&(unit, _)| bytes >= unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_with_one_decimal() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size((1 << 20) - 1), "1023.9 KiB");
        assert_eq!(size(16 << 20), "16.0 MiB");
    }
}
