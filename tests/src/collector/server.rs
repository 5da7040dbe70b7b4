//! Accepts pushes.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use super::{Point, Received, Reply, history};
use crate::{truth::Totals, wire::Connection};

/// A running collector; it ends when it is dropped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    connections: usize,
    /// Those that are still open.
    open: usize,
    reply: Reply,
    received: Vec<Received>,
}

impl Collector {
    /// Starts one that accepts everything.
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    /// Starts one at a certain address, such as that of one that was there before.
    pub async fn start_at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("the address is free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::<Mutex<Shared>>::default();
        let task = tokio::spawn(accept(listener, shared.clone()));
        Self { address, shared, task }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, answers pushes so.
    pub fn reply(&self, reply: Reply) {
        self.lock().reply = reply;
    }

    /// All pushes so far.
    pub fn received(&self) -> Vec<Received> {
        self.lock().received.clone()
    }

    /// How many pushes came.
    pub fn count(&self) -> usize {
        self.lock().received.len()
    }

    /// How many connections were made, with or without a push.
    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.lock().open
    }

    /// All points about the traffic that were stored, in the order in which they came.
    pub fn points(&self) -> Vec<Point> {
        let shared = self.lock();
        let stored = shared.received.iter().filter(|push| push.stored);
        stored.flat_map(|push| history::about_traffic(push.points())).collect()
    }

    /// What the metrics that the truth covers say now, from what was stored.
    pub fn totals(&self) -> Totals {
        history::totals_of(self.points())
    }

    /// Panics unless all that was stored is sound: zeros first, time forward, nothing decreasing, no
    /// moment with two values.
    pub fn assert_sound(&self) {
        history::assert_sound(self.points().into_iter());
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().expect("no holder of this lock panics")
}

async fn accept(listener: TcpListener, shared: Arc<Mutex<Shared>>) {
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        lock(&shared).connections += 1;
        lock(&shared).open += 1;
        let shared = shared.clone();
        connections.spawn(async move {
            let ended = converse(stream, shared.clone()).await;
            lock(&shared).open -= 1;
            ended
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, shared: Arc<Mutex<Shared>>) -> io::Result<()> {
    let mut connection = Connection::new(stream)?;
    while let Some(request) = connection.request().await? {
        let reply = lock(&shared).reply.clone();
        // Read before the lock is taken: a push that is none must not poison it.
        let push = Received::new(request, reply.stores());
        lock(&shared).received.push(push);
        match (reply.wire(), reply) {
            (Some(bytes), _) => connection.write(&bytes).await?,
            (None, Reply::Hang) => connection.closed().await,
            (None, _) => return Ok(()),
        }
    }
    Ok(())
}
