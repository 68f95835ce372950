//! One connection to the broker, which declares, binds and consumes a queue.

use std::cell::OnceCell;
use std::fmt;
use std::pin::pin;
use std::thread;
use std::time::Duration;

use chrono::Utc;
use lapin::options::{BasicConsumeOptions, BasicQosOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::tcp::{AMQPUriTcpExt as _, RustlsConnector, TLSConfig};
use lapin::types::{FieldTable, ShortString};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Channel, Connection, ConnectionProperties, Consumer};
use tokio::time::{Instant, timeout};
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};

use super::credentials::PulseCredentials;
use super::plan::Plan;
use crate::client::tls;
use crate::error::{Error, Result};
use crate::slugid;

/// How long it may take to set up or close a connection.
const CONNECT: Duration = Duration::from_secs(30);

/// The minimum time between two requests for credentials.
const RENEW: Duration = Duration::from_secs(1);

/// How often to check that the connection is alive while waiting for an answer.
const LOOK: Duration = Duration::from_millis(50);

/// A connection. It closes when the last message delivered on it is dropped; the broker then requeues unsettled messages.
pub(super) struct Link {
    pub(super) connection: Connection,
    pub(super) channel: Channel,
}

impl Link {
    /// Waits for the broker's answer while the connection is alive; lapin drops requests made while a connection breaks.
    pub(super) async fn answer<T>(
        &self,
        said: impl Future<Output = lapin::Result<T>>,
    ) -> Option<lapin::Result<T>> {
        let mut said = pin!(said);
        loop {
            match timeout(LOOK, said.as_mut()).await {
                Ok(answer) => return Some(answer),
                Err(_) if !self.connection.status().connected() => return None,
                Err(_) => {}
            }
        }
    }

    /// Closes the connection, after the broker has processed everything sent before.
    pub(super) async fn close(&self) -> Result<()> {
        let gone = || {
            Error::disconnected("the connection was lost, perhaps before the last acknowledgements")
        };
        match timeout(CONNECT, self.connection.close(200, "OK".into())).await {
            Ok(closed) => closed.map_err(|error| gone().because(error)),
            Err(_) => Err(gone()),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// A link that receives messages.
pub(super) struct Open {
    pub(super) link: Link,
    pub(super) consumer: Consumer,
    /// When to switch to a new link.
    pub(super) renew: Option<Instant>,
}

/// Connects, declares, binds and consumes.
pub(super) async fn open(plan: &Plan) -> Result<Open> {
    let credentials = (plan.credentials)().await?;
    let address = credentials.address();
    match timeout(CONNECT, open_as(plan, &credentials, &address)).await {
        Ok(done) => done,
        Err(_) => Err(Error::disconnected(format!("timed out connecting to {address}"))),
    }
}

async fn open_as(plan: &Plan, credentials: &PulseCredentials, address: &str) -> Result<Open> {
    // The caller's mistakes are errors before anything is sent.
    let name = match &plan.queue {
        Some(name) => credentials.queue(name)?,
        None => credentials.queue(&slugid::nice())?,
    };
    let queue = short(&name)?;
    let failed = |what: String| move |error| explain(&what, error);

    let connection = connect(credentials)
        .await
        .map_err(failed(format!("{} cannot connect to {address}", credentials.user())))?;
    let asked = failed(format!("cannot open a channel on {address}"));
    let channel = connection.create_channel().await.map_err(asked)?;

    let named = plan.queue.is_some();
    let options = QueueDeclareOptions {
        durable: named,
        exclusive: !named,
        auto_delete: !named,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(queue.clone(), options, FieldTable::default())
        .await
        .map_err(failed(format!("the queue {name} cannot be declared")))?;
    for binding in &plan.bindings {
        let (exchange, pattern) = (binding.exchange, binding.routing_key_pattern.as_str());
        let options = QueueBindOptions::default();
        channel
            .queue_bind(
                queue.clone(),
                short(exchange)?,
                short(pattern)?,
                options,
                FieldTable::default(),
            )
            .await
            .map_err(failed(format!(
                "the queue {name} cannot be bound to {exchange} with {pattern}"
            )))?;
    }
    let consumed = || failed(format!("the queue {name} cannot be consumed"));
    channel.basic_qos(plan.prefetch, BasicQosOptions::default()).await.map_err(consumed())?;
    let consumer = channel
        .basic_consume(
            queue,
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
        .map_err(consumed())?;
    tracing::info!(address, queue = name, bindings = plan.bindings.len(), "listening");
    let renew = credentials
        .renew_at
        .map(|time| Instant::now() + (time - Utc::now()).to_std().unwrap_or_default().max(RENEW));
    Ok(Open { link: Link { connection, channel }, consumer, renew })
}

pub(super) async fn connect(credentials: &PulseCredentials) -> lapin::Result<Connection> {
    let tls = match credentials.uri.scheme {
        AMQPScheme::AMQP => None,
        AMQPScheme::AMQPS => {
            Some(RustlsConnector::from(tls::config().map_err(std::io::Error::other)?))
        }
    };
    // lapin would use the TLS provider of the whole program, so let it connect in plain text and add TLS on top.
    let plain = AMQPUri { scheme: AMQPScheme::AMQP, ..credentials.uri.clone() };
    Connection::connector(
        plain,
        lapin::runtime::default_runtime()?,
        async move |uri, runtime| {
            be_silent();
            let stream = uri.connect_with_config_async(TLSConfig::default(), &runtime).await?;
            Ok(match &tls {
                Some(tls) => stream.into_rustls(tls, &uri.authority.host).await?,
                None => stream,
            })
        },
        ConnectionProperties::default()
            .with_connection_name(concat!("taskcluster-rust/", env!("CARGO_PKG_VERSION")).into()),
    )
    .await
}

/// lapin logs everything that it sends at trace level, including the password, on one thread per connection. Called on that
/// thread, this turns off its logging.
fn be_silent() {
    thread_local! {
        static SILENCE: OnceCell<DefaultGuard> = const { OnceCell::new() };
    }
    if thread::current().name() == Some("lapin-io-loop") {
        SILENCE.with(|silence| {
            silence.get_or_init(|| set_default(NoSubscriber::default()));
        });
    }
}

pub(super) fn short(text: &str) -> Result<ShortString> {
    ShortString::try_new(text)
        .map_err(|_| Error::input(format!("{text:?} is longer than 255 bytes")))
}

/// Distinguishes refusals, which are permanent, from errors that a retry may fix.
pub(super) fn explain(what: &str, error: lapin::Error) -> Error {
    if let lapin::ErrorKind::ProtocolError(refusal) = error.kind() {
        let code = match refusal.get_id() {
            403 => "ACCESS_REFUSED",
            404 => "NOT_FOUND",
            405 => "RESOURCE_LOCKED",
            406 => "PRECONDITION_FAILED",
            530 => "NOT_ALLOWED",
            _ => return Error::disconnected(what).because(error),
        };
        let why = refusal.get_message().as_str();
        let why = why.strip_prefix(code).and_then(|why| why.strip_prefix(" - ")).unwrap_or(why);
        return Error::refused(code, format!("{what}: {why}"));
    }
    Error::disconnected(what).because(error)
}
