//! `push`: sends the totals once, to a Prometheus Pushgateway or to VictoriaMetrics. The command itself is the consent.
//!
//! - [`options`]: what it is asked. [`totals`]: what it sends. [`target`]: where to.

pub mod options;
pub mod target;
pub mod totals;

use std::{io, process::ExitCode, time::Duration};

use ccxray_shared::{
    daemon::log::with_causes,
    state_dir::{NoHomeError, StateDir},
};
use hyper::{
    HeaderMap,
    header::{CONTENT_TYPE, HeaderValue},
};
use tokio::runtime;

use self::{
    options::{Format, Mode, PushOptions},
    target::{Target, TargetError},
    totals::{Totals, TotalsError},
};
use crate::{
    deliver::{
        tls::TlsError,
        transport::{HttpTransport, Reply, SendError, Transport},
    },
    local::prometheus,
    status::report::Report,
};

/// For the request in all.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longest answer of a server that is shown.
const SHOWN: usize = 300;

/// Nothing was pushed, or nobody knows whether it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// No place for the state.
    #[error(transparent)]
    NoHome(#[from] NoHomeError),
    /// There are no totals.
    #[error(transparent)]
    Totals(#[from] TotalsError),
    /// The options make no request.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No answer.
    #[error("failed to push")]
    Send(#[from] SendError),
    /// An answer, but not the one hoped for.
    #[error("the server refused: HTTP {status}{said}")]
    Refused {
        /// The status code.
        status: u16,
        /// What it said, after a colon; empty if it said nothing.
        said: String,
    },
    /// The system refused something.
    #[error("failed to start")]
    System(#[from] io::Error),
}

/// Pushes, and says what goes where. Exit code 0 if the server took it, otherwise 1.
#[expect(clippy::print_stderr, reason = "this is a command's output")]
pub fn run(options: &PushOptions) -> ExitCode {
    match push(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ccxray-exporter: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is a command's output")]
fn push(options: &PushOptions) -> Result<(), PushError> {
    let state_dir = StateDir::resolve(options.state_dir.clone())?;
    let totals = totals::read(&state_dir)?;
    let target = Target::of(options, &totals.instance, &|name| std::env::var(name).ok())?;
    let body = body(options, &totals);
    println!("{} {}", target.method, target.endpoint);
    println!("{}", describe(options, &totals, &body));
    warn_of_unread(&state_dir);
    let reply = send(&target, body)?;
    println!("taken (HTTP {})", reply.status);
    Ok(())
}

/// A Pushgateway refuses timestamps: it stamps the values when they are scraped. To VictoriaMetrics they are of the
/// moment at which the totals stood so.
fn body(options: &PushOptions, totals: &Totals) -> String {
    match (options.format, options.mode) {
        (_, Mode::Delete) => String::new(),
        (Format::Pushgateway, Mode::Push | Mode::PushAdd) => prometheus::render(&totals.request),
        (Format::VictoriaMetrics, Mode::Push | Mode::PushAdd) => {
            prometheus::render_at(&totals.request, totals.at)
        }
    }
}

fn describe(options: &PushOptions, totals: &Totals, body: &str) -> String {
    if options.mode == Mode::Delete {
        return "removes what is there under this job and instance".to_owned();
    }
    let samples = body.lines().filter(|line| !line.starts_with('#')).count();
    format!("sends {samples} samples in {} bytes, the totals of {}", body.len(), totals.at)
}

#[expect(clippy::print_stderr, reason = "this is a command's output")]
fn warn_of_unread(state_dir: &StateDir) {
    let unread = Report::of(state_dir).map_or(0, |report| report.spool.unread_bytes);
    if unread > 0 {
        eprintln!(
            "note: {unread} bytes of the spool are not in these totals; `ccxray-exporter run` counts them"
        );
    }
}

fn send(target: &Target, body: String) -> Result<Reply, PushError> {
    let transport =
        HttpTransport::with(&target.endpoint, target.method.clone(), headers(target), None, TIMEOUT)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let reply = runtime.block_on(transport.send(body.into()))?;
    if (200..300).contains(&reply.status) { Ok(reply) } else { Err(refusal(&reply)) }
}

fn headers(target: &Target) -> HeaderMap {
    let mut headers = target.headers.clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(prometheus::CONTENT_TYPE));
    headers
}

fn refusal(reply: &Reply) -> PushError {
    let text = String::from_utf8_lossy(&reply.body);
    let said: String =
        text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    let said = if said.is_empty() { said } else { format!(": {said}") };
    PushError::Refused { status: reply.status, said }
}
