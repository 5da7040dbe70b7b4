//! What changes when something else is agreed to: pipelines end and begin.

use std::sync::Arc;

use ccxray_shared::UnixMillis;

use super::Core;
use crate::{
    consent::{Consents, Grant},
    engine::{Exported, PipelineId},
    pipeline::identity::{InstanceId, PipelineKey},
};

/// What something else that is agreed to comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Pipelines that have ended.
    pub closed: Vec<PipelineId>,
    /// Pipelines that begin, or go elsewhere from now on.
    pub opened: Vec<PipelineId>,
}

impl Core {
    /// From now on this holds: pipelines that nobody agrees to any more end with all that they have not sent, new ones
    /// begin. What is there only for exchanges with a stamp waits for the first of them.
    pub fn agree(
        &mut self,
        consents: &Arc<Consents>,
        now: UnixMillis,
        mut random: impl FnMut() -> u128,
    ) -> Agreement {
        if !consents.only_adds_to(&self.options.consents) {
            self.agreed_at = now;
        }
        let mut agreement = Agreement::default();
        let granted = |key: &PipelineKey| consents.grants().iter().find(|grant| grant.key == *key);
        let interval = self.options.interval;
        self.exported.retain_mut(|exported| {
            let Some(grant) = granted(&exported.grant().key).filter(|grant| exported.goes_on_as(grant))
            else {
                agreement.closed.push(exported.id());
                return false;
            };
            if exported.agree(grant, interval) {
                agreement.opened.push(exported.id());
            }
            true
        });
        self.ready.retain(|(id, _)| !agreement.closed.contains(id));
        if !agreement.closed.is_empty() {
            self.agreed_at = now;
        }
        self.options.consents = Arc::clone(consents);
        self.find_places();
        for (number, grant) in consents.grants().iter().enumerate() {
            if !grant.is_standby && self.places[number].is_none() {
                agreement.opened.push(self.begin(grant.clone(), now, self.watermark, &mut random));
            }
        }
        self.find_places();
        agreement
    }

    /// Begins the pipeline of a grant that had none, for an entry whose [`event_time`](Self::event_time) is `at`.
    pub fn open(
        &mut self,
        grant: usize,
        (now, at): (UnixMillis, UnixMillis),
        random: impl FnMut() -> u128,
    ) -> Option<PipelineId> {
        let grant = self.options.consents.grants().get(grant)?.clone();
        let id = self.begin(grant, now, at.max(self.watermark), random);
        self.find_places();
        Some(id)
    }

    fn begin(
        &mut self,
        grant: Grant,
        now: UnixMillis,
        at: UnixMillis,
        mut random: impl FnMut() -> u128,
    ) -> PipelineId {
        let id = self.new_id();
        let who = (id, InstanceId::from_bits(random()));
        self.exported.push(Exported::begin(who, grant, self.options.interval, (now, self.agreed_at, at)));
        id
    }

    pub(super) fn new_id(&mut self) -> PipelineId {
        self.next_id += 1;
        PipelineId(self.next_id)
    }

    fn find_places(&mut self) {
        let consents = &self.options.consents;
        let server = consents.server().ok().map(|grant| &grant.key);
        for exported in &mut self.exported {
            exported.is_server = server == Some(&exported.grant().key);
        }
        let place = |grant: &Grant| self.exported.iter().position(|each| each.grant().key == grant.key);
        self.places = consents.grants().iter().map(place).collect();
    }
}
