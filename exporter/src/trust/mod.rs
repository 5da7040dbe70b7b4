//! `trust` and `untrust`: which projects' files count.

mod error;
mod told;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use ccxray_shared::{UnixMillis, daemon::log::with_causes, private, state_dir::StateDir};

pub use self::{error::TrustCommandError, told::state};
use crate::{
    cli::{TrustOptions, UntrustOptions},
    consent::{
        automount::Mounts,
        config::{FileKind, Settings},
        lookup::plain,
        own::Home,
        place::{Dir, Writers},
        trust::{ContentHash, TrustStore, Trusted},
    },
    git::{self, Standing},
};

/// Trusts a project, or lists those that are trusted.
pub fn trust(options: &TrustOptions) -> ExitCode {
    answered(if options.list { list(options) } else { trust_dir(options) })
}

/// Trusts a project no longer.
pub fn untrust(options: &UntrustOptions) -> ExitCode {
    answered(untrust_dir(options))
}

#[expect(clippy::print_stderr, reason = "this is a command's talk")]
fn answered(result: Result<String, TrustCommandError>) -> ExitCode {
    match result {
        Ok(text) => {
            // Whoever reads it may have gone.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("ccxray-exporter: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// A project's place, and its file's text and settings if it has one.
#[derive(Debug)]
pub struct Found {
    /// The directory that is trusted.
    pub dir: PathBuf,
    /// The file.
    pub file: Option<(String, Settings)>,
}

/// The project that `dir` is in: where its `.ccxray.json` lies, up to the root of the git repository; else `dir` itself.
pub fn find(dir: &Path) -> Result<Found, TrustCommandError> {
    let dir = real(dir)?;
    let name = FileKind::Project.file_name();
    for above in dir.ancestors() {
        let opened =
            Dir::open(above).map_err(|source| TrustCommandError::Open { dir: above.to_owned(), source })?;
        let path = above.join(name);
        let read = opened.read(name, Writers::Group);
        let read = read.map_err(|why| TrustCommandError::Refused { path: path.clone(), why })?;
        if let Some(text) = read {
            let settings = Settings::parse(&text, FileKind::Project)
                .map_err(|problems| TrustCommandError::problems(path, problems))?;
            return Ok(Found { dir: above.to_owned(), file: Some((text, settings)) });
        }
        if opened.has(".git") {
            break;
        }
    }
    Ok(Found { dir, file: None })
}

/// `dir` without symlinks, unless it would be mounted by looking at it.
fn real(dir: &Path) -> Result<PathBuf, TrustCommandError> {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    if Mounts::of_this_machine().may_mount(&absolute) {
        return Err(TrustCommandError::Automount(absolute));
    }
    let real = absolute.canonicalize().map_err(|source| TrustCommandError::Open { dir: absolute, source })?;
    match real.to_str().and_then(plain) {
        Some(_) => Ok(real),
        None => Err(TrustCommandError::Unfit(real)),
    }
}

fn trust_dir(options: &TrustOptions) -> Result<String, TrustCommandError> {
    let found = find(options.dir.as_deref().unwrap_or(Path::new(".")))?;
    let personal = FileKind::Personal.file_name();
    let personal_is_tracked = git::standing(&found.dir, personal) == Standing::Tracked;
    let trusted = Trusted {
        dir: found.dir.clone(),
        content: found.file.as_ref().map(|(text, _)| ContentHash::of(text)),
        personal_is_tracked,
        since: UnixMillis::now(),
    };
    store(options.state_dir.clone())?.change(|list| list.insert(trusted))?;
    let note = personal_is_tracked.then(|| {
        format!(
            "note: git tracks `{personal}` there, so the identity in it does not count; run `git rm --cached {personal}`, then \
             `ccxray-exporter trust` again\n"
        )
    });
    Ok(told::now_trusted(&found) + &note.unwrap_or_default())
}

fn list(options: &TrustOptions) -> Result<String, TrustCommandError> {
    let trusted = store(options.state_dir.clone())?.load()?;
    let projects = trusted.iter().map(|trusted| format!("{}  {}\n", trusted.dir.display(), state(trusted)));
    let mut lines: Vec<String> = projects.collect();
    if let Ok(Some(own)) = Home::of_this_user().read() {
        let path = own.path.display();
        let roots = own.settings.trusted_roots.iter();
        lines.extend(roots.map(|root| format!("{root}  with everything below it, by {path}\n")));
    }
    Ok(lines.concat())
}

fn untrust_dir(options: &UntrustOptions) -> Result<String, TrustCommandError> {
    let given = options.dir.as_deref().unwrap_or(Path::new("."));
    let absolute = std::path::absolute(given).unwrap_or_else(|_| given.to_owned());
    // It may be gone.
    let dir = real(given).unwrap_or(absolute);
    let removed = store(options.state_dir.clone())?.change(|list| {
        let trusted = dir.ancestors().find(|above| list.of(above).is_some()).map(Path::to_owned);
        trusted.inspect(|trusted| {
            list.remove(trusted);
        })
    })?;
    match removed {
        Some(removed) => Ok(format!("{} is trusted no longer\n", removed.display())),
        None => Err(TrustCommandError::NotTrusted(dir)),
    }
}

fn store(state_dir: Option<PathBuf>) -> Result<TrustStore, TrustCommandError> {
    let state_dir = StateDir::resolve(state_dir)?;
    private::ensure_dir(&state_dir.exporter())?;
    Ok(TrustStore::new(&state_dir.exporter()))
}

#[cfg(test)]
mod tests;
