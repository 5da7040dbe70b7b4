//! The status for people, on 80 columns.

use super::{
    columns::Columns,
    destination::DestinationReport,
    projects::Standing,
    proxies::{Gauges, ProxyReport},
    report::{Checkpoint, Prices, Report},
    rules::RulesFile,
};
use crate::{
    classify::rules::FileFacts,
    consent::Tier,
    deliver::{outcome::OutcomeKind, tally::Counts},
};

/// The lines of `report`.
pub fn render(report: &Report) -> String {
    let mut out = Columns::default();
    exporter(&mut out, report);
    out.line("state", &report.state_dir.display().to_string());
    checkpoint(&mut out, &report.checkpoint);
    let spool = &report.spool;
    let (bytes, unread) = (size(spool.bytes), size(spool.unread_bytes));
    out.line("spool", &format!("{}, {bytes}; {unread} not read yet", some(spool.segments, "file")));
    match &report.proxies[..] {
        [] => out.line("proxy", "none runs"),
        proxies => proxies.iter().for_each(|each| proxy(&mut out, each)),
    }
    prices(&mut out, &report.prices);
    rules(&mut out, &report.rules);
    match &report.destinations[..] {
        [] => out.line("sends", "nothing; no destination has consent"),
        destinations => destinations.iter().for_each(|each| destination(&mut out, each)),
    }
    projects(&mut out, report);
    out.into_text()
}

fn exporter(out: &mut Columns, report: &Report) {
    let running = match (&report.pid, report.last_alive, &report.checkpoint) {
        (Some(pid), ..) => format!("running (pid {pid})"),
        (None, Some(alive), _) => format!("not running; last alive {alive}"),
        (None, None, Checkpoint::None) => "not running; it never ran here".to_owned(),
        (None, None, Checkpoint::Whole | Checkpoint::Previous { .. } | Checkpoint::Damaged { .. }) => {
            "not running".to_owned()
        }
    };
    out.line("exporter", &running);
    match &report.exporter {
        Some(writer) if writer.version != report.version => {
            let (its, ours) = (&writer.version, &report.version);
            out.line("version", &format!("{its} wrote the state; this is {ours}"));
        }
        Some(_) | None => out.line("version", &report.version),
    }
}

fn checkpoint(out: &mut Columns, checkpoint: &Checkpoint) {
    match checkpoint {
        Checkpoint::None | Checkpoint::Whole => {}
        Checkpoint::Previous { problem } => {
            out.line("attention", &format!("{problem}; the one before is whole"));
        }
        Checkpoint::Damaged { problem } => {
            out.line("attention", &format!("{problem}, and so is the one before; counting will start anew"));
        }
    }
}

fn proxy(out: &mut Columns, proxy: &ProxyReport) {
    let Some(gauges) = &proxy.gauges else {
        return out.line("proxy", &format!("version {}; it has nothing to tell yet", proxy.version));
    };
    let Gauges { at, active_exchanges, connections, shed_copies, refused, recorder_panics } = gauges;
    let now = format!(
        "version {}; {} under way, {} at {at}",
        proxy.version,
        some(*active_exchanges, "exchange"),
        some(*connections, "connection")
    );
    out.line("proxy", &now);
    let (copies, refused) = (some(*shed_copies, "copy"), some(*refused, "request"));
    let panics = some(*recorder_panics, "panic");
    out.line("", &format!("since its start: {copies} given up, {refused} refused, {panics}"));
}

fn prices(out: &mut Columns, prices: &Prices) {
    let Prices { origin, age_days } = prices;
    let age = age_days.map_or(String::new(), |days| format!(" ({} old)", some(days, "day")));
    out.line("prices", &format!("{} of {}{age}", origin.source, origin.retrieved));
}

fn rules(out: &mut Columns, files: &[RulesFile]) {
    let Some(oldest) = files.iter().max_by_key(|file| file.age_days) else { return };
    let age = some(oldest.age_days, "day");
    out.line("rules", &format!("{}, verified {age} ago or later", some(files.len(), "file")));
    for FileFacts { name, version, .. } in files.iter().map(|file| &file.facts).filter(|facts| facts.replaced)
    {
        out.line("", &format!("{name} {version} is your own"));
    }
    if oldest.is_old() {
        let hint = "agents may have changed since; `ccxray-exporter parser report` says what is not known";
        out.line("hint", hint);
    }
}

/// How many projects are named; `--json` names all.
const MOST_PROJECTS: usize = 10;

fn projects(out: &mut Columns, report: &Report) {
    if let Some(problem) = &report.configuration_problem {
        out.line("attention", problem);
    }
    let mut name = "projects";
    for project in report.projects.iter().take(MOST_PROJECTS) {
        let standing = match project.standing {
            Standing::Sent => format!("tier {}", project.tier),
            Standing::NoFile => "no file of its own".to_owned(),
            Standing::NotTrusted => "not trusted; nothing of it is read".to_owned(),
            Standing::Off | Standing::Broken => project.reason.clone().unwrap_or_else(|| "off".to_owned()),
        };
        out.line(name, &format!("{}: {standing}", project.dir));
        if let Some(fix) = &project.fix {
            out.line("", &format!("→ {fix}"));
        }
        name = "";
    }
    if report.projects.len() > MOST_PROJECTS {
        out.line(
            "",
            &format!("and {} more; `status --json` names them", report.projects.len() - MOST_PROJECTS),
        );
    }
}

fn destination(out: &mut Columns, destination: &DestinationReport) {
    out.line("sends to", &destination.endpoint);
    consent(out, destination);
    health(out, destination);
    out.line("1 hour", &counts(destination.last_hour));
    out.line("24 hours", &counts(destination.last_day));
    out.line("totals", &format!("{} series, last snapshot {}", destination.series, destination.last_cut));
    let fullest: Vec<String> = destination
        .fullest_budgets()
        .iter()
        .map(|budget| format!("{} {}/{}", budget.attribute.as_str(), budget.used, budget.budget))
        .collect();
    if !fullest.is_empty() {
        out.line("budgets", &fullest.join(", "));
    }
    for absence in &destination.withheld {
        let entries = some(absence.entries, "entry");
        out.line("withheld", &format!("{entries} of {} to {}", absence.from, absence.until));
    }
}

fn consent(out: &mut Columns, destination: &DestinationReport) {
    let tier = Tier::from_number(destination.tier.into());
    let tier = tier.map_or_else(|| destination.tier.to_string(), |tier| tier.to_string());
    let complement = if destination.complement_mode { ", complement-mode: true" } else { "" };
    out.line("tier", &format!("{tier}{complement}"));
    for (key, value) in &destination.attributes {
        out.line("", &format!("{key} = {value}"));
    }
    let mut name = "agreed by";
    for file in &destination.files {
        out.line(name, &file.display().to_string());
        name = "";
    }
    if let Some(at) = &destination.acknowledged_at {
        out.line("named", &format!("since you agreed to it at {at}"));
    }
    for notice in &destination.notices {
        out.line("note", notice);
    }
}

fn health(out: &mut Columns, destination: &DestinationReport) {
    let health = &destination.health;
    out.line("health", &format!("{}{} since {}", health.state.as_str(), because(health.cause), health.since));
    if health.cooldown_ms > 0 {
        out.line("cooldown", &format!("{} s", health.cooldown_ms / 1000));
    }
    if let Some(at) = health.next_attempt {
        out.line("retry", &format!("not before {at}"));
    }
    let mut name = "changes";
    for change in destination.transitions.iter().rev() {
        let (from, to) = (change.from.as_str(), change.to.as_str());
        out.line(name, &format!("{} {from} → {to}{}", change.at, because(change.cause)));
        name = "";
    }
}

fn because(cause: Option<OutcomeKind>) -> String {
    cause.map_or(String::new(), |cause| format!(" ({})", cause.as_str()))
}

fn counts(counts: Counts) -> String {
    let Counts { succeeded, failed, dropped } = counts;
    format!("{} sent, {} failed, {dropped} dropped", some(succeeded, "snapshot"), some(failed, "attempt"))
}

/// A number of things.
fn some(count: impl Into<Amount>, thing: &str) -> String {
    let Amount(count) = count.into();
    match (count, thing.strip_suffix('y')) {
        (1, _) => format!("1 {thing}"),
        (_, Some(stem)) if stem.ends_with(['p', 'r']) => format!("{count} {stem}ies"),
        (_, _) => format!("{count} {thing}s"),
    }
}

struct Amount(u64);

impl From<usize> for Amount {
    fn from(count: usize) -> Self {
        Self(count as u64)
    }
}

impl From<u64> for Amount {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

impl From<&u64> for Amount {
    fn from(count: &u64) -> Self {
        Self(*count)
    }
}

fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|&(unit, _)| bytes >= unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
