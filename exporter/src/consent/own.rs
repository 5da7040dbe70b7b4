//! The user's own file: the only place that can name endpoints, variables and trusted directories for every project.

use std::path::{Path, PathBuf};

use ccxray_shared::json::FileProblems;
use directories::{BaseDirs, ProjectDirs};

use super::{
    config::{FileKind, Settings},
    error::ConsentError,
    lookup::{Root, Stated},
    place::{self, Writers},
};

/// Where the user's own file may lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The home directory.
    pub home: Option<PathBuf>,
    /// The directory for configuration.
    pub config: Option<PathBuf>,
}

impl Home {
    /// Of the user who runs this.
    pub fn of_this_user() -> Self {
        Self {
            home: BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()),
            config: ProjectDirs::from("", "", "ccxray").map(|dirs| dirs.config_dir().to_owned()),
        }
    }

    /// Where the file lies, or would be looked for.
    pub fn candidates(&self) -> impl Iterator<Item = PathBuf> {
        [&self.home, &self.config].into_iter().flatten().map(|dir| dir.join(FileKind::Personal.file_name()))
    }

    /// What the user's own file says; nothing if there is none.
    pub fn read(&self) -> Result<Option<Stated>, ConsentError> {
        let mut found: Option<(PathBuf, String)> = None;
        for path in self.candidates() {
            let read = place::read(&path, Writers::Owner);
            let text = read.map_err(|why| ConsentError::Refused { path: path.clone(), why })?;
            match (text, &found) {
                (None, _) => {}
                (Some(text), None) => found = Some((path, text)),
                (Some(_), Some((first, _))) => {
                    return Err(ConsentError::Two { first: first.clone(), second: path });
                }
            }
        }
        found.map(|(path, text)| parse(path, &text)).transpose()
    }

    /// The directories that the user trusts with everything in them; those that are not there are left out.
    pub fn roots(&self, own: &Settings) -> Vec<Root> {
        own.trusted_roots.iter().filter_map(|root| self.root(root)).collect()
    }

    fn root(&self, root: &str) -> Option<Root> {
        let written = match root.strip_prefix('~') {
            Some(below) => join(self.home.as_ref()?, below.trim_start_matches('/')),
            None => PathBuf::from(root.trim_end_matches('/')),
        };
        let real = written.canonicalize().ok()?;
        Some(Root { written, real })
    }
}

fn parse(path: PathBuf, text: &str) -> Result<Stated, ConsentError> {
    match Settings::parse(text, FileKind::Personal) {
        Ok(settings) => Ok(Stated { path, settings }),
        Err(problems) => Err(ConsentError::Problems(FileProblems { path, problems })),
    }
}

fn join(home: &Path, below: &str) -> PathBuf {
    if below.is_empty() { home.to_owned() } else { home.join(below.trim_end_matches('/')) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn home(dir: &Path) -> Home {
        Home { home: Some(dir.join("home")), config: Some(dir.join("config")) }
    }

    #[test]
    fn the_own_file_lies_in_one_of_two_places_and_not_in_both() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(dir.path());
        assert_eq!(home.read(), Ok(None));
        for place in ["home", "config"] {
            fs::create_dir(dir.path().join(place)).unwrap();
        }
        fs::write(dir.path().join("config/.ccxray.user.json"), r#"{"otel":{"tier":1}}"#).unwrap();
        assert!(home.read().unwrap().unwrap().path.starts_with(dir.path().join("config")));
        fs::write(dir.path().join("home/.ccxray.user.json"), r#"{"otel":{"tier":0}}"#).unwrap();
        assert!(matches!(home.read(), Err(ConsentError::Two { .. })));
    }

    #[test]
    fn a_mistake_in_it_is_told_with_file_line_and_column() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        fs::write(dir.path().join("home/.ccxray.user.json"), "{\"otel\": {\n  \"tier\": 7}}").unwrap();
        let error = home(dir.path()).read().unwrap_err().to_string();
        assert!(error.ends_with(".ccxray.user.json:2:11: otel.tier: this is 7; write 0, 1 or 2"), "{error}");
    }

    #[test]
    fn roots_are_resolved_and_those_that_are_not_there_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        fs::create_dir_all(real.join("home/real")).unwrap();
        std::os::unix::fs::symlink("real", real.join("home/link")).unwrap();
        let own = r#"{"otel":{"trusted_roots":["~/link/","/nowhere/at/all","~"]}}"#;
        let own = Settings::parse(own, FileKind::Personal).unwrap();
        let roots = home(&real).roots(&own);
        assert_eq!(roots[0], Root { written: real.join("home/link"), real: real.join("home/real") });
        assert_eq!(roots[1].written, real.join("home"));
        assert_eq!(roots.len(), 2);
    }
}
