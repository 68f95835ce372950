//! The bytes between lapin and the broker: TLS, and the password, which lapin never has.
//!
//! lapin logs everything that it sends at trace level, by `tracing` and, where the program wants that, by `log`. So it logs
//! in with asterisks, and the password takes their place on the way to the broker.

use std::fmt;
use std::future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_core::Stream;
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::future::{Either, select};
use lapin::uri::{AMQPScheme, AMQPUri};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead as TokioRead, AsyncWrite as TokioWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

use super::credentials::PulseCredentials;
use crate::client::tls;

trait Transport: TokioRead + TokioWrite + Send + Unpin {}

impl<T: TokioRead + TokioWrite + Send + Unpin> Transport for T {}

/// A connection to the broker, below AMQP.
pub(super) struct Wire {
    transport: Box<dyn Transport>,
    /// Until the password is sent.
    login: Option<Login>,
    /// Until AMQP is set up: an error if nobody waits for that any more.
    awaited: Option<oneshot::Receiver<()>>,
}

impl Wire {
    /// Connects, if need be with TLS. Whether while connecting or later, the connection breaks if `awaited` ends without a word.
    pub(super) async fn connect(
        credentials: &PulseCredentials,
        mut awaited: oneshot::Receiver<()>,
    ) -> io::Result<Self> {
        match select(pin!(transport(&credentials.uri)), &mut awaited).await {
            Either::Left((Err(error), _)) => Err(error),
            Either::Left((Ok(transport), _)) => {
                let login = Some(Login::new(credentials));
                Ok(Self { transport, login, awaited: Some(awaited) })
            }
            Either::Right(_) => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

async fn transport(AMQPUri { scheme, authority, .. }: &AMQPUri) -> io::Result<Box<dyn Transport>> {
    let host = authority.host.trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port)).await?;
    stream.set_nodelay(true)?;
    Ok(match scheme {
        AMQPScheme::AMQP => Box::new(stream),
        AMQPScheme::AMQPS => {
            let config = tls::config().map_err(io::Error::other)?;
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            Box::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await?)
        }
    })
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(awaited) = &mut self.awaited {
            match Pin::new(awaited).poll(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.awaited = None,
                Poll::Ready(Err(_)) => {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
                }
            }
        }
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.transport).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { transport, login, .. } = &mut *self;
        let Some(filling) = login else { return Pin::new(transport).poll_write(cx, bytes) };
        let filled = filling.fill(bytes);
        let written = ready!(Pin::new(transport).poll_write(cx, &filled))?;
        if filling.is_done_after(written) {
            *login = None;
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}

/// The URI for lapin: with a password of asterisks.
pub(super) fn without_password(credentials: &PulseCredentials) -> AMQPUri {
    let mut uri = credentials.uri.clone();
    let password = &mut uri.authority.userinfo.password;
    *password = "*".repeat(password.len());
    uri
}

/// Puts the password where lapin writes asterisks.
struct Login {
    /// What lapin writes: the mechanism of SASL, and the response with its length.
    masked: Vec<u8>,
    /// What the broker must get, of the same length.
    filled: Vec<u8>,
    /// Where in all that is sent it begins, once lapin has come to it. lapin writes whole frames, so it comes as a whole;
    /// but the transport may take a part only, and then lapin writes the rest again.
    start: Option<usize>,
    sent: usize,
}

impl Login {
    fn new(credentials: &PulseCredentials) -> Self {
        let plain = |uri: &AMQPUri| {
            let user = &uri.authority.userinfo;
            let response = format!("\0{}\0{}", user.username, user.password);
            let mut bytes = b"\x05PLAIN".to_vec();
            // AMQP's lengths have 32 bits, and a frame far less.
            bytes.extend_from_slice(&(response.len() as u32).to_be_bytes());
            bytes.extend_from_slice(response.as_bytes());
            bytes
        };
        let (masked, filled) = (plain(&without_password(credentials)), plain(&credentials.uri));
        Self { masked, filled, start: None, sent: 0 }
    }

    fn fill(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.start.is_none() {
            let found = bytes.windows(self.masked.len()).position(|part| part == self.masked);
            self.start = found.map(|place| self.sent + place);
        }
        let mut bytes = bytes.to_vec();
        if let Some(start) = self.start {
            for (byte, place) in bytes.iter_mut().zip(self.sent..) {
                let filled = place.checked_sub(start).and_then(|place| self.filled.get(place));
                *byte = filled.copied().unwrap_or(*byte);
            }
        }
        bytes
    }

    fn is_done_after(&mut self, written: usize) -> bool {
        self.sent += written;
        self.start.is_some_and(|start| self.sent >= start + self.filled.len())
    }
}

/// Tokio, with our connections.
pub(super) fn runtime() -> Runtime<RuntimeParts<Tokio, Wires>> {
    Runtime::new(RuntimeParts::new(Tokio::current(), Wires(Tokio::current())))
}

/// What lapin asks for more than connections.
#[derive(Clone, Debug)]
pub(super) struct Wires(Tokio);

impl Reactor for Wires {
    type TcpStream = Wire;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H>(&self, _: H) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static>
    where
        H: io::Read + io::Write + Send + 'static,
    {
        Err::<Wire, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        _: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_put_in_wherever_the_writing_is_interrupted() {
        let credentials = PulseCredentials::new("u", "sesame");
        let lapin =
            b"AMQP\0\0\x09\x01 table \x05PLAIN\0\0\0\x09\0u\0******\x05en_US and more ******";
        for first in 0..lapin.len() {
            let mut login = Some(Login::new(&credentials));
            let mut write = |bytes: &[u8], taken: usize| match &mut login {
                None => bytes[..taken].to_vec(),
                Some(filling) => {
                    let sent = filling.fill(bytes)[..taken].to_vec();
                    if filling.is_done_after(taken) {
                        login = None;
                    }
                    sent
                }
            };
            let mut sent = write(lapin, first);
            sent.extend(write(&lapin[first..], lapin.len() - first));
            assert_eq!(
                String::from_utf8(sent).unwrap(),
                "AMQP\0\0\x09\x01 table \x05PLAIN\0\0\0\x09\0u\0sesame\x05en_US and more ******",
            );
        }
    }
}
