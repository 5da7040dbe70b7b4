//! Files, trust, environment, and what they come to for a project.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ccxray_shared::state_dir::StateDir;

use super::check::Check;
use crate::{
    consent::{
        Consents, Decision, Keeper, Reason, config::FileKind, keeper::Sources, own::Home, trust::TrustStore,
    },
    git::{self, Standing},
    trust,
};

/// Variables that have an effect.
const VARIABLES: [&str; 22] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_METRICS_EXPORTER",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SDK_DISABLED",
    "DO_NOT_TRACK",
    "CCXRAY_OTEL_TIER",
    "CCXRAY_INTERVAL",
    "CCXRAY_RESUME_GRACE",
    "CCXRAY_STATE_DIR",
    "CCXRAY_PRICES",
];

/// The checks, and what holds, if it can be told.
pub(super) fn checks(
    state_dir: &StateDir,
    tier: Option<u8>,
    dirs: &[PathBuf],
) -> (Vec<Check>, Option<Arc<Consents>>) {
    of_sources(Sources::of_this_user(state_dir, tier), dirs)
}

fn of_sources(sources: Sources, dirs: &[PathBuf]) -> (Vec<Check>, Option<Arc<Consents>>) {
    let own = own(&sources.home);
    let mut checks = vec![environment(&sources.variables)];
    checks.extend(own_is_tracked(&sources.home));
    checks.extend(trusted(&sources.trust));
    let mut keeper = match Keeper::start(sources) {
        Ok(keeper) => keeper,
        Err(error) => {
            checks.push(Check::ill(
                "own file",
                error.to_string(),
                "the exporter does not start until that is mended",
            ));
            return (checks, None);
        }
    };
    checks.push(Check::well("own file", own));
    for dir in dirs {
        checks.push(project(&mut keeper, dir));
        checks.extend(personal_is_tracked(dir));
    }
    (checks, Some(keeper.consents()))
}

fn environment(variables: &dyn Fn(&str) -> Option<String>) -> Check {
    let set: Vec<&str> =
        VARIABLES.into_iter().filter(|name| variables(name).is_some_and(|value| !value.is_empty())).collect();
    let found = if set.is_empty() {
        "no variable has an effect".to_owned()
    } else {
        format!("set here: {}", set.join(", "))
    };
    Check::well("environment", found)
}

fn own(home: &Home) -> String {
    match home.read() {
        Ok(Some(own)) => own.path.display().to_string(),
        Ok(None) | Err(_) => "you have none".to_owned(),
    }
}

fn own_is_tracked(home: &Home) -> Option<Check> {
    let path = home.candidates().find(|path| path.exists())?;
    is_tracked(path.parent()?).then(|| tracked(&path))
}

fn personal_is_tracked(dir: &Path) -> Option<Check> {
    let dir = trust::find(dir).ok()?.dir;
    is_tracked(&dir).then(|| tracked(&dir.join(FileKind::Personal.file_name())))
}

fn is_tracked(dir: &Path) -> bool {
    git::standing(dir, FileKind::Personal.file_name()) == Standing::Tracked
}

fn tracked(path: &Path) -> Check {
    Check::ill(
        "personal",
        format!("git tracks {}: whoever clones it has your name and your consent", path.display()),
        "run `git rm --cached` on it, commit that, and have git ignore it",
    )
}

fn trusted(store: &TrustStore) -> Vec<Check> {
    let list = match store.load() {
        Ok(list) => list,
        Err(error) => {
            return vec![Check::ill("trust", error.to_string(), "nothing is trusted until that is mended")];
        }
    };
    let checks = list.iter().map(|trusted| {
        let state = trust::state(trusted);
        let found = format!("{}: {state}", trusted.dir.display());
        if state.starts_with("since") {
            Check::well("trust", found)
        } else {
            Check::ill("trust", found, "read it, then run `ccxray-exporter trust` or `untrust` there")
        }
    });
    checks.collect()
}

/// What the exchanges of a project come to.
fn project(keeper: &mut Keeper, dir: &Path) -> Check {
    let shown = dir.display();
    let found = match trust::find(dir) {
        Ok(found) => found,
        Err(error) => return Check::ill("project", error.to_string(), "its exchanges stay on this machine"),
    };
    let real = dir.canonicalize().unwrap_or_else(|_| found.dir.clone());
    let Some(real) = real.to_str() else {
        return Check::ill("project", format!("{shown} is not UTF-8"), "its exchanges cannot be told apart");
    };
    let explored = keeper.explore([real]);
    match explored.decide_for(Some(real), None, None) {
        Decision::Count(grant) => {
            let notices = grant.notices.iter().map(|notice| format!("\n{notice}"));
            Check::well("project", format!("{shown}: {}{}", grant.summary(), notices.collect::<String>()))
        }
        Decision::Nothing(reason) => nothing(&shown.to_string(), found.file.is_some(), reason),
        Decision::StampedOut | Decision::Unexplored(_) => {
            Check::well("project", format!("{shown}: nothing leaves"))
        }
    }
}

/// Nothing leaves: as somebody wishes, or because something is amiss.
fn nothing(shown: &str, has_file: bool, reason: &Reason) -> Check {
    let found = format!("{shown}: nothing leaves this machine ({reason})");
    match reason {
        Reason::NoTier if has_file => Check::ill(
            "project",
            format!("{shown}: nothing leaves this machine; nobody trusts its .ccxray.json"),
            "read it; if you agree, run `ccxray-exporter trust` there",
        ),
        Reason::NoTier
        | Reason::SwitchedOff
        | Reason::NobodySaid
        | Reason::Tier0(_)
        | Reason::DoNotTrack
        | Reason::SdkDisabled => Check::well("project", found),
        Reason::NoEndpoint => Check::ill(
            "project",
            found,
            "name an endpoint in the project's file, in your own, or in the environment",
        ),
        Reason::Environment(_)
        | Reason::OddDirectory
        | Reason::Unseen(_)
        | Reason::Automount(_)
        | Reason::NotTrusted(_)
        | Reason::Changed(_)
        | Reason::Vanished(_)
        | Reason::Refused(..)
        | Reason::Broken(_)
        | Reason::Own(_) => Check::ill("project", found, "until that is mended its exchanges stay here"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::consent::trust::ContentHash;

    const PROJECT: &str = r#"{"otel":{"tier":1,"endpoint":"https://otel.example"}}"#;

    /// The checks with a project that was trusted with this content, and its file as it is now.
    fn ill(trusted: Option<&str>, file: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("app")).unwrap();
        fs::write(top.join("app/.ccxray.json"), file).unwrap();
        let store = TrustStore::new(&top);
        if let Some(content) = trusted {
            let content = Some(ContentHash::of(content));
            let since = ccxray_shared::UnixMillis(0);
            let trusted = crate::consent::trust::Trusted {
                dir: top.join("app"),
                content,
                personal_is_tracked: false,
                since,
            };
            store.change(|list| list.insert(trusted)).unwrap();
        }
        let home = Home { home: Some(top.clone()), config: None };
        let sources =
            Sources { home, trust: store, ceiling: None, told: None, variables: Box::new(|_| None) };
        let (checks, _) = of_sources(sources, &[top.join("app")]);
        checks
            .into_iter()
            .filter(Check::needs_attention)
            .map(|check| format!("{}: {}", check.name, check.found))
            .collect()
    }

    #[test]
    fn a_project_that_is_trusted_as_it_is_needs_nothing() {
        assert!(ill(Some(PROJECT), PROJECT).is_empty());
    }

    #[test]
    fn a_project_that_nobody_trusts_or_that_has_changed_is_told() {
        let untrusted = ill(None, PROJECT);
        assert!(
            untrusted.len() == 1 && untrusted[0].contains("nobody trusts its .ccxray.json"),
            "{untrusted:?}"
        );
        let changed = ill(Some("{}"), PROJECT);
        assert!(
            changed.len() == 2 && changed.iter().all(|check| check.contains("has changed")),
            "{changed:?}"
        );
    }

    #[test]
    fn a_literal_secret_in_a_projects_file_is_told_without_it() {
        let file = r#"{"otel":{"endpoint":"https://x.example","headers":{"x-a":"ghp_canary0123456789canary0123456789ABCD"}}}"#;
        let found = ill(None, file);
        assert!(
            found.len() == 1 && found[0].contains(":1:58: otel.headers.x-a: this looks like an API token"),
            "{found:?}"
        );
        assert!(!found[0].contains("canary"));
    }
}
