//! From a document to settings.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ccxray_shared::{
    daemon::units::parse_duration,
    json::{Node, Place, Problem, Value, problem::join},
};
use hyper::header::HeaderName;

use super::{
    Located, Settings,
    rules::{budget, check_address, header_name, is_rfc_3339, is_root},
};
use crate::{
    consent::{
        config::{FileKind, secrets, template},
        tier::Tier,
    },
    measure::{Key, Metric},
};

/// The shortest and the longest interval.
const INTERVALS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));

/// A document on its way to settings. It fits the schema, so what is not there or of another form is passed over.
pub(super) struct Reading<'p> {
    pub(super) kind: FileKind,
    pub(super) problems: &'p mut Vec<Problem>,
}

impl Reading<'_> {
    pub(super) fn settings(&mut self, root: &Node<'_>) -> Settings {
        self.check_texts(root, "");
        let Some(otel) = root.get("otel") else { return Settings::default() };
        let settings = Settings {
            tier: tier(otel),
            endpoint: located(otel, "endpoint"),
            headers: self.headers(otel),
            attributes: attributes(otel),
            budgets: self.budgets(otel),
            interval: self.interval(otel),
            promote: texts(otel, "promote").into_iter().map(|promoted| promoted.text).collect(),
            identity: located(otel, "identity"),
            acknowledged_at: self.acknowledged_at(otel),
            allow_env: self.allow_env(otel),
            trusted_roots: self.trusted_roots(otel),
        };
        self.check_destination(&settings);
        settings
    }

    /// What holds for every text: no secret, and variables only where they work.
    fn check_texts(&mut self, node: &Node<'_>, path: &str) {
        if let Value::String(text) = &node.value {
            self.check_text(text, node.place, path);
        }
        for member in node.members() {
            self.check_texts(&member.node, &join(path, &member.key));
        }
        for (i, element) in node.elements().iter().enumerate() {
            self.check_texts(element, &format!("{path}[{i}]"));
        }
    }

    fn check_text(&mut self, text: &str, place: Place, path: &str) {
        let mut object = |what: String| self.problems.push(Problem::new(place, path, what));
        if let Some(secret) = secrets::find(text) {
            object(format!(
                "this looks like {}; put it into a variable and write ${{NAME}}",
                secret.described()
            ));
        }
        if text.chars().any(char::is_control) {
            object("this holds a control character; remove it".to_owned());
        }
        if template::parts(text).is_err() {
            object("`${` begins no variable; write ${NAME}, or $$ for a dollar sign".to_owned());
        }
        if self.kind == FileKind::Project {
            let is_header = path.starts_with("otel.headers.");
            for name in template::variables(text) {
                if !is_header {
                    object(format!(
                        "${{{name}}} is not resolved here: in a project's file, variables work in header values only"
                    ));
                } else if template::is_provider_key(name) {
                    object(format!("${{{name}}} is the agent's own credential, which no destination gets"));
                }
            }
        }
    }

    fn headers(&mut self, otel: &Node<'_>) -> Vec<(HeaderName, Located)> {
        let mut headers = Vec::new();
        for header in members(otel, "headers") {
            match header_name(&header.0, &header.1) {
                Ok(name) => headers.push((name, header.1)),
                Err(problem) => self.problems.push(problem),
            }
        }
        headers
    }

    fn budgets(&mut self, otel: &Node<'_>) -> BTreeMap<(Metric, Key), usize> {
        let mut budgets = BTreeMap::new();
        let overrides = otel.get("cardinality_overrides").map(Node::members).unwrap_or_default();
        for metric in overrides {
            for attribute in metric.node.members() {
                match budget(&metric.key, &attribute.key) {
                    Ok(place) => {
                        if let Value::Number(number) = &attribute.node.value {
                            let values = number.as_u64().and_then(|n| usize::try_from(n).ok());
                            budgets.insert(place, values.unwrap_or(usize::MAX));
                        }
                    }
                    Err((at_metric, what)) => {
                        let path = join("otel.cardinality_overrides", &metric.key);
                        let (place, path) = if at_metric {
                            (metric.place, path)
                        } else {
                            (attribute.place, join(&path, &attribute.key))
                        };
                        self.problems.push(Problem::new(place, path, what));
                    }
                }
            }
        }
        budgets
    }

    fn interval(&mut self, otel: &Node<'_>) -> Option<Duration> {
        let stated = located(otel, "interval")?;
        let within = |interval: &Duration| (INTERVALS.0..=INTERVALS.1).contains(interval);
        let interval = parse_duration(&stated.text).ok().filter(within);
        if interval.is_none() {
            self.problems
                .push(stated.problem("this is no interval; write one from `1s` to `1h`, for example `60s`"));
        }
        interval
    }

    fn acknowledged_at(&mut self, otel: &Node<'_>) -> Option<String> {
        let stated = located(otel, "opt_in_acknowledged_at")?;
        if !is_rfc_3339(&stated.text) {
            let what = "this is no time; write one such as `2026-01-31T12:00:00Z`, or let `ccxray-exporter init` do it";
            self.problems.push(stated.problem(what));
        }
        Some(stated.text)
    }

    fn allow_env(&mut self, otel: &Node<'_>) -> BTreeSet<String> {
        let names = texts(otel, "allow_env");
        for name in &names {
            if !template::is_name(&name.text) {
                self.problems.push(name.problem("this is not a variable's name"));
            } else if template::is_provider_key(&name.text) {
                self.problems.push(
                    name.problem("the agent's own credentials are never given to a project's destination"),
                );
            }
        }
        names.into_iter().map(|name| name.text).collect()
    }

    fn trusted_roots(&mut self, otel: &Node<'_>) -> Vec<String> {
        let roots = texts(otel, "trusted_roots");
        for root in roots.iter().filter(|root| !is_root(&root.text)) {
            self.problems.push(root.problem(
                "this is no directory to trust; write an absolute path or one below ~/, without `..`",
            ));
        }
        roots.into_iter().map(|root| root.text).collect()
    }

    fn check_destination(&mut self, settings: &Settings) {
        let Some(endpoint) = &settings.endpoint else {
            if let Some((_, header)) = settings.headers.first() {
                self.problems
                    .push(header.problem("headers go to the endpoint of the same file, which names none"));
            }
            return;
        };
        if template::variables(&endpoint.text).next().is_none()
            && let Err(what) = check_address(&endpoint.text, !settings.headers.is_empty())
        {
            self.problems.push(endpoint.problem(what));
        }
    }
}

fn tier(otel: &Node<'_>) -> Option<Tier> {
    if otel.get("enabled").is_some_and(|enabled| enabled.value == Value::Bool(false)) {
        return Some(Tier::Disabled);
    }
    match &otel.get("tier")?.value {
        Value::Number(number) => number.as_u64().and_then(Tier::from_number),
        _ => None,
    }
}

fn located(otel: &Node<'_>, key: &str) -> Option<Located> {
    let node = otel.get(key)?;
    Some(Located { text: node.as_str()?.to_owned(), place: node.place, key: join("otel", key) })
}

fn texts(otel: &Node<'_>, key: &str) -> Vec<Located> {
    let elements = otel.get(key).map(Node::elements).unwrap_or_default().iter().enumerate();
    let texts = elements.filter_map(|(i, element)| {
        let text = element.as_str()?.to_owned();
        Some(Located { text, place: element.place, key: format!("otel.{key}[{i}]") })
    });
    texts.collect()
}

fn members(otel: &Node<'_>, key: &str) -> Vec<(String, Located)> {
    let members = otel.get(key).map(Node::members).unwrap_or_default().iter();
    let members = members.filter_map(|member| {
        let text = member.node.as_str()?.to_owned();
        let key = format!("otel.{key}.{}", member.key);
        Some((member.key.clone().into_owned(), Located { text, place: member.node.place, key }))
    });
    members.collect()
}

fn attributes(otel: &Node<'_>) -> BTreeMap<String, Located> {
    members(otel, "resource_attributes").into_iter().collect()
}
