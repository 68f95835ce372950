//! What can be seen of calls from outside: spans by OpenTelemetry's conventions, and metrics by a hook.
//!
//! It prints each span when it ends, with its fields. To export spans instead, add a layer of `tracing-opentelemetry` to the
//! subscriber.

mod shared;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use taskcluster::testing::Fault;
use taskcluster::{Attempt, Credentials, Queue, Result, SendAll as _, StatusCode, slugid};
use tracing_subscriber::fmt::format::FmtSpan;

/// How many attempts ended how.
#[derive(Clone, Default)]
struct Metrics(Arc<Mutex<BTreeMap<String, u32>>>);

impl Metrics {
    fn count(&self, attempt: &Attempt<'_>) {
        let outcome = match (attempt.status, attempt.error) {
            (Some(status), _) => status.as_str().to_owned(),
            (None, error) => format!("{:?}", error.map(taskcluster::Error::kind)),
        };
        let retried = if attempt.retry_after.is_some() { ", retried" } else { "" };
        let label = format!("{}.{}: {outcome}{retried}", attempt.service, attempt.endpoint);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(label).or_default() += 1;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    tracing_subscriber::fmt().with_span_events(FmtSpan::CLOSE).with_target(false).init();
    let (deployment, _) = shared::embedded_deployment()?;
    let status = Queue::REFERENCE.endpoint("status");
    deployment.on(status).times(1).fault(Fault::Status(StatusCode::SERVICE_UNAVAILABLE));

    let metrics = Metrics::default();
    let counter = metrics.clone();
    let client = deployment
        .builder()?
        .credentials(Credentials::new(shared::CLIENT_ID, shared::ACCESS_TOKEN))
        .on_attempt(move |attempt| counter.count(attempt))
        .build()?;
    let queue = Queue::new(&client);
    let group = slugid::nice();
    let ids = [group.clone(), slugid::nice()];
    for (n, id) in ids.iter().enumerate() {
        queue.create_task(id, &shared::task(&group, n)).await?;
    }
    let unknown = slugid::nice();
    let calls = ids.iter().chain([&unknown]).map(|id| queue.status(id));
    for result in calls.send_all(2).results().await {
        match result {
            Ok(answer) => println!("{}: {}", answer.status.task_id, answer.status.state),
            Err(error) => println!("{}", taskcluster::json!(error)),
        }
    }
    for (label, count) in &*metrics.0.lock().unwrap_or_else(PoisonError::into_inner) {
        println!("{count} x {label}");
    }
    Ok(())
}
