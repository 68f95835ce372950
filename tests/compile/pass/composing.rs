//! Calls of all kinds wherever a future is asked for.

use std::future::{Future, IntoFuture};
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use futures::stream::{FuturesUnordered, StreamExt as _, TryStreamExt as _};
use taskcluster::queue::ListTaskGroupResponse;
use taskcluster::{
    Call, Client, Queue, Result, Retry, SendAll, StatusCode, Value,
};

fn is_owned<T>(_: impl Future<Output = T> + Send + 'static) {}

async fn program(client: Client, ids: Vec<String>) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let queue = Queue::new(&client);
    let id = &*ids[0];

    // One call.
    tokio::spawn(queue.status(id).into_future());
    tokio::spawn(queue.status(id).send());
    tokio::spawn(queue.list_task_group(id).limit(1).send());
    tokio::spawn(queue.list_task_group(id).send_as::<Value>());
    tokio::spawn(queue.status(id).send_raw());
    tokio::spawn(async move { Queue::new(&client).ping().await });
    is_owned(queue.list_artifacts(id, 0).send_raw());
    is_owned(client_call(&queue).send());
    let call: Call<_> = queue.status(id);
    is_owned(call.clone().send());
    tokio::time::timeout(Duration::from_secs(1), call).await??;

    // Some calls.
    let _ = tokio::try_join!(queue.status(id), queue.list_task_group(id).limit(1), client_call(&queue))?;
    let _ = futures::future::try_join(queue.status(id).send(), queue.task(id).send()).await?;
    tokio::select! {
        _ = queue.status(id) => {}
        _ = queue.list_artifacts(id, 0).limit(1) => {}
    }

    // Many calls.
    join_all(ids.iter().map(|id| queue.status(id).send())).await;
    join_all(ids.iter().map(|id| queue.status(id)).map(IntoFuture::into_future)).await;
    try_join_all(ids.iter().map(|id| queue.list_task_group(id).limit(1).send())).await?;
    let mut unordered: FuturesUnordered<_> = ids.iter().map(|id| queue.status(id).send()).collect();
    while unordered.try_next().await?.is_some() {}
    let mut set = tokio::task::JoinSet::new();
    for id in &ids {
        set.spawn(queue.status(id).send());
    }
    let _: Vec<_> = futures::stream::iter(&ids).map(|id| queue.status(id).send()).buffered(4).try_collect().await?;

    // With a limit.
    let pages: Vec<ListTaskGroupResponse> = ids.iter().map(|id| queue.list_task_group(id)).send_all(4).await?;
    drop(pages);
    let _: Vec<Value> = ids.iter().map(|_| client_call(&queue)).send_all(4).await?;
    let results = ids.iter().map(|id| queue.cancel_task(id)).send_all(4).results().await;
    let _: usize = results.iter().filter(|result| result.is_err()).count();
    let mut completed = ids.iter().map(|id| queue.status(id)).send_all(4).as_completed();
    while let Some((index, result)) = completed.next().await {
        println!("{}: {}", ids[index], result?.status.state);
    }
    let owned: Vec<String> = ids.clone();
    let in_the_background = queue.clone();
    tokio::spawn(owned.into_iter().map(move |id| in_the_background.status(id)).send_all(4)).await??;
    // Anything that can be awaited, with errors of its own.
    let states = ids.iter().map(async |id| match queue.status(id).await {
        Ok(answer) => Ok(answer.status.state.to_string()),
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok("unknown".to_owned()),
        Err(error) => Err(Box::<dyn std::error::Error>::from(error)),
    });
    println!("{}", states.send_all(4).await?.join(" "));
    Ok(())
}

fn client_call(queue: &Queue) -> taskcluster::NamedCall {
    queue.as_ref().client().call(&Queue::REFERENCE, "ping").unwrap()
}

/// Settings keep the type of a call.
fn settings(queue: &Queue) {
    let _ = queue.status("fN1SbArXTPSVFNUvaOlinQ").timeout(Duration::from_secs(1)).retry(Retry::never()).header("x-a", 1).bearer("t");
    let _ = queue.list_task_group("fN1SbArXTPSVFNUvaOlinQ").header("x-a", true).limit(1).bearer(String::new()).items();
    let _ = client_call(queue).timeout(Duration::from_secs(1)).retry(Retry::never()).header("x-a", 1).bearer("t");
}

fn blocking(queue: &Queue) -> Result<()> {
    ["a", "b"].map(|id| queue.cancel_task(id)).send_all_blocking(2)?;
    SendAll::send_all_blocking(vec![queue.ping()], 2)?;
    Ok(())
}

fn main() {
    let client = Client::builder("https://tc.example.com").build().unwrap();
    settings(&Queue::new(&client));
    let _ = (program(client, Vec::new()), blocking);
}
