//! `preview`: the exact next request, printed instead of sent.
//!
//! It reads the checkpoint and what of the spool the exporter has not read yet. It writes nothing, opens no socket and
//! holds no lock. [`subject`]: whose request it is. [`next`]: what will be in it. [`json`]: the request as OTLP/JSON.

mod error;
pub mod json;
pub mod next;
pub mod subject;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use ccxray_shared::{UnixMillis, daemon::log::with_causes, state_dir::StateDir};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

pub use self::error::PreviewError;
use self::subject::Subject;
use crate::cli::PreviewOptions;

/// Prints the next request. Exit code 0, also if nothing will be sent; else as `run`.
#[expect(clippy::print_stderr, reason = "this is a command's talk")]
pub fn run(options: &PreviewOptions) -> ExitCode {
    match preview(options) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(request)) => {
            let text = json::pretty(&request);
            // Whoever reads it may have gone.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("ccxray-exporter: {}", with_causes(&error));
            error.exit_code()
        }
    }
}

/// The next request, with a word on stderr on where it will go, or why there is none.
#[expect(clippy::print_stderr, reason = "this is a command's talk")]
fn preview(options: &PreviewOptions) -> Result<Option<ExportMetricsServiceRequest>, PreviewError> {
    let state_dir = StateDir::resolve(options.state_dir.clone())?;
    let now = UnixMillis::now();
    let mut subject = Subject::find(options, &state_dir, now)?;
    eprint!("{}", subject.about());
    if subject.core.destination().is_none() {
        return Ok(None);
    }
    let next = next::request(&mut subject.core, &mut subject.source, now)
        .map_err(|source| PreviewError::Spool { dir: state_dir.spool(), source })?;
    match &next {
        Some(next) => eprintln!("as of {}; this is a preview, nothing was sent", next.at),
        None => eprintln!(
            "nothing to send: nothing has been counted for this destination, which begins with what is recorded \
             once the exporter runs with this consent"
        ),
    }
    Ok(next.map(|next| next.request))
}
