//! Whether destinations answer: each gets a request without a single figure.

use ccxray_shared::{UnixMillis, daemon::log::with_causes};
use tokio::runtime;

use super::check::Check;
use crate::{
    consent::Grant,
    deliver::{
        outcome::{OutcomeKind, classify},
        transport::{HttpTransport, Transport},
    },
};

pub(super) fn checks(grants: &[Grant]) -> Vec<Check> {
    grants.iter().filter(|grant| !grant.is_standby).map(check).collect()
}

fn check(grant: &Grant) -> Check {
    let endpoint = &grant.destination.endpoint;
    match attempt(grant) {
        Ok((OutcomeKind::Delivered | OutcomeKind::Partial, _)) => {
            Check::well("connect", format!("{endpoint} answers"))
        }
        Ok((OutcomeKind::Refused, answer)) => Check::ill(
            "connect",
            format!("{endpoint} refuses the credentials ({answer})"),
            "look at `headers` and the variables in it",
        ),
        Ok((kind, answer)) => Check::ill(
            "connect",
            format!("{endpoint}: {} ({answer})", kind.as_str()),
            "look at the address, and whether the collector takes OTLP over HTTP there",
        ),
        Err(error) => Check::ill("connect", format!("{endpoint}: {error}"), "look at the certificates"),
    }
}

fn attempt(grant: &Grant) -> Result<(OutcomeKind, String), String> {
    let transport = HttpTransport::new(&grant.destination).map_err(|error| with_causes(&error))?;
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let body = grant.destination.compression.encode(Vec::new());
    let reply = runtime.block_on(transport.send(body));
    let answer = match &reply {
        Ok(reply) => format!("status {}", reply.status),
        Err(error) => with_causes(error),
    };
    Ok((classify(&reply, UnixMillis::now()).kind(), answer))
}
