//! Whether a proxy of ours answers at an address.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use super::address::ProxyAddress;
use crate::forward::own_answer::ERROR_HEADER;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most that is read of an answer.
const MAX_ANSWER: u64 = 4096;
/// What the proxy answers to a stamp that names no upstream: it is there, and lets us in.
const LETS_US_IN: &str = "stamp";

/// An agent could not work through this address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// Nobody there.
    #[error(
        "no ccxray-proxy answers at {address}; start it with `ccxray-proxy`, or say where it is with --proxy URL"
    )]
    Absent {
        /// Where.
        address: ProxyAddress,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Somebody else.
    #[error("what answers at {0} is not ccxray-proxy; say where it is with --proxy URL")]
    Stranger(ProxyAddress),
    /// It does not know itself by this name.
    #[error(
        "the proxy at {address} turns requests away ({kind}); address it as 127.0.0.1, or start it with --allow-host"
    )]
    Refused {
        /// Where.
        address: ProxyAddress,
        /// The proxy's word for it.
        kind: String,
    },
}

/// Asks whether the proxy is at `address` and lets us in.
pub fn probe(address: &ProxyAddress) -> Result<(), ProbeError> {
    let answer = ask(address).map_err(|source| ProbeError::Absent { address: address.clone(), source })?;
    match own_word(&answer) {
        Some(LETS_US_IN) => Ok(()),
        Some(kind) => Err(ProbeError::Refused { address: address.clone(), kind: kind.to_owned() }),
        None => Err(ProbeError::Stranger(address.clone())),
    }
}

fn ask(address: &ProxyAddress) -> io::Result<String> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /_ccxray/ HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", address.authority())?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn connect(address: &ProxyAddress) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::NotFound.into();
    for target in (address.host(), address.port()).to_socket_addrs()? {
        match TcpStream::connect_timeout(&target, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The word with which the proxy marks its own answers.
fn own_word(answer: &str) -> Option<&str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case(ERROR_HEADER.as_str()))
        .map(|(_, word)| word.trim())
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    fn probe_one_that_says(answer: &'static str) -> Result<(), ProbeError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let result = probe(&address);
        server.join().unwrap();
        result
    }

    #[test]
    fn the_answer_tells_our_proxy_from_anything_else() {
        assert!(probe_one_that_says("HTTP/1.1 400 Bad Request\r\nX-Ccxray-Error: stamp\r\n\r\n{}").is_ok());
        let refused = probe_one_that_says("HTTP/1.1 403 Forbidden\r\nx-ccxray-error: forbidden\r\n\r\n{}");
        assert!(matches!(refused, Err(ProbeError::Refused { kind, .. }) if kind == "forbidden"));
        for stranger in ["HTTP/1.1 200 OK\r\n\r\nx-ccxray-error: stamp", "SSH-2.0\r\n", ""] {
            assert!(matches!(probe_one_that_says(stranger), Err(ProbeError::Stranger(_))), "{stranger}");
        }
    }

    #[test]
    fn nobody_there_is_told_with_the_way_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: ProxyAddress = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        drop(listener);
        let error = probe(&address).unwrap_err();
        assert!(matches!(error, ProbeError::Absent { .. }));
        assert!(error.to_string().contains("start it with `ccxray-proxy`"), "{error}");
    }
}
