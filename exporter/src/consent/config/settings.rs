//! What a checked document says.

mod reading;
mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ccxray_shared::json::{Node, Place, Problem};
use hyper::header::HeaderName;

use self::reading::Reading;
pub(in crate::consent) use self::rules::check_address;
use super::schema::{self, FileKind};
use crate::{
    consent::tier::Tier,
    measure::{Key, Metric},
};

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

#[cfg(test)]
mod tests;
