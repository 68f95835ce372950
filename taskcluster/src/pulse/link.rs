//! One connection to the broker, which declares, binds and consumes a queue.

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use lapin::options::{
    BasicConsumeOptions, BasicQosOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{AsyncTcpStream, Channel, Connection, ConnectionProperties, Consumer, ExchangeKind};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::credentials::PulseCredentials;
use super::plan::{Claim, Plan};
use super::wire::{self, Wire};
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
pub(super) async fn open(claim: &Claim, plan: &Plan) -> Result<Open> {
    let credentials = claim().await?;
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
    let no_channel = || failed(format!("cannot open a channel on {address}"));
    let channel = connection.create_channel().await.map_err(no_channel())?;

    let named = plan.queue.is_some();
    let options = QueueDeclareOptions {
        durable: named,
        exclusive: !named,
        auto_delete: !named,
        ..QueueDeclareOptions::default()
    };
    channel.queue_declare(queue.clone(), options, FieldTable::default()).await.map_err(
        |error| explain_about_queue(&format!("the queue {name} cannot be declared"), error),
    )?;
    for binding in &plan.bindings {
        let (exchange, pattern) = (binding.exchange, binding.routing_key_pattern.as_str());
        let options = QueueBindOptions::default();
        let bound = channel.queue_bind(
            queue.clone(),
            short(exchange)?,
            short(pattern)?,
            options,
            FieldTable::default(),
        );
        if let Err(error) = bound.await {
            let what = format!("the queue {name} cannot be bound to {exchange} with {pattern}");
            if code(&error) == Some(NOT_FOUND) {
                // Which of the two is missing? The error closed the channel.
                let channel = connection.create_channel().await.map_err(no_channel())?;
                find(&channel, exchange).await.map_err(failed(what.clone()))?;
            }
            return Err(explain_about_queue(&what, error));
        }
    }
    channel
        .basic_qos(plan.prefetch, BasicQosOptions::default())
        .await
        .map_err(failed(format!("the queue {name} cannot be consumed")))?;
    let consumer = channel
        .basic_consume(
            queue,
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
        .map_err(|error| {
            explain_about_queue(&format!("the queue {name} cannot be consumed"), error)
        })?;
    tracing::info!(address, queue = name, bindings = plan.bindings.len(), "listening");
    let renew = credentials
        .renew_at
        .map(|time| Instant::now() + (time - Utc::now()).to_std().unwrap_or_default().max(RENEW));
    Ok(Open { link: Link { connection, channel }, consumer, renew })
}

pub(super) async fn connect(credentials: &PulseCredentials) -> lapin::Result<Connection> {
    let (wanted, awaited) = oneshot::channel();
    let awaited = Mutex::new(Some(awaited));
    let owned = credentials.clone();
    let connection = Connection::connector(
        wire::without_password(credentials),
        wire::runtime(),
        async move |_, _| {
            // lapin connects on a thread of its own, which would otherwise outlast a broker that does not answer. It does so
            // once.
            let awaited = awaited.lock().unwrap_or_else(PoisonError::into_inner).take();
            let awaited = awaited.ok_or(io::ErrorKind::Unsupported).map_err(io::Error::from)?;
            Ok(AsyncTcpStream::Plain(Wire::connect(&owned, awaited).await?))
        },
        ConnectionProperties::default()
            .with_connection_name(concat!("taskcluster-rust/", env!("CARGO_PKG_VERSION")).into()),
    )
    .await?;
    let _ = wanted.send(());
    Ok(connection)
}

pub(super) fn short(text: &str) -> Result<ShortString> {
    ShortString::try_new(text)
        .map_err(|_| Error::input(format!("{text:?} is longer than 255 bytes")))
}

/// Asks whether an exchange exists.
async fn find(channel: &Channel, exchange: &str) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let (name, kind) = (ShortString::from(exchange), ExchangeKind::Topic);
    channel.exchange_declare(name, kind, options, FieldTable::default()).await
}

const NOT_FOUND: u16 = 404;

/// Returns the code of the broker's refusal.
fn code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(refusal) => Some(refusal.get_id()),
        _ => None,
    }
}

/// Same as [`explain`], for the listener's own queue. The listener has just declared it, so if it is missing, it was deleted
/// since, or the cluster node that keeps it is down. In both cases, a retry helps.
fn explain_about_queue(what: &str, error: lapin::Error) -> Error {
    match code(&error) {
        Some(NOT_FOUND) => Error::disconnected(what).because(error),
        _ => explain(what, error),
    }
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
