//! The listener and a real broker, and what can go wrong between them.

mod credentials;
mod interruptions;
mod messages;
mod outages;
mod refusals;
mod routing_keys;

use std::sync::{Arc, Mutex};

use futures::TryStreamExt as _;
use taskcluster::QueueEvents;
use taskcluster::pulse::{Listener, Message, Messages, PulseCredentials};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::broker::HANGING;

/// A listener to the completed tasks of a group.
fn listener(credentials: PulseCredentials, group: &str) -> Listener<taskcluster::Value> {
    Listener::connect(credentials).bind_any(QueueEvents::task_completed().task_group_id(group))
}

async fn next(messages: &mut Messages) -> Message {
    timeout(HANGING, messages.try_next()).await.expect("no message").unwrap().expect("the end")
}

fn number(message: &Message) -> usize {
    message.payload.as_ref().unwrap()["number"].as_u64().unwrap() as usize
}

/// A way to the broker that can be cut.
struct Cable {
    address: String,
    plugged: Arc<Mutex<Vec<JoinHandle<()>>>>,
    accepting: JoinHandle<()>,
}

impl Cable {
    async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let plugged = Arc::<Mutex<Vec<JoinHandle<()>>>>::default();
        let kept = plugged.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let target = target.clone();
                kept.lock().unwrap().push(tokio::spawn(async move {
                    let mut far = TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }));
            }
        });
        Self { address, plugged, accepting }
    }

    /// Cuts what is connected now; how many connections that were.
    fn cut(&self) -> usize {
        let all: Vec<_> = self.plugged.lock().unwrap().drain(..).collect();
        let open = all.iter().filter(|connection| !connection.is_finished()).count();
        all.iter().for_each(JoinHandle::abort);
        open
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}
