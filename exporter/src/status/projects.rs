//! The projects in the status: the directories that exchanges came from, and what becomes of them.
//!
//! The files are read anew, as the running exporter reads them: it is told, too, what an exporter that does not run would
//! do. Only what its command line and environment say of exchanges without a file is not known here.

use std::path::{Path, PathBuf};

use ccxray_shared::{UnixMillis, daemon::log::with_causes, state_dir::StateDir};
use serde::Serialize;

use crate::{
    checkpoint::SeenDirectory,
    consent::{Consents, Decision, Keeper, Reason, keeper::Sources},
};

/// One directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProjectReport {
    /// The directory, as the agent or the launcher stated it.
    pub dir: String,
    /// When the last exchange ended that came from there.
    pub last: UnixMillis,
    /// What becomes of its exchanges.
    pub standing: Standing,
    /// With which consent they are sent; 0 if none is.
    pub tier: u8,
    /// Why none is sent, or nothing more is known.
    pub reason: Option<String>,
    /// What would change that.
    pub fix: Option<String>,
}

/// What becomes of exchanges of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// They are sent.
    Sent,
    /// No file covers them: they go where those without a project go, if anywhere.
    NoFile,
    /// Nobody trusts the directory: nothing in it is looked at.
    NotTrusted,
    /// They are not sent, and somebody said so.
    Off,
    /// They are not sent, because a file is not as it was, or not as it should be.
    Broken,
}

/// A directory's report, from what was agreed to.
impl ProjectReport {
    /// Whether somebody should look at it.
    pub(super) fn needs_attention(&self) -> bool {
        self.standing == Standing::Broken
    }

    fn of(SeenDirectory { dir, last }: SeenDirectory, consents: &Consents) -> Self {
        let (standing, tier, reason, fix) = match consents.decide_for(Some(&dir), None, None) {
            Decision::Count(grant) => (Standing::Sent, grant.tier.number(), None, None),
            Decision::StampedOut => (Standing::Off, 0, None, None),
            Decision::Unexplored(_) => (Standing::Broken, 0, None, None),
            Decision::Nothing(reason) => {
                let (standing, fix) = standing(reason, &dir, consents);
                (standing, 0, Some(reason.to_string()), fix)
            }
        };
        Self { dir, last, standing, tier, reason, fix }
    }
}

/// What becomes of `directories`, the newest first; or what is wrong with the user's own configuration.
pub(super) fn of(
    state_dir: &StateDir,
    directories: Vec<SeenDirectory>,
) -> Result<Vec<ProjectReport>, String> {
    let keeper = Keeper::start(Sources::of_this_user(state_dir, None));
    let mut keeper = keeper.map_err(|error| with_causes(&error))?;
    let consents = keeper.explore(directories.iter().map(|seen| seen.dir.as_str()));
    let mut reports: Vec<ProjectReport> =
        directories.into_iter().map(|seen| ProjectReport::of(seen, &consents)).collect();
    reports.sort_by(|one, other| (other.last, &one.dir).cmp(&(one.last, &other.dir)));
    Ok(reports)
}

fn standing(reason: &Reason, dir: &str, consents: &Consents) -> (Standing, Option<String>) {
    match reason {
        Reason::NoTier if consents.directories().any(|(explored, _)| explored == dir) => {
            (Standing::NoFile, None)
        }
        Reason::NoTier => (Standing::NotTrusted, Some(trust(Path::new(dir)))),
        Reason::NotTrusted(path) => (Standing::NotTrusted, Some(trust(&project_of(path)))),
        Reason::Changed(path) => (Standing::Broken, Some(trust(&project_of(path)))),
        Reason::Vanished(path) => {
            let fix = format!("ccxray-exporter untrust {}", project_of(path).display());
            (Standing::Broken, Some(fix))
        }
        Reason::SwitchedOff
        | Reason::NobodySaid
        | Reason::Tier0(_)
        | Reason::DoNotTrack
        | Reason::SdkDisabled
        | Reason::OddDirectory
        | Reason::Unseen(_)
        | Reason::Automount(_) => (Standing::Off, None),
        Reason::NoEndpoint | Reason::Environment(_) => (Standing::NoFile, None),
        Reason::Refused(..) | Reason::Broken(_) | Reason::Own(_) => (Standing::Broken, None),
    }
}

/// The directory of a project's file, or that directory itself.
fn project_of(path: &Path) -> PathBuf {
    let is_file = path.extension().is_some_and(|extension| extension == "json");
    path.parent().filter(|_| is_file).unwrap_or(path).to_owned()
}

fn trust(dir: &Path) -> String {
    format!("ccxray-exporter trust {}", dir.display())
}
