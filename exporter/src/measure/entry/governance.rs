//! What agents may do, and do that somebody may want to know of.

use ccxray_shared::entry::Class;

use super::{Recorder, Sink};
use crate::{
    classify::permission,
    measure::{Key, Metric, catalogue::closed},
};

impl<S: Sink> Recorder<'_, S> {
    pub(super) fn governance(&mut self) {
        let entry = self.classified.entry;
        if entry.class == Class::Turn && self.classified.answered {
            let mode = permission::canonical(entry);
            self.record(Metric::PermissionModeUsage, &[(Key::Mode, mode)], 1);
        }
        let calls = || entry.tools.iter().flat_map(|tools| &tools.calls);
        for pattern in calls().flat_map(|call| &call.patterns) {
            let pattern = closed(Metric::DangerousToolInvocations, Key::Pattern, pattern).unwrap_or("other");
            self.record(Metric::DangerousToolInvocations, &[(Key::Pattern, pattern)], 1);
        }
        let writes = calls().filter(|call| call.writes_file).count();
        if writes > 0 {
            self.record_by_provider(Metric::FileWrites, writes as u64);
        }
    }
}
