//! Who may talk to a port on loopback.
//!
//! A web page in the user's browser can send requests to any port on this machine. Two headers give it away:
//! `Origin`, which only browsers send, and `Host`, which after DNS rebinding names the attacker's domain. So the
//! host must be one of our own names with our own port, to the letter, and an origin must be allow-listed.

use std::net::SocketAddr;

/// Whom a listener answers.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Names beside the loopback ones, as they stand in `Host`, with or without a port.
    pub allowed_hosts: Vec<String>,
    /// Origins, such as `http://localhost:3000`.
    pub allowed_origins: Vec<String>,
}

/// Why a request is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedError {
    /// No `Host`, or more than one.
    #[error("exactly one host header is needed")]
    HostMissing,
    /// Not one of our names with our port.
    #[error("the host header names another server; use the address that this one printed at its start")]
    ForeignHost,
    /// A web page.
    #[error("requests of web pages are refused; allow the page's origin with --allow-origin if it is yours")]
    ForeignOrigin,
}

impl Guard {
    /// Judges a request that came in on `local`. The headers' values are given as bytes: whatever is no plain
    /// text is foreign.
    pub fn check<'h>(
        &self,
        local: Option<SocketAddr>,
        hosts: impl IntoIterator<Item = &'h [u8]>,
        origins: impl IntoIterator<Item = &'h [u8]>,
        fetch_site: Option<&[u8]>,
    ) -> Result<(), RefusedError> {
        let mut hosts = hosts.into_iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(RefusedError::HostMissing);
        };
        // A Unix socket has no name that a browser could rebind.
        if let Some(local) = local
            && !self.is_ours(host, local)
        {
            return Err(RefusedError::ForeignHost);
        }
        let mut foreign = origins.into_iter().filter(|origin| !self.is_allowed_origin(origin)).peekable();
        if foreign.peek().is_some() || fetch_site == Some(b"cross-site") {
            return Err(RefusedError::ForeignOrigin);
        }
        Ok(())
    }

    fn is_ours(&self, host: &[u8], local: SocketAddr) -> bool {
        let Ok(host) = str::from_utf8(host) else { return false };
        let host = host.to_ascii_lowercase();
        let own_port = local.port().to_string();
        let named = |name: &str| {
            host.strip_prefix(name).is_some_and(|rest| {
                rest.strip_prefix(':') == Some(&own_port) || (rest.is_empty() && local.port() == 80)
            })
        };
        let own_ip = match local {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        };
        ["localhost", "127.0.0.1", "[::1]"].into_iter().any(named)
            || (!local.ip().is_unspecified() && named(&own_ip))
            || self
                .allowed_hosts
                .iter()
                .any(|allowed| host == allowed.to_ascii_lowercase() || named(&allowed.to_ascii_lowercase()))
    }

    fn is_allowed_origin(&self, origin: &[u8]) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed.as_bytes() == origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, host: &str, origin: Option<&str>) -> Result<(), RefusedError> {
        let local = Some("127.0.0.1:5588".parse().unwrap());
        guard.check(local, [host.as_bytes()], origin.map(str::as_bytes), None)
    }

    #[test]
    fn only_our_own_names_with_our_own_port_are_answered() {
        let guard = Guard::default();
        for host in ["localhost:5588", "127.0.0.1:5588", "[::1]:5588", "LocalHost:5588"] {
            assert_eq!(check(&guard, host, None), Ok(()), "{host}");
        }
        for host in [
            "localhost",
            "localhost:5589",
            "localhost.:5588",
            "127.0.0.1.evil.example:5588",
            "evil.example:5588",
            "2130706433:5588",
            "127.0.0.2:5588",
            "127.0.0.1:55880",
            "",
            "user@localhost:5588",
        ] {
            assert_eq!(check(&guard, host, None), Err(RefusedError::ForeignHost), "{host}");
        }
    }

    #[test]
    fn a_missing_or_doubled_host_is_refused() {
        let guard = Guard::default();
        let local = Some("127.0.0.1:5588".parse().unwrap());
        assert_eq!(guard.check(local, [], [], None), Err(RefusedError::HostMissing));
        let twice: [&[u8]; 2] = [b"localhost:5588", b"localhost:5588"];
        assert_eq!(guard.check(local, twice, [], None), Err(RefusedError::HostMissing));
    }

    #[test]
    fn web_pages_are_refused_unless_allow_listed() {
        let mut guard = Guard::default();
        let own = "http://localhost:5588";
        assert_eq!(check(&guard, "localhost:5588", Some(own)), Err(RefusedError::ForeignOrigin));
        guard.allowed_origins.push(own.to_owned());
        assert_eq!(check(&guard, "localhost:5588", Some(own)), Ok(()));
        assert_eq!(check(&guard, "localhost:5588", Some("null")), Err(RefusedError::ForeignOrigin));
        let local = Some("127.0.0.1:5588".parse().unwrap());
        let host: [&[u8]; 1] = [b"localhost:5588"];
        assert_eq!(guard.check(local, host, [], Some(b"cross-site")), Err(RefusedError::ForeignOrigin));
    }

    #[test]
    fn an_allowed_name_may_come_with_our_port_or_as_it_was_given() {
        let guard = Guard { allowed_hosts: vec!["proxy.example".into()], ..Guard::default() };
        assert_eq!(check(&guard, "proxy.example", None), Ok(()));
        assert_eq!(check(&guard, "proxy.example:5588", None), Ok(()));
        assert_eq!(check(&guard, "proxy.example:1", None), Err(RefusedError::ForeignHost));
    }
}
