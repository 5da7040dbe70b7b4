//! What a checked document says.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ccxray_shared::{
    daemon::units::parse_duration,
    json::{
        Node, Place, Problem, Value,
        problem::{join, listed, nearest},
    },
};
use hyper::header::HeaderName;

use super::{
    schema::{self, FileKind},
    secrets, template,
};
use crate::{
    consent::tier::Tier,
    deliver::{
        destination::{is_own_header, metrics_address},
        endpoint::{Endpoint, EndpointError},
    },
    measure::{Catalogue, Key, Metric},
};

/// The shortest and the longest interval.
const INTERVALS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));

/// What a file says. Values may hold variables, which nobody has resolved yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The tier that it states; `enabled: false` states 0.
    pub tier: Option<Tier>,
    /// The address of a destination.
    pub endpoint: Option<Located>,
    /// The destination's headers.
    pub headers: Vec<(HeaderName, Located)>,
    /// What goes along with the figures.
    pub attributes: BTreeMap<String, Located>,
    /// How many values of a metric's attribute are told apart.
    pub budgets: BTreeMap<(Metric, Key), usize>,
    /// How often figures are sent.
    pub interval: Option<Duration>,
    /// Resource attributes that are repeated on points.
    pub promote: Vec<String>,
    /// The person's name for tier 2.
    pub identity: Option<Located>,
    /// When the person agreed to tier 2, as RFC 3339 writes it.
    pub acknowledged_at: Option<String>,
    /// Variables that trusted projects may use.
    pub allow_env: BTreeSet<String>,
    /// Directories of which every project is trusted: absolute, or below `~/`.
    pub trusted_roots: Vec<String>,
}

/// A text and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Located {
    /// The text. It may hold variables.
    pub text: String,
    /// Where.
    pub place: Place,
    /// The key's path.
    pub key: String,
}

impl Located {
    /// A mistake in this text.
    pub fn problem(&self, what: impl Into<String>) -> Problem {
        Problem::new(self.place, &self.key, what)
    }
}

/// A header's literal value is not for everybody's eyes, though it is no credential.
impl std::fmt::Debug for Located {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {:?}", self.key, self.place)
    }
}

impl Settings {
    /// What `text`, a file of this kind, says; or everything that is wrong with it.
    pub fn parse(text: &str, kind: FileKind) -> Result<Self, Vec<Problem>> {
        let root = Node::parse(text).map_err(|problem| vec![problem])?;
        let mut problems = schema::check(&root, kind);
        if problems.is_empty() {
            let settings = Reading { kind, problems: &mut problems }.settings(&root);
            if problems.is_empty() {
                return Ok(settings);
            }
        }
        problems.sort_by_key(|problem| problem.place);
        Err(problems)
    }

    /// Whether it says nothing but how far the tier goes and who the person is.
    pub fn only_lowers_or_names(&self) -> bool {
        let plain = Self {
            tier: self.tier,
            identity: self.identity.clone(),
            acknowledged_at: self.acknowledged_at.clone(),
            ..Self::default()
        };
        *self == plain
    }
}

/// A document on its way to settings. It fits the schema, so what is not there or of another form is passed over.
struct Reading<'p> {
    kind: FileKind,
    problems: &'p mut Vec<Problem>,
}

impl Reading<'_> {
    fn settings(&mut self, root: &Node<'_>) -> Settings {
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

/// The destination at `address`, a base URL, if requests with or without headers may go there.
pub(in crate::consent) fn check_address(address: &str, has_headers: bool) -> Result<Endpoint, &'static str> {
    let endpoint = Endpoint::read(&metrics_address(address)).map_err(|error| match error {
        EndpointError::NotAnAddress => {
            "this is not an http:// or https:// address; write, for example, http://localhost:4318"
        }
        EndpointError::UserInfo => "this holds a user name or a password; move them to `headers`, as ${NAME}",
    })?;
    let has_credentials = has_headers || endpoint.expose().query().is_some();
    if has_credentials && !endpoint.may_carry_credentials() {
        return Err("this is http:// to another machine, but headers or a query go with it; use https://");
    }
    Ok(endpoint)
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

fn header_name(name: &str, value: &Located) -> Result<HeaderName, Problem> {
    let header: HeaderName = name.parse().map_err(|_| value.problem("this is not a header's name"))?;
    if is_own_header(&header) {
        return Err(value.problem("the exporter sets this header itself; remove it"));
    }
    let has_variable = template::variables(&value.text).next().is_some();
    let is_told = secrets::find(&value.text).is_some();
    if secrets::is_credential_header(name) && !has_variable && !is_told {
        return Err(value.problem("a credential belongs into a variable; write ${NAME}"));
    }
    Ok(header)
}

/// The budget of a metric's attribute; or whether the metric is at fault, and what is wrong.
fn budget(metric: &str, attribute: &str) -> Result<(Metric, Key), (bool, String)> {
    let names = || Metric::ALL.iter().map(|metric| metric.name());
    let Some(&found) = Metric::ALL.iter().find(|known| known.name() == metric) else {
        let what = match nearest(metric, names()) {
            Some(meant) => format!("unknown metric; did you mean `{meant}`?"),
            None => "unknown metric; `ccxray-exporter metrics list` lists them".to_owned(),
        };
        return Err((true, what));
    };
    let budgets = &Catalogue::embedded().get(found).budgets;
    let key = budgets.keys().find(|key| key.as_str() == attribute);
    key.map(|key| (found, *key)).ok_or_else(|| {
        let known = listed(budgets.keys().map(|key| key.as_str()));
        let what = if known.is_empty() {
            "this metric has no budgets".to_owned()
        } else {
            format!("this attribute has no budget; those that have are {known}")
        };
        (false, what)
    })
}

/// `2026-01-31T12:00:00Z`, with a fraction or an offset if need be.
fn is_rfc_3339(text: &str) -> bool {
    let Some((head, rest)) = text.split_at_checked(19) else { return false };
    let is_head = head.bytes().zip(*b"0000-00-00T00:00:00").all(|(found, form)| match form {
        b'0' => found.is_ascii_digit(),
        _ => found == form,
    });
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let is_offset = |zone: &str| {
        zone.len() == 6
            && zone.bytes().zip(*b"+00:00").all(|(found, form)| match form {
                b'0' => found.is_ascii_digit(),
                b'+' => found == b'+' || found == b'-',
                _ => found == form,
            })
    };
    is_head && !rest.starts_with(".Z") && (zone == "Z" || is_offset(zone))
}

fn is_root(text: &str) -> bool {
    let below = text.strip_prefix('/').or_else(|| text.strip_prefix("~/"));
    text == "~"
        || below.is_some_and(|below| {
            !below.is_empty() && !below.split('/').any(|part| part == ".." || part == ".")
        })
}

#[cfg(test)]
mod tests;
