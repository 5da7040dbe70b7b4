//! What is checked before the daemon takes its first request.

use std::net::{SocketAddr, ToSocketAddrs};

use crate::{
    forward::tunnel::{Proxies, UnsupportedProxyError},
    listen::address::ListenAddress,
    route::upstream::{Upstream, Upstreams},
};

/// A configuration that the daemon must not run with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreflightError {
    /// Others could use it, and nobody said that they may.
    #[error(
        "{0} can be reached from other machines, and whoever reaches it can use the proxy; add --allow-remote if that is meant"
    )]
    Remote(ListenAddress),
    /// A request would go round in circles.
    #[error("upstream `{0}` leads back to this proxy; correct its url")]
    OwnUpstream(String),
    /// No way to an upstream.
    #[error(transparent)]
    Proxy(#[from] UnsupportedProxyError),
}

/// Whether an address can be reached by other machines, which must be allowed.
pub fn check_reach(listen: &[ListenAddress], allow_remote: bool) -> Result<bool, PreflightError> {
    let Some(remote) = listen.iter().find(|address| address.is_remote()) else { return Ok(false) };
    if !allow_remote {
        return Err(PreflightError::Remote(remote.clone()));
    }
    tracing::warn!("{remote} can be reached from other machines: whoever reaches it can use the proxy");
    Ok(true)
}

/// Refuses upstreams that lead to one of our own listeners.
pub fn check_loops<'a>(
    upstreams: &Upstreams,
    own: impl Iterator<Item = &'a ListenAddress>,
) -> Result<(), PreflightError> {
    let own: Vec<SocketAddr> = own.filter_map(tcp).collect();
    match upstreams.iter().find(|upstream| leads_to(upstream, &own)) {
        Some(upstream) => Err(PreflightError::OwnUpstream(upstream.name.to_string())),
        None => Ok(()),
    }
}

fn tcp(address: &ListenAddress) -> Option<SocketAddr> {
    match address {
        ListenAddress::Tcp(address) => Some(*address),
        ListenAddress::Unix(_) => None,
    }
}

/// Whether `upstream` is one of `own`. Its name is looked up only if the port is ours; a name that cannot be
/// looked up now leads nowhere now.
fn leads_to(upstream: &Upstream, own: &[SocketAddr]) -> bool {
    let ours = own.iter().filter(|address| address.port() == upstream.port()).collect::<Vec<_>>();
    if ours.is_empty() {
        return false;
    }
    let host = upstream.authority.host().trim_start_matches('[').trim_end_matches(']');
    let Ok(targets) = (host, upstream.port()).to_socket_addrs() else { return false };
    targets.map(|target| target.ip().to_canonical()).any(|target| {
        ours.iter().any(|address| {
            let ip = address.ip().to_canonical();
            ip == target || (ip.is_unspecified() && target.is_loopback()) || target.is_unspecified()
        })
    })
}

/// Refuses a way out through a proxy of a kind that is not spoken, and says which ones are used.
pub fn check_proxies(proxies: &Proxies, upstreams: &Upstreams) -> Result<(), PreflightError> {
    for upstream in upstreams.iter() {
        let target = upstream.uri("/");
        if let Some(proxy) = target.map(|uri| proxies.on_the_way_to(&uri)).transpose()?.flatten() {
            tracing::info!("upstream `{}` is reached through the proxy {proxy}", upstream.name);
        }
    }
    Ok(())
}
