//! Accepts connections and serves the script on them.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use super::{
    Served,
    ledger::Ledger,
    script::Script,
    serve,
    websocket::{self, SWITCHING, Socket},
};
use crate::wire::Connection;

/// A running upstream; it and its connections end when it is dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    ledger: Ledger,
    task: JoinHandle<()>,
}

pub(super) type SharedScript = Arc<Mutex<dyn Script>>;

impl Upstream {
    /// Starts one on a free port of 127.0.0.1.
    pub async fn start(script: impl Script + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let ledger = Ledger::default();
        let task = tokio::spawn(accept(listener, Arc::new(Mutex::new(script)), ledger.clone()));
        Self { address, ledger, task }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A copy of the truth so far.
    pub fn served(&self) -> Vec<Served> {
        self.ledger.served()
    }

    /// The truth itself.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, script: SharedScript, ledger: Ledger) {
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, script.clone(), ledger.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one connection. A client that breaks it off ends it and nothing else.
async fn converse(stream: TcpStream, script: SharedScript, ledger: Ledger) -> io::Result<()> {
    let mut next = Some(Connection::new(stream)?);
    while let Some(mut connection) = next {
        let Some(request) = connection.request().await? else { return Ok(()) };
        let answer = script.lock().expect("scripts do not panic").answer(&request);
        let head_only = request.method == "HEAD";
        if answer.status == SWITCHING && websocket::is_upgrade(&request) {
            let place = ledger.begin(request.clone(), &answer);
            let socket = Socket { connection, upgrade: request, script, ledger, place };
            return socket.serve(&answer).await;
        }
        let place = ledger.begin(request, &answer);
        next = serve::send(&answer, head_only, connection, &ledger, place).await;
    }
    Ok(())
}
