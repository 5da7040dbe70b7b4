//! `preview`: the exact next request of each pipeline, printed instead of sent.
//!
//! It reads the checkpoint and what of the spool the exporter has not read yet. It writes nothing, opens no socket and
//! holds no lock. [`subject`]: whose requests they are. [`next`]: what will be in them. `mask`: what of that may be seen.
//! [`json`]: a request as OTLP/JSON.
//! Several requests follow one another, each a JSON object of its own.

mod error;
pub mod json;
mod mask;
pub mod next;
pub mod subject;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use ccxray_shared::{UnixMillis, daemon::log::with_causes, state_dir::StateDir};

pub use self::error::PreviewError;
use self::subject::Subject;
use crate::cli::PreviewOptions;

/// Prints the next requests. Exit code 0, also if nothing will be sent; else as `run`.
#[expect(clippy::print_stderr, reason = "this is a command's talk")]
pub fn run(options: &PreviewOptions) -> ExitCode {
    match preview(options, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ccxray-exporter: {}", with_causes(&error));
            error.exit_code()
        }
    }
}

/// Writes the next requests to `out`, with a word on stderr on where each will go, or why there is none.
#[expect(clippy::print_stderr, reason = "this is a command's talk")]
fn preview(options: &PreviewOptions, out: &mut impl Write) -> Result<(), PreviewError> {
    let state_dir = StateDir::resolve(options.state_dir.clone())?;
    let now = UnixMillis::now();
    let mut subject = Subject::find(options, &state_dir, now)?;
    let unreadable = |source| PreviewError::Spool { dir: state_dir.spool(), source };
    let mut requests = subject.next_requests(now).map_err(unreadable)?;
    let wanted = subject.wanted(options);
    if let Err(reason) = &wanted {
        eprintln!("{reason}");
    }
    for exported in wanted.into_iter().flatten() {
        eprint!("{}", subject.about(exported));
        let Some(mut next) = requests.remove(&exported.id()) else {
            eprintln!(
                "nothing to send: nothing has been counted for this destination, which begins with what is recorded \
                 once the exporter runs with this consent"
            );
            continue;
        };
        mask::mask(&mut next.request, &exported.grant().shown);
        eprintln!("as of {}; this is a preview, nothing was sent", next.at);
        // Whoever reads it may have gone.
        let _ = out.write_all(json::pretty(&next.request).as_bytes());
    }
    Ok(())
}
