//! The stream of messages, across any number of connections.

use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::future::{Either, select};
use futures_util::{StreamExt as _, stream};
use lapin::Consumer;
use lapin::message::Delivery;
use lapin::options::BasicCancelOptions;
use serde_core::de::DeserializeOwned;
#[cfg(feature = "testing")]
use tokio::sync::Semaphore;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

#[cfg(feature = "testing")]
use super::embedded::{EmbeddedQueue, OpenQueue};
use super::link::{Link, open};
use super::message::{Message, Parts};
use super::plan::{Claim, Place, Plan};
use crate::error::{Error, Result};

/// The messages of a [`Listener`](super::Listener)'s queue: a `Stream` that ends when you [stop](Stop) it, or after its
/// first error.
///
/// It reconnects only while it is polled. Once dropped, it takes no more messages; you can still settle those that it has
/// yielded.
pub struct Messages<T = serde_json::Value> {
    stream: Pin<Box<dyn Stream<Item = Result<Message<T>>> + Send>>,
    stop: Stop,
    /// `None` if there is no broker.
    current: Option<Current>,
    /// Closes when nothing is open any more: the senders are in `stream` and in each message.
    open: mpsc::Receiver<Infallible>,
}

type Current = Arc<Mutex<Option<Arc<Link>>>>;

impl<T: DeserializeOwned + 'static> Messages<T> {
    pub(super) async fn start(place: Place, plan: Plan) -> Result<Self> {
        match place {
            Place::Broker(claim) => Self::of_broker(claim, plan).await,
            #[cfg(feature = "testing")]
            Place::Embedded(queues) => Self::of_embedded(&*queues, plan),
        }
    }

    async fn of_broker(claim: Box<Claim>, plan: Plan) -> Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let (held, open) = mpsc::channel(1);
        let mut state = State {
            delays: Box::new(plan.retry.delays()),
            claim,
            plan,
            stopped,
            held,
            current: Current::default(),
            source: None,
            draining: false,
            payload: PhantomData,
        };
        state.connect().await?;
        state.delays = state.patient();
        let current = Some(state.current.clone());
        let stream = stream::try_unfold(state, State::next);
        Ok(Self { stream: Box::pin(stream), stop: Stop(Arc::new(stop)), current, open })
    }

    #[cfg(feature = "testing")]
    fn of_embedded(queues: &OpenQueue, plan: Plan) -> Result<Self> {
        let queue = queues(plan.queue.as_deref(), &plan.bindings)?;
        let (stop, stopped) = watch::channel(false);
        let (held, open) = mpsc::channel(1);
        let permits = match plan.prefetch {
            0 => Semaphore::MAX_PERMITS,
            messages => messages.into(),
        };
        let permits = Arc::new(Semaphore::new(permits));
        let state = EmbeddedState { queue, plan, permits, stopped, held };
        let stream = stream::try_unfold(state, EmbeddedState::next);
        Ok(Self { stream: Box::pin(stream), stop: Stop(Arc::new(stop)), current: None, open })
    }
}

impl<T> Messages<T> {
    /// Returns a handle that stops the stream from elsewhere.
    #[must_use]
    pub fn stop_handle(&self) -> Stop {
        self.stop.clone()
    }

    /// Stops the listener and makes sure that the broker has received all acknowledgements.
    ///
    /// Messages that were delivered but not yet yielded go back to the queue. Then this waits until every yielded message is
    /// settled or dropped, and until the broker confirms that it has processed all of that.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection is lost, in which case messages that the program has settled may be
    /// redelivered, or if the stream still had an error to yield.
    pub async fn close(self) -> Result<()> {
        let Self { mut stream, stop, current, mut open } = self;
        stop.stop();
        while let Some(message) = stream.next().await {
            drop(message?);
        }
        drop(stream);
        let link = current
            .as_ref()
            .map(|current| current.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _: Option<Infallible> = open.recv().await;
        let Some(link) = link else { return Ok(()) };
        let Some(link) = link else {
            return Err(Error::disconnected("the connection to the broker was lost"));
        };
        link.close().await
    }
}

impl<T> Stream for Messages<T> {
    type Item = Result<Message<T>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(cx)
    }
}

impl<T> fmt::Debug for Messages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}

/// Stops a stream of messages from elsewhere, such as a signal handler or another task.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// Tells the broker to deliver no more messages. The stream yields those already delivered, then ends. Calling this
    /// again has no effect.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// What the stream needs from one message to the next.
struct State<T> {
    claim: Box<Claim>,
    plan: Plan,
    stopped: watch::Receiver<bool>,
    held: mpsc::Sender<Infallible>,
    current: Current,
    source: Option<Source>,
    /// Whether the stream ends with the current source.
    draining: bool,
    /// The delays before the next attempts to connect, counted since the last message.
    delays: Box<dyn Iterator<Item = Duration> + Send>,
    payload: PhantomData<fn() -> T>,
}

/// The current source of messages.
struct Source {
    link: Arc<Link>,
    consumer: Consumer,
    renew: Option<Instant>,
}

#[expect(clippy::large_enum_variant, reason = "one at a time, and most are deliveries")]
enum Event {
    Delivery(Delivery),
    Lost(Option<lapin::Error>),
    Stopped,
    Renew,
}

impl<T: DeserializeOwned> State<T> {
    /// Connects, immediately at first and then with delays, as long as a retry can help. If stopped, it does nothing.
    async fn connect(&mut self) -> Result<()> {
        loop {
            let outcome = {
                let stopped = pin!(self.stopped.wait_for(|stopped| *stopped));
                match select(pin!(open(&self.claim, &self.plan)), stopped).await {
                    Either::Left((outcome, _)) => outcome,
                    Either::Right(_) => return Ok(()),
                }
            };
            match outcome {
                Ok(opened) => {
                    let link = Arc::new(opened.link);
                    self.set_current(Some(link.clone()));
                    self.source =
                        Some(Source { link, consumer: opened.consumer, renew: opened.renew });
                    return Ok(());
                }
                Err(error) if error.is_transport() => {
                    let Some(delay) = self.delays.next() else { return Err(error) };
                    tracing::info!(%error, ?delay, "cannot listen; retrying");
                    self.rest(delay).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits, unless the stream is stopped.
    async fn rest(&mut self, delay: Duration) {
        let stopped = pin!(self.stopped.wait_for(|stopped| *stopped));
        select(pin!(sleep(delay)), stopped).await;
    }

    fn set_current(&self, link: Option<Arc<Link>>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }

    /// An endless sequence of delays, for any number of attempts.
    fn patient(&self) -> Box<dyn Iterator<Item = Duration> + Send> {
        Box::new(self.plan.retry.max_retries(usize::MAX).delays())
    }

    async fn next(mut self) -> Result<Option<(Message<T>, Self)>> {
        loop {
            let Some(source) = &mut self.source else { return Ok(None) };
            match wait(source, &mut self.stopped, self.draining).await {
                Event::Delivery(delivery) => {
                    let parts = Parts::of_delivery(delivery, source.link.clone());
                    let message = Message::new(parts, &self.plan, self.held.clone());
                    self.delays = self.patient();
                    return Ok(Some((message, self)));
                }
                Event::Stopped => {
                    tracing::info!("stopping");
                    self.draining = true;
                    cancel(source).await;
                }
                Event::Renew => {
                    tracing::info!("renewing the credentials");
                    source.renew = None;
                    cancel(source).await;
                    // Messages already delivered are yielded before the new connection is made; see `Lost`.
                }
                Event::Lost(error) => {
                    self.source = None;
                    if self.draining {
                        return Ok(None);
                    }
                    self.set_current(None);
                    match error {
                        Some(error) => tracing::info!(%error, "the connection was lost"),
                        None => tracing::info!("the consumer ended"),
                    }
                    if let Some(delay) = self.delays.next() {
                        self.rest(delay).await;
                    }
                    self.connect().await?;
                }
            }
        }
    }
}

/// What the stream of an embedded queue needs from one message to the next. A broker hands out messages before the program asks
/// for them; this queue waits to be asked.
#[cfg(feature = "testing")]
struct EmbeddedState {
    queue: Arc<dyn EmbeddedQueue>,
    plan: Plan,
    /// One for each message that may be unsettled.
    permits: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
    held: mpsc::Sender<Infallible>,
}

#[cfg(feature = "testing")]
impl EmbeddedState {
    async fn next<T: DeserializeOwned>(mut self) -> Result<Option<(Message<T>, Self)>> {
        let next = async {
            // It is never closed.
            let Ok(permit) = self.permits.clone().acquire_owned().await else { pending().await };
            self.queue.next().await.map(|delivered| (delivered, permit))
        };
        let next = {
            let stopped = pin!(self.stopped.wait_for(|stopped| *stopped));
            match select(stopped, pin!(next)).await {
                Either::Left(_) => return Ok(None),
                Either::Right((next, _)) => next,
            }
        };
        let (delivered, permit) = next?;
        let parts = Parts::of_embedded(self.queue.clone(), delivered, permit);
        Ok(Some((Message::new(parts, &self.plan, self.held.clone()), self)))
    }
}

/// Waits for the next event.
async fn wait(source: &mut Source, stopped: &mut watch::Receiver<bool>, draining: bool) -> Event {
    let renew = source.renew;
    // Check these first: a queue with many messages always has the next one ready.
    if !draining && *stopped.borrow() {
        return Event::Stopped;
    }
    if !draining && renew.is_some_and(|time| time <= Instant::now()) {
        return Event::Renew;
    }
    let other = async {
        let renewed = async {
            match renew {
                Some(time) if !draining => sleep_until(time).await,
                _ => pending().await,
            }
        };
        let stop = async {
            if draining || stopped.wait_for(|stopped| *stopped).await.is_err() {
                pending::<()>().await;
            }
        };
        match select(pin!(stop), pin!(renewed)).await {
            Either::Left(_) => Event::Stopped,
            Either::Right(_) => Event::Renew,
        }
    };
    match select(source.consumer.next(), pin!(other)).await {
        Either::Left((Some(Ok(delivery)), _)) => Event::Delivery(delivery),
        Either::Left((Some(Err(error)), _)) => Event::Lost(Some(error)),
        Either::Left((None, _)) => Event::Lost(None),
        Either::Right((event, _)) => event,
    }
}

/// Stops consuming. The consumer ends after the messages already delivered.
async fn cancel(source: &Source) {
    let tag = source.consumer.tag();
    let cancelled = source.link.channel.basic_cancel(tag, BasicCancelOptions::default());
    // Otherwise the connection is gone, which the consumer reports.
    if let Some(Err(error)) = source.link.answer(cancelled).await {
        tracing::debug!(%error, "the consumer cannot be cancelled");
    }
}
