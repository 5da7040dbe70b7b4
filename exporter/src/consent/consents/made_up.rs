//! Consents that no file says, for tests of others.

use std::collections::BTreeMap;

use super::{Consents, Findings};
use crate::{
    consent::{
        Grant, Reason, Tier,
        lookup::{Places, Root},
        resolve::Coverage,
    },
    deliver::Destination,
    pipeline::identity::PipelineKey,
};

/// A grant for this endpoint and project.
pub(crate) fn grant(endpoint: &str, tier: Tier, project: &str) -> Grant {
    let env = |name: &str| (name == "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").then(|| endpoint.to_owned());
    let mut attributes = BTreeMap::from([("project.name".to_owned(), project.to_owned())]);
    if tier == Tier::Named {
        attributes.insert("enduser.id".to_owned(), "somebody".to_owned());
    }
    Grant {
        key: PipelineKey {
            destination: Some(endpoint.to_owned()),
            tier: tier.number(),
            attributes: attributes.clone(),
        },
        tier,
        destination: Destination::from_env(&env).unwrap().unwrap(),
        shown: attributes,
        interval: None,
        budgets: BTreeMap::new(),
        promote: Vec::new(),
        files: [format!("/{project}/.ccxray.json").into()].into(),
        acknowledged_at: None,
        notices: ["made up".to_owned()].into(),
        is_standby: false,
    }
}

/// What holds if these directories have these grants, those without a file the server's, and what lies below `/code` is
/// yet to be looked at.
pub(crate) fn consents(server: Option<Grant>, directories: Vec<(&str, Grant)>) -> Consents {
    without(server, directories, &[])
}

/// [`consents`], with a file that says 0 for the directories `off`.
pub(crate) fn without(server: Option<Grant>, directories: Vec<(&str, Grant)>, off: &[&str]) -> Consents {
    let granted = |(dir, grant): (&str, Grant)| (dir.to_owned(), Ok(Coverage::Granted(Box::new(grant))));
    let refused = |dir: &&str| ((*dir).to_owned(), Err(Reason::Tier0(dir.into())));
    let code = Root { written: "/code".into(), real: "/code".into() };
    Consents::of(Findings {
        places: Places { roots: vec![code], ..Places::default() },
        server: server.ok_or(Reason::NoTier),
        directories: directories.into_iter().map(granted).chain(off.iter().map(refused)).collect(),
    })
}
