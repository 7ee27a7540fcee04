//! The listener, and which service a request is for.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod` | listening, and ending |
//! | `route` | what a request is for, by its head |
//! | `dispatch` | answering, by that |
//! | `host` | which host a request names |
//! | `guard` | who may ask at all |
//! | `single` | what a request may say only once |
//! | `auth` | whose request it is, and whether they may |
//! | `answer` | what every answer is given |
//! | `gateway_endpoint` | the endpoints of AgentCore's gateways |
//! | `policies` | the policies on resources |
//! | `pages` | pages of the endpoint's own |
//! | `registry` | all services, one line a service |
//! | `request_log` | a line for each request, for whoever listens |
//! | `upkeep` | what leaves the disk beside the requests |

mod answer;
mod auth;
mod dispatch;
mod gateway_endpoint;
mod guard;
mod host;
mod pages;
mod policies;
mod registry;
mod request_log;
mod route;
mod single;
mod upkeep;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use self::dispatch::Server;
use self::registry::schemas;
use crate::ground::store::{Store, StoreError};
use crate::ground::{ACCOUNT_ID, Host, Kept, LocalError, LocalOptions};
use crate::lambda::Pool;
use crate::lambda::code;

/// How long a shutdown waits for requests under way.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// A local target that is serving. Dropping it ends it, too, without waiting for anything.
#[derive(Debug)]
pub struct Running {
    host: Arc<Host>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    crash_sweep: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.upkeep.abort();
    }
}

impl Running {
    /// Where it listens, for example `http://127.0.0.1:4566`, with no trailing slash.
    pub fn url(&self) -> &str {
        &self.host.url
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The account of everything in it.
    pub fn account_id(&self) -> &'static str {
        ACCOUNT_ID
    }

    /// Its state.
    pub fn store(&self) -> &Store {
        &self.host.store
    }

    /// What its services share.
    pub fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// Takes no more requests, lets those under way end (for five seconds at most), and tidies up.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
        let _ = (&mut self.crash_sweep).await;
        self.upkeep.abort();
        let _ = (&mut self.upkeep).await;
        Pool::of(&self.host).close().await;
        let store = self.host.store.clone();
        // What is left unswept now is swept at the next start.
        let tidy = move || store.sweep_unused().and_then(|_| code::sweep(&store)).and_then(|()| store.wipe_deleted());
        let _ = self.host.store.blocking(tidy).await;
    }
}

/// Starts a local target within the caller's runtime.
///
/// # Errors
///
/// When the state can't be opened or the port can't be had.
pub async fn start(options: LocalOptions) -> Result<Running, LocalError> {
    let LocalOptions { dir, limit, port, fail, delay, model_server, clock, ids, functions } = options;
    let store = match tokio::task::spawn_blocking(move || Store::open_within(&dir, &schemas(), limit)).await {
        Ok(store) => store?,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => return Err(StoreError::ShuttingDown.into()),
    };
    let port = port.unwrap_or(0);
    let listen_error = |source| LocalError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    let host = Arc::new(Host {
        store: store.clone(),
        clock,
        ids,
        fail,
        delay,
        functions,
        url: format!("http://{address}"),
        kept: Kept::default(),
        policies: policies::of_resource,
        model_server,
    });
    // Made now: which project the state folder is part of must not depend on when a function is first called.
    drop(Pool::of(&host));
    let server = Arc::new(Server::new(Arc::clone(&host)));
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(accept(listener, server, stopped));
    // No request waits for this: it only frees room that crashed processes left in use, and the next start tries again.
    let crash_sweep = tokio::task::spawn_blocking(move || {
        let _ = store.sweep_after_crash().and_then(|()| code::sweep(&store));
    });
    let upkeep = tokio::spawn(upkeep::run(Arc::clone(&host)));
    Ok(Running { host, address, stop, task, upkeep, crash_sweep })
}

async fn accept(listener: TcpListener, server: Arc<Server>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&server), stopped.clone()));
                }
                // Out of file descriptors, most likely: let some connections end first.
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            },
        }
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(SHUTDOWN, all_done).await;
}

async fn serve(stream: TcpStream, server: Arc<Server>, mut stopped: watch::Receiver<bool>) {
    // Small answers must not wait for more to come; that it can't be set costs time only.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(server.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(256 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    // A connection that breaks is the client's business; there is nobody to tell.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
