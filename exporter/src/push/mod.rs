//! `push`: sends the totals once, to a Prometheus Pushgateway or to VictoriaMetrics. The command itself is the consent.
//!
//! - [`options`]: what it is asked. [`totals`]: what it sends. [`target`]: where to.

pub mod options;
pub mod target;
pub mod totals;

use std::{io, process::ExitCode, time::Duration};

use ccxray_shared::{
    UnixMillis,
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
    let (own_instance, body) = match options.mode {
        Mode::Delete if options.instance.is_some() => (String::new(), Body::nothing()),
        Mode::Delete => (totals::instance(&state_dir)?, Body::nothing()),
        Mode::Push | Mode::PushAdd => {
            let totals = totals::read(&state_dir)?;
            let body = Body::of(options.format, &totals);
            (totals.instance, body)
        }
    };
    let instance = options.instance.clone().unwrap_or(own_instance);
    let target = Target::of(options, &instance, &|name| std::env::var(name).ok())?;
    println!("{} {}", target.method, target.endpoint);
    println!("{} job={} instance={instance}", body.what, options.job);
    if options.mode != Mode::Delete {
        warn_of_unread(&state_dir);
    }
    let reply = send(&target, body.text)?;
    println!("taken (HTTP {})", reply.status);
    Ok(())
}

/// What is sent, and what to call it.
struct Body {
    text: String,
    what: String,
}

impl Body {
    fn nothing() -> Self {
        Self { text: String::new(), what: "removes what is there as".to_owned() }
    }

    /// A Pushgateway refuses timestamps: values get theirs when they are scraped. To VictoriaMetrics they are of the
    /// moment at which the totals stood so.
    fn of(format: Format, totals: &Totals) -> Self {
        let text = match format {
            Format::Pushgateway => prometheus::render(&totals.request),
            Format::VictoriaMetrics => prometheus::render_at(&totals.request, totals.at),
        };
        let samples = text.lines().filter(|line| !line.starts_with('#')).count();
        let what = format!("sends {samples} samples, the totals of {}, as", totals.at);
        Self { text, what }
    }
}

#[expect(clippy::print_stderr, reason = "this is a command's output")]
fn warn_of_unread(state_dir: &StateDir) {
    let unread = Report::of(state_dir, UnixMillis::now()).map_or(0, |report| report.spool.unread_bytes);
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
