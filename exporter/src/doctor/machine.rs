//! State, spool, key, and the programs that run.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use ccxray_shared::{
    UnixMillis,
    private::{self, PrivateDirError},
    state_dir::StateDir,
};

use super::check::Check;
use crate::{
    checkpoint::{Loaded, Store},
    classify::price_table::PriceTable,
    run::lock,
    status::{proxies, report::Prices, rules::RulesFile},
};

/// How old prices may be.
const PRICES_DAYS: u64 = 90;

pub(super) fn checks(state_dir: &StateDir, now: UnixMillis) -> Vec<Check> {
    vec![
        dir("state", state_dir.path()),
        dir("spool", &state_dir.spool()),
        key(&state_dir.key()),
        proxy(&state_dir.spool()),
        exporter(&state_dir.exporter()),
        checkpoint(&state_dir.exporter()),
        prices(now),
        rules(now),
    ]
}

fn dir(name: &'static str, path: &Path) -> Check {
    match private::check_dir(path) {
        Ok(()) => Check::well(name, path.display().to_string()),
        Err(PrivateDirError::Io { path, .. }) if !path.exists() => {
            Check::ill(name, format!("{} is not there", path.display()), "start ccxray-proxy, which makes it")
        }
        Err(error) => Check::ill(name, error.to_string(), "nothing is recorded there until that is mended"),
    }
}

fn key(path: &Path) -> Check {
    match fs::symlink_metadata(path) {
        // The six lowest bits are what the group and all others may do.
        Ok(metadata)
            if metadata.is_file() && metadata.len() == 32 && metadata.mode().trailing_zeros() >= 6 =>
        {
            Check::well("key", "32 bytes, for you only")
        }
        Ok(_) => Check::ill(
            "key",
            format!("{} is not 32 bytes that only you can read", path.display()),
            "remove it and start ccxray-proxy again; sessions are then counted anew",
        ),
        Err(_) => Check::ill(
            "key",
            format!("{} is not there", path.display()),
            "start ccxray-proxy, which makes it",
        ),
    }
}

fn proxy(spool: &Path) -> Check {
    match proxies::living(spool) {
        Ok(living) if living.is_empty() => {
            Check::ill("proxy", "none runs here", "start ccxray-proxy, or see why its service does not")
        }
        Ok(living) => Check::well("proxy", format!("{} running", living.len())),
        Err(error) => Check::ill("proxy", format!("the spool cannot be read: {error}"), "see `spool` above"),
    }
}

fn exporter(dir: &Path) -> Check {
    match lock::holder(dir) {
        Some(pid) => Check::well("exporter", format!("running, pid {pid}")),
        None => Check::ill(
            "exporter",
            "it does not run",
            "start `ccxray-exporter run`; until then nothing is counted",
        ),
    }
}

fn checkpoint(dir: &Path) -> Check {
    let again =
        "counting goes on from what is whole; nothing needs to be done but to find out who damaged it";
    match Store::new(dir).peek() {
        Ok(Loaded::Fresh) => Check::well("checkpoint", "none yet"),
        Ok(Loaded::Current(_)) => Check::well("checkpoint", "whole"),
        Ok(Loaded::Previous(_, error) | Loaded::Damaged(error)) => {
            Check::ill("checkpoint", error.to_string(), again)
        }
        Err(error) => {
            Check::ill("checkpoint", error.to_string(), "the exporter does not start until that is mended")
        }
    }
}

fn prices(now: UnixMillis) -> Check {
    let prices = Prices::of(PriceTable::embedded().origin().clone(), now);
    let found = format!("prices of {}", prices.origin.retrieved);
    match prices.age_days {
        Some(days) if days <= PRICES_DAYS => Check::well("data", found),
        Some(_) | None => {
            Check::ill("data", found, "install a newer version, or give --prices a newer table")
        }
    }
}

fn rules(now: UnixMillis) -> Check {
    let files = RulesFile::here(now);
    let old: Vec<&str> =
        files.iter().filter(|file| file.is_old()).map(|file| file.facts.name.as_str()).collect();
    if old.is_empty() {
        return Check::well("rules", format!("{} files, compared with clients of late", files.len()));
    }
    let found = format!("{} were compared with clients more than a quarter ago", old.join(", "));
    Check::ill(
        "rules",
        found,
        "install a newer version; `ccxray-exporter parser report` says what nobody knows yet",
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn ill(checks: &[Check]) -> Vec<&str> {
        checks.iter().filter(|check| check.needs_attention()).map(|check| check.name).collect()
    }

    #[test]
    fn where_nothing_was_ever_started_that_is_what_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let state_dir = StateDir::resolve(Some(dir.path().join("none"))).unwrap();
        let checks = checks(&state_dir, UnixMillis(0));
        assert_eq!(ill(&checks), ["state", "spool", "key", "proxy", "exporter"]);
    }

    #[test]
    fn what_others_could_read_or_write_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let state_dir = StateDir::resolve(Some(dir.path().join("state"))).unwrap();
        for dir in [state_dir.spool(), state_dir.exporter()] {
            private::ensure_dir(&dir).unwrap();
        }
        fs::write(state_dir.key(), [0; 32]).unwrap();
        fs::set_permissions(state_dir.key(), fs::Permissions::from_mode(0o600)).unwrap();
        let _lock = lock::acquire(&state_dir.exporter()).unwrap();
        assert_eq!(ill(&checks(&state_dir, UnixMillis(0))), ["proxy"]);
        fs::set_permissions(state_dir.key(), fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(state_dir.spool(), fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(ill(&checks(&state_dir, UnixMillis(0))), ["spool", "key", "proxy"]);
    }

    #[test]
    fn old_prices_and_old_rules_are_told() {
        assert!(!rules(UnixMillis(0)).needs_attention());
        assert!(rules(UnixMillis(4_000_000_000_000)).needs_attention());
        assert!(!prices(UnixMillis(0)).needs_attention());
        assert!(prices(UnixMillis(4_000_000_000_000)).needs_attention());
    }
}
