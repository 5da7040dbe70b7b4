//! A listening socket.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::{fs::PermissionsExt, net::UnixStream as StdUnixStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    time::sleep,
};

use super::{address::ListenAddress, connection, drain::InFlight};
use crate::forward::forwarder::Forwarder;

/// How long nothing is accepted after the system had no descriptor or memory left for it.
const BACK_OFF: Duration = Duration::from_millis(200);

/// A bound listener.
#[derive(Debug)]
pub struct Acceptor {
    socket: Socket,
    address: ListenAddress,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

/// A listener could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("failed to listen at {address}")]
pub struct BindError {
    address: ListenAddress,
    #[source]
    source: io::Error,
}

impl Acceptor {
    /// Binds `address`. A Unix socket that nobody listens at any more is replaced; only its owner can connect.
    pub async fn bind(address: ListenAddress) -> Result<Self, BindError> {
        let bound = match &address {
            ListenAddress::Tcp(wanted) => TcpListener::bind(wanted).await.and_then(|listener| {
                let address = ListenAddress::Tcp(listener.local_addr()?);
                Ok(Self { socket: Socket::Tcp(listener), address })
            }),
            ListenAddress::Unix(path) => bind_unix(path)
                .map(|listener| Self { socket: Socket::Unix(listener), address: address.clone() }),
        };
        bound.map_err(|source| BindError { address, source })
    }

    /// Where it listens, with the port that the system chose.
    pub fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// Accepts connections and serves each in a task of its own, until the drain begins.
    pub async fn run(self, forwarder: Arc<Forwarder>, mut in_flight: InFlight) {
        let socket_file = SocketFile::of(&self.address);
        loop {
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                () = in_flight.draining() => break,
            };
            match accepted {
                Ok(accepted) => serve(accepted, &forwarder, &in_flight),
                Err(error) => self.after(&error).await,
            }
        }
        drop(socket_file);
    }

    async fn accept(&self) -> io::Result<Accepted> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // The address that the client meant, which a listener at 0.0.0.0 does not know by itself.
                let local = stream.local_addr()?;
                stream.set_nodelay(true)?;
                Ok(Accepted::Tcp(stream, local))
            }
            Socket::Unix(listener) => Ok(Accepted::Unix(listener.accept().await?.0)),
        }
    }

    /// A connection that failed before it was accepted is its client's affair. Anything else would fail again
    /// at once.
    async fn after(&self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput, NotConnected};
        if !matches!(error.kind(), ConnectionAborted | ConnectionReset | InvalidInput | NotConnected) {
            tracing::warn!("cannot accept connections at {}: {error}", self.address);
            sleep(BACK_OFF).await;
        }
    }
}

fn serve(accepted: Accepted, forwarder: &Arc<Forwarder>, in_flight: &InFlight) {
    let (forwarder, in_flight) = (forwarder.clone(), in_flight.clone());
    match accepted {
        Accepted::Tcp(stream, local) => {
            tokio::spawn(connection::serve(stream, Some(local), forwarder, in_flight))
        }
        Accepted::Unix(stream) => tokio::spawn(connection::serve(stream, None, forwarder, in_flight)),
    };
}

fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match StdUnixStream::connect(path) {
        Ok(_) => return Err(io::ErrorKind::AddrInUse.into()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path)?,
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// The file of a Unix socket, removed at the end.
struct SocketFile(PathBuf);

impl SocketFile {
    fn of(address: &ListenAddress) -> Option<Self> {
        match address {
            ListenAddress::Tcp(_) => None,
            ListenAddress::Unix(path) => Some(Self(path.clone())),
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Whoever took it away already has done our work.
        let _ = fs::remove_file(&self.0);
    }
}
