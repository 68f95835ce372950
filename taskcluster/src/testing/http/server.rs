//! The HTTP server, on a thread with its own runtime.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::{poll_fn, select};
use hyper::body::{Body as _, Frame, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::answer::{Outcome, Refusal, Rendered};
#[cfg(feature = "gzip")]
use super::compression::{accepts_gzip, compress};
use super::request::Incoming;
use super::socket::{Reset, Socket};
use crate::{Error, Result};

/// The maximum size of the body of a call.
const MAX_BODY: usize = 10 * 1024 * 1024;

/// How much more than the maximum is read of a body. The connection of one that does not end then is closed.
const PATIENCE: usize = 8;

/// The maximum size of an upload.
const MAX_UPLOAD: usize = 256 * 1024 * 1024;

/// Answers requests.
pub(crate) trait Handler: Send + Sync + 'static {
    /// What the paths of stored content begin with, which may be larger than calls.
    fn storage_prefix(&self) -> &'static str;

    /// Answers one request.
    fn handle(&self, request: Incoming) -> impl Future<Output = Outcome> + Send;

    /// Answers a request that is refused before it reaches an endpoint.
    fn refuse(&self, refusal: Refusal) -> Outcome;
}

/// A running server. Dropping it ends its thread and frees its port.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on this port of 127.0.0.1; 0 picks a free one.
    pub(crate) fn start(handler: Arc<impl Handler>, port: u16) -> Result<Self> {
        let failed =
            |error: io::Error| Error::config("cannot start the embedded deployment").because(error);
        // Bind here, so that the port is known and open when this returns.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener).map_err(failed)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("taskcluster-testing".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let accepting = pin!(accept(&listener, &handler));
                    select(accepting, stopped).await;
                });
            })
            .map_err(failed)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The thread stops when this end is dropped.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            // A stub may hold the last handle; the thread cannot wait for itself.
            && thread.thread().id() != thread::current().id()
        {
            // An error here is a panic in a test's own stub, which the call that met it has shown.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: &TcpListener, handler: &Arc<impl Handler>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: they may come back.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (socket, reset) = Socket::new(stream);
        let handler = handler.clone();
        let service = service_fn(move |request| answer(handler.clone(), reset.clone(), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
    }
}

/// Answers one request. An error closes the connection.
async fn answer(
    handler: Arc<impl Handler>,
    reset: Reset,
    request: Request<hyper::body::Incoming>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let is_content = head.uri.path().starts_with(handler.storage_prefix());
    let limit = if is_content { MAX_UPLOAD } else { MAX_BODY };
    let trace_id = head.headers.get("x-taskcluster-trace-id").cloned();
    // Storage gives content as it got it.
    #[cfg(feature = "gzip")]
    let gzip = accepts_gzip(&head.headers) && !is_content;
    let outcome = match read(body, limit).await? {
        Some(body) => {
            let resource =
                head.uri.path_and_query().map_or("/", |resource| resource.as_str()).to_owned();
            handler
                .handle(Incoming { method: head.method, resource, headers: head.headers, body })
                .await
        }
        None => {
            let refusal = Refusal::too_large(format!("the payload is larger than {limit} bytes"));
            // Without the path, which may contain a secret argument.
            tracing::info!("{}: {refusal}", head.method);
            handler.refuse(refusal)
        }
    };
    #[cfg_attr(not(feature = "gzip"), expect(unused_mut, reason = "nothing else changes it"))]
    let (mut answer, end) = match outcome {
        Outcome::Answer(answer) => (answer, End::Complete),
        Outcome::Truncated { answer, sent, hangs } => {
            (answer, if hangs { End::Hangs(sent) } else { End::Breaks(sent) })
        }
        Outcome::Reset => {
            reset.set();
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    };
    #[cfg(feature = "gzip")]
    if gzip {
        compress(&mut answer);
    }
    let Rendered { status, headers, body, .. } = answer;
    let mut response = Response::new(Body::new(body, end));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if let Some(id) = trace_id {
        response.headers_mut().insert("x-for-trace-id", id);
    }
    Ok(response)
}

/// Reads a body. Returns `None` if it is too large, after reading it to its end, because a client may not look for the answer
/// before it has sent everything.
async fn read(mut body: hyper::body::Incoming, limit: usize) -> io::Result<Option<Bytes>> {
    let (mut bytes, mut length) = (BytesMut::new(), 0_usize);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= limit {
            bytes.extend_from_slice(&data);
        } else if length > limit.saturating_mul(PATIENCE) {
            return Err(io::ErrorKind::FileTooLarge.into());
        } else {
            // Nobody needs what came so far.
            bytes = BytesMut::new();
        }
    }
    Ok((length <= limit).then(|| bytes.freeze()))
}

/// How the body of an answer ends.
enum End {
    Complete,
    /// The connection breaks after this many bytes.
    Breaks(usize),
    /// Nothing comes after this many bytes.
    Hangs(usize),
}

/// The body of an answer: one piece, and how it ends.
struct Body {
    data: Bytes,
    announced: u64,
    end: End,
    step: Step,
}

/// What is to come next of a [`Body`].
enum Step {
    Data,
    /// Lets the server send what it has before the connection breaks.
    Pause,
    End,
    Nothing,
}

impl Body {
    fn new(mut data: Bytes, end: End) -> Self {
        // What breaks off must have announced more than it sends.
        let announced = match end {
            End::Complete => data.len(),
            End::Breaks(sent) | End::Hangs(sent) => data.len().max(sent.saturating_add(1)),
        };
        if let End::Breaks(sent) | End::Hangs(sent) = end {
            data.truncate(sent);
        }
        Self { data, announced: announced as u64, end, step: Step::Data }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.step {
            Step::Data => {
                self.step = Step::Pause;
                if self.data.is_empty() {
                    return self.poll_frame(context);
                }
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.data)))))
            }
            Step::Pause if matches!(self.end, End::Breaks(_)) => {
                self.step = Step::End;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Step::Pause | Step::End => match self.end {
                // Nobody wakes this: it ends with the connection.
                End::Hangs(_) => Poll::Pending,
                End::Complete => Poll::Ready(None),
                End::Breaks(_) => {
                    self.step = Step::Nothing;
                    Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())))
                }
            },
            Step::Nothing => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self.step {
            Step::Data => matches!(self.end, End::Complete) && self.data.is_empty(),
            Step::Pause | Step::End => matches!(self.end, End::Complete),
            Step::Nothing => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
