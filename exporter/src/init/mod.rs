//! `init`: writes a configuration file, so that nobody has to know how one looks.
//!
//! What is not on the command line is asked for, if there is a terminal to ask on. A file that is there is amended; what
//! else is in it stays. [`edit`]: the file's text. [`ask`]: questions. [`gitignore`]: a personal file is kept out of git.

mod ask;
mod edit;
mod error;
mod gitignore;

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use ccxray_shared::{UnixMillis, daemon::log::with_causes, json::FileProblems};
use serde_json::{Value, json};

pub use self::error::InitError;
use self::{ask::Asker, edit::edited};
use crate::{
    cli::InitOptions,
    consent::{
        Tier,
        config::{FileKind, Settings},
        own::Home,
        place::{self, Writers},
    },
    git::{self, Standing},
};

/// What these figures are for, and what not.
pub const ETHICS_PAGE: &str = "https://github.com/ccxray/sidecar/blob/main/docs/ethics.md";

/// Writes the file. Exit code 0, 1 if it could not be, 2 if something must be said on the command line.
#[expect(clippy::print_stderr, reason = "this is a command's talk")]
pub fn run(options: &InitOptions) -> ExitCode {
    let mut asker = Asker::new(io::stdin().is_terminal(), io::stdin().lock());
    match init(options, &Home::of_this_user(), &mut asker, UnixMillis::now()) {
        Ok(told) => {
            // Whoever reads it may have gone.
            let _ = io::stdout().write_all(told.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("ccxray-exporter: {}", with_causes(&error));
            error.exit_code()
        }
    }
}

/// Writes the file, and says what was done.
fn init(
    options: &InitOptions,
    home: &Home,
    asker: &mut Asker<'_>,
    now: UnixMillis,
) -> Result<String, InitError> {
    let kind = if options.personal { FileKind::Personal } else { FileKind::Project };
    let path = path(options, home)?;
    let old = read(&path, kind)?;
    if options.personal {
        refuse_tracked(&path)?;
    }
    let said = settings(&path, &old, kind)?;
    let changes = match kind {
        FileKind::Project => project(options, &said, &path, asker)?,
        FileKind::Personal => personal(options, &said, asker, now)?,
    };
    let new = edited(&old, &changes);
    settings(&path, &new, kind)?;
    write(&path, &new, kind)?;
    let next = match kind {
        FileKind::Personal => gitignore::cover(&path, options.yes, asker)?,
        FileKind::Project => {
            "it counts once it is trusted, on each machine: ccxray-exporter trust\n".to_owned()
        }
    };
    let path = path.display();
    Ok(format!("wrote {path}\n{next}what these figures are for, and what not: {ETHICS_PAGE}\n"))
}

/// Where the file lies or shall lie.
fn path(options: &InitOptions, home: &Home) -> Result<PathBuf, InitError> {
    if options.personal && options.dir.is_none() {
        let mut candidates = home.candidates();
        let first = candidates.next().ok_or(InitError::NoHome)?;
        let existing = candidates.find(|path| path.exists());
        return Ok(existing.filter(|_| !first.exists()).unwrap_or(first));
    }
    let given = options.dir.as_deref().unwrap_or(Path::new("."));
    let dir = given.canonicalize().map_err(|source| InitError::Open { path: given.to_owned(), source })?;
    let name = if options.personal { FileKind::Personal } else { FileKind::Project }.file_name();
    Ok(project_root(&dir).join(name))
}

/// Where the project's file lies, else the root of the repository, else `dir`.
fn project_root(dir: &Path) -> &Path {
    let is_root =
        |above: &&Path| above.join(FileKind::Project.file_name()).is_file() || above.join(".git").exists();
    dir.ancestors().find(is_root).unwrap_or(dir)
}

fn read(path: &Path, kind: FileKind) -> Result<String, InitError> {
    let writers = match kind {
        FileKind::Project => Writers::Group,
        FileKind::Personal => Writers::Owner,
    };
    let text = place::read(path, writers).map_err(|why| InitError::Refused { path: path.to_owned(), why })?;
    Ok(text.unwrap_or_else(|| "{}".to_owned()))
}

/// A name or a consent that is committed is everybody's.
fn refuse_tracked(path: &Path) -> Result<(), InitError> {
    let Some((dir, name)) = path.parent().zip(path.file_name().and_then(|name| name.to_str())) else {
        return Ok(());
    };
    match git::standing(dir, name) {
        Standing::Tracked => Err(InitError::Tracked { path: path.to_owned() }),
        Standing::Ignored | Standing::Untracked | Standing::Unknown => Ok(()),
    }
}

fn settings(path: &Path, text: &str, kind: FileKind) -> Result<Settings, InitError> {
    let problems = |problems| InitError::Problems(FileProblems { path: path.to_owned(), problems });
    Settings::parse(text, kind).map_err(problems)
}

/// A key below `otel` and its new value.
type Change = (&'static str, Value);

fn project(
    options: &InitOptions,
    said: &Settings,
    path: &Path,
    asker: &mut Asker<'_>,
) -> Result<Vec<Change>, InitError> {
    let tier = tier(options, said, asker)?;
    let mut changes = vec![("tier", json!(tier.number()))];
    if tier == Tier::Disabled {
        return Ok(changes);
    }
    changes.extend(endpoint(options, said, asker)?);
    let name = match (&options.project_name, said.attributes.get("project.name")) {
        (Some(name), _) => Some(name.clone()),
        (None, Some(_)) => None,
        (None, None) => {
            let dir = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
            asker.ask("the project's name, sent with its figures", &dir.unwrap_or_default())?
        }
    };
    changes.extend(name.map(|name| ("resource_attributes.project.name", json!(name))));
    Ok(changes)
}

fn personal(
    options: &InitOptions,
    said: &Settings,
    asker: &mut Asker<'_>,
    now: UnixMillis,
) -> Result<Vec<Change>, InitError> {
    let tier = tier(options, said, asker)?;
    let mut changes = vec![("tier", json!(tier.number()))];
    if options.dir.is_none() && tier > Tier::Disabled {
        changes.extend(endpoint(options, said, asker)?);
    }
    if let Some(identity) = &options.identity {
        changes.push(("identity", json!(identity)));
    }
    if tier < Tier::Named {
        return Ok(changes);
    }
    if said.identity.is_none() && options.identity.is_none() {
        let identity = asker.ask("the name under which your figures are sent", "")?;
        changes.push(("identity", json!(identity.ok_or(InitError::Say("--identity"))?)));
    }
    if said.acknowledged_at.is_none() {
        let question = format!(
            "at tier 2 your figures bear this name, for everybody who reads them ({ETHICS_PAGE}); do you agree?"
        );
        if !options.yes && !asker.agrees(&question)? {
            return Err(if asker.is_terminal() {
                InitError::Declined
            } else {
                InitError::Say("--yes, to agree to tier 2")
            });
        }
        changes.push(("opt_in_acknowledged_at", json!(now.to_string())));
    }
    Ok(changes)
}

fn tier(options: &InitOptions, said: &Settings, asker: &mut Asker<'_>) -> Result<Tier, InitError> {
    if let Some(tier) = options.tier.and_then(|tier| Tier::from_number(tier.into())) {
        return Ok(tier);
    }
    if let Some(tier) = said.tier {
        return Ok(tier);
    }
    let answer = asker.ask("tier: 0 sends nothing, 1 anonymous figures, 2 with a name", "1")?;
    let tier = answer.ok_or(InitError::Say("--tier"))?.parse().ok().and_then(Tier::from_number);
    tier.ok_or(InitError::NoTier)
}

fn endpoint(
    options: &InitOptions,
    said: &Settings,
    asker: &mut Asker<'_>,
) -> Result<Option<Change>, InitError> {
    let endpoint = match (&options.endpoint, &said.endpoint) {
        (Some(endpoint), _) => Some(endpoint.clone()),
        (None, Some(_)) => None,
        (None, None) => asker.ask("the OTLP collector's base URL; empty to leave it to others", "")?,
    };
    Ok(endpoint.map(|endpoint| ("endpoint", json!(endpoint))))
}

/// A project's file is for everybody who works on it; a personal one for its owner only.
fn write(path: &Path, text: &str, kind: FileKind) -> Result<(), InitError> {
    let failed = |source| InitError::Write { path: path.to_owned(), source };
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    match kind {
        FileKind::Personal => crate::consent::trust::replace(path, text).map_err(failed),
        FileKind::Project => fs::write(path, text).map_err(failed),
    }
}

#[cfg(test)]
mod tests;
