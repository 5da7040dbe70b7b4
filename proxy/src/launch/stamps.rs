//! What is stamped on an agent's requests.

use std::{env, fs, io, path::PathBuf};

use super::own_tier;
use crate::{
    cli::LeadOptions,
    route::{prefix, stamp::Attribution},
};

/// The project directory cannot be stamped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirError {
    /// It is not there.
    #[error("failed to find the project directory `{path}`")]
    Find {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its path would not survive in a URL.
    #[error("the path of `{0}` cannot be stamped on requests; name another directory with --dir")]
    Unfit(PathBuf),
}

/// The stamps that the options and the environment ask for.
pub fn stamps(options: &LeadOptions) -> Result<Attribution, DirError> {
    let telemetry = env::var("CLAUDE_CODE_ENABLE_TELEMETRY").unwrap_or_default();
    let path = options.dir.clone().unwrap_or_else(|| PathBuf::from("."));
    let found = fs::canonicalize(&path).map_err(|source| DirError::Find { path, source })?;
    let unfit = || DirError::Unfit(found.clone());
    let dir = found.to_str().ok_or_else(unfit)?.to_owned();
    let tier_cap = own_tier::cap(&found).or(options.tier);
    let stamps = Attribution { dir: Some(dir), tier_cap, agent_otel: is_on(&telemetry) };
    prefix::write("any", &stamps).map_err(|_| unfit())?;
    Ok(stamps)
}

/// Whether a variable of Claude Code's switches something on.
fn is_on(value: &str) -> bool {
    ["1", "true", "yes", "on"].iter().any(|on| value.trim().eq_ignore_ascii_case(on))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::address::ProxyAddress;

    #[test]
    fn telemetry_is_on_where_claude_code_takes_it_as_on() {
        assert!(["1", "true", "TRUE", "yes", "on"].into_iter().all(is_on));
        assert!(!["", "0", "false", "off", "2"].into_iter().any(is_on));
    }

    #[test]
    fn a_directory_is_stamped_by_its_real_path_and_must_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        let proxy: ProxyAddress = "http://127.0.0.1:5588".parse().unwrap();
        let of = |dir: PathBuf| stamps(&LeadOptions { dir: Some(dir), tier: Some(0), proxy: proxy.clone() });
        let found = of(real.join(".")).unwrap();
        assert_eq!((found.dir.as_deref(), found.tier_cap), (real.to_str(), Some(0)));
        assert!(matches!(of(real.join("none")), Err(DirError::Find { .. })));
        let odd = real.join("two\nlines");
        fs::create_dir(&odd).unwrap();
        assert!(matches!(of(odd), Err(DirError::Unfit(_))));
    }
}
