//! The server that the browser is sent back to.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use reqwest::header::HOST;
use reqwest::{Method, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer;
use super::page::{page, redirect};
use crate::credentials::Credentials;

/// How often to look for a port that is free for IPv4 and IPv6.
const ATTEMPTS: usize = 20;

/// How many connections may be open at once.
const MAX_CONNECTIONS: usize = 32;

/// The maximum size of a request's head, in bytes. Its body is not read.
const MAX_HEAD: usize = 16 * 1024;

/// How long a request may take.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Listens on a port of `localhost`, for IPv4 and, where there is one, for IPv6.
///
/// A browser may take either. If another program has the port of one, it could get the credentials, so such a port is not used.
pub(super) async fn bind(port: u16) -> io::Result<(Vec<TcpListener>, u16)> {
    for attempt in 1.. {
        let ipv4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let chosen = ipv4.local_addr()?.port();
        match TcpListener::bind((Ipv6Addr::LOCALHOST, chosen)).await {
            Ok(ipv6) => return Ok((vec![ipv4, ipv6], chosen)),
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                return Ok((vec![ipv4], chosen));
            }
            Err(error) if port != 0 || attempt == ATTEMPTS => return Err(error),
            Err(_) => {}
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// Answers the browser until it is dropped.
pub(super) struct Server {
    callback: Arc<Callback>,
    _listening: JoinSet<()>,
}

impl Server {
    pub(super) fn start(sockets: Vec<TcpListener>, callback: Callback) -> Self {
        let callback = Arc::new(callback);
        let mut listening = JoinSet::new();
        for socket in sockets {
            listening.spawn(listen(socket, callback.clone()));
        }
        Self { callback, _listening: listening }
    }

    /// Waits until the browser has the last page.
    pub(super) async fn last_page(&self) {
        self.callback.shown.notified().await;
    }
}

async fn listen(socket: TcpListener, callback: Arc<Callback>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() == MAX_CONNECTIONS {
            connections.join_next().await;
        }
        match socket.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, callback.clone()));
            }
            // Out of file descriptors, most likely: they may come back.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Answers one request.
async fn serve(stream: TcpStream, callback: Arc<Callback>) {
    let last = AtomicBool::new(false);
    let service = service_fn(|request: Request<_>| {
        let (response, is_last) = callback.answer(&request);
        last.store(is_last, Ordering::Relaxed);
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // A browser that goes away may come back.
    let _ = timeout(MAX_TIME, connection).await;
    if last.into_inner() {
        callback.shown.notify_one();
    }
}

/// Takes the credentials, once.
pub(super) struct Callback {
    /// What the `Host` header of the browser says.
    host: String,
    /// Where the credentials are handed in.
    path: String,
    /// Where the browser is sent then.
    last_path: String,
    /// The program's name.
    name: String,
    /// `None` once they are handed in.
    sender: Mutex<Option<oneshot::Sender<Credentials>>>,
    shown: Notify,
}

impl Callback {
    pub(super) fn new(
        port: u16,
        nonce: &str,
        name: &str,
    ) -> (Self, oneshot::Receiver<Credentials>) {
        let (sender, handed_in) = oneshot::channel();
        let callback = Self {
            host: format!("localhost:{port}"),
            path: format!("/{nonce}"),
            last_path: format!("/{nonce}/done"),
            name: name.to_owned(),
            sender: Mutex::new(Some(sender)),
            shown: Notify::new(),
        };
        (callback, handed_in)
    }

    /// Answers a request. The second value says whether this is the last page.
    fn answer<B>(&self, request: &Request<B>) -> (Response<String>, bool) {
        let refuse =
            |status, why: &str| (page(status, "This is not what was expected", why), false);
        if !self.is_meant(request) {
            return refuse(StatusCode::BAD_REQUEST, "The request is for another host.");
        }
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let path = request.uri().path();
        if same(path, &self.last_path) && sender.is_none() && request.method() == Method::GET {
            let text = format!("{} has your credentials. You may close this page.", self.name);
            return (page(StatusCode::OK, "You are signed in", &text), true);
        }
        if !same(path, &self.path) || sender.is_none() || request.method() != Method::GET {
            return refuse(StatusCode::NOT_FOUND, "There is nothing here.");
        }
        match answer::credentials(request.uri().query().unwrap_or_default()) {
            Ok(credentials) => {
                if let Some(sender) = sender.take() {
                    // A sign-in that has timed out takes nothing.
                    let _ = sender.send(credentials);
                }
                (redirect(&self.last_path), false)
            }
            Err(why) => refuse(
                StatusCode::BAD_REQUEST,
                &format!("The address that the browser was sent to is not complete: {why}."),
            ),
        }
    }

    /// Whether a request is for `localhost`, and not for a name that somebody has pointed at this machine.
    fn is_meant<B>(&self, request: &Request<B>) -> bool {
        let mut hosts = request.headers().get_all(HOST).iter();
        let is_ours = |host: &[u8]| {
            // Without the port if it is the usual one.
            host.eq_ignore_ascii_case(self.host.as_bytes())
                || (self.host == "localhost:80" && host.eq_ignore_ascii_case(b"localhost"))
        };
        let is_one = hosts.next().is_some_and(|host| is_ours(host.as_bytes()));
        is_one && hosts.next().is_none() && request.uri().authority().is_none()
    }
}

/// Compares a path with a secret one, in a time that does not tell how much is right.
fn same(path: &str, secret: &str) -> bool {
    Sha256::digest(path) == Sha256::digest(secret)
}
