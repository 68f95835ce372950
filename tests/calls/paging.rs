//! Every page, in all forms.

use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use taskcluster::queue::ListTaskGroupResponse;
use taskcluster::testing::Deployment;
use taskcluster::{Auth, Client, ErrorKind, Paged, Queue, StatusCode};
use taskcluster_tests::{RawServer, TASK_ID, json};

use crate::payloads::full;
use crate::support::typed;

async fn many_clients(count: usize) -> (Deployment, Auth) {
    let deployment = Deployment::start().await.unwrap();
    for i in 0..count {
        deployment.client(format!("client-{i:03}"), "no-secret", ["*"]);
    }
    let auth = Auth::new(&deployment.connect("client-000").unwrap());
    (deployment, auth)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JustTheId {
    client_id: String,
}

#[tokio::test]
async fn items_come_from_all_pages_in_order() {
    let (deployment, auth) = many_clients(25).await;
    let expected: Vec<_> = (0..25).map(|i| format!("client-{i:03}")).collect();
    let items: Vec<Value> = auth.list_clients().limit(10).items_as().try_collect().await.unwrap();
    let ids: Vec<_> = items.iter().map(|item| item["clientId"].as_str().unwrap()).collect();
    assert_eq!(ids, expected);
    assert_eq!(deployment.calls().len(), 3);
    let items: Vec<JustTheId> =
        auth.list_clients().limit(7).items_as().try_collect().await.unwrap();
    assert_eq!(items.into_iter().map(|item| item.client_id).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn pages_keep_what_else_they_hold() {
    let (_deployment, auth) = many_clients(5).await;
    let pages: Vec<_> = auth.list_clients().limit(2).pages().try_collect().await.unwrap();
    let sizes: Vec<_> = pages.iter().map(|page| page.clients.len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert!(pages[0].continuation_token.is_some());
    assert!(pages[2].continuation_token.is_none());
}

#[tokio::test]
async fn a_listing_can_end_after_some_pages() {
    let (deployment, auth) = many_clients(25).await;
    let items: Vec<Value> =
        auth.list_clients().limit(10).max_pages(2).items_as().try_collect().await.unwrap();
    assert_eq!((items.len(), deployment.calls().len()), (20, 2));
    assert_eq!(auth.list_clients().limit(10).max_pages(9).pages().count().await, 3);
    assert_eq!(auth.list_clients().max_pages(0).clone().items().count().await, 0);
}

#[tokio::test]
async fn one_page_is_fetched_when_it_is_needed() {
    let (deployment, auth) = many_clients(30).await;
    let mut items = auth.list_clients().limit(10).items();
    assert!(deployment.calls().is_empty());
    for _ in 0..10 {
        items.next().await.unwrap().unwrap();
    }
    assert_eq!(deployment.calls().len(), 1);
    items.next().await.unwrap().unwrap();
    assert_eq!(deployment.calls().len(), 2);
}

#[tokio::test]
async fn a_listing_goes_on_where_a_token_says() {
    let (_deployment, auth) = many_clients(6).await;
    let first = auth.list_clients().limit(4).await.unwrap();
    let token = first.continuation_token.unwrap();
    let rest: Vec<Value> = auth
        .list_clients()
        .limit(4)
        .continuation_token(token)
        .items_as()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(rest.len(), 2);
}

async fn listing(pages: &[Value]) -> (RawServer, Queue) {
    listing_of(pages.iter().map(Value::to_string)).await
}

async fn listing_of(pages: impl IntoIterator<Item = String>) -> (RawServer, Queue) {
    let server =
        RawServer::start(pages.into_iter().map(|page| json("200 OK", &page))).await.unwrap();
    let client = Client::builder(&server.url).build().unwrap();
    (server, Queue::new(&client))
}

#[tokio::test]
async fn an_empty_page_is_not_the_end_and_no_token_is() {
    let (server, queue) = listing(&[
        json!({"tasks": [], "continuationToken": "a/b"}),
        json!({"continuationToken": "c", "new": {"x": [1]}, "tasks": [1, 2]}),
        json!({"tasks": [3], "continuationToken": null}),
    ])
    .await;
    let items: Vec<Value> = queue.list_task_group(TASK_ID).items_as().try_collect().await.unwrap();
    assert_eq!(items, [1, 2, 3]);
    let lines: Vec<_> =
        server.requests().iter().map(|r| r.lines().next().unwrap().to_owned()).collect();
    assert!(lines[0].contains("/list HTTP"), "{lines:?}");
    assert!(lines[1].contains("/list?continuationToken=a%2Fb HTTP"), "{lines:?}");
    assert!(lines[2].contains("/list?continuationToken=c HTTP"), "{lines:?}");

    let (server, queue) = listing(&[json!({"tasks": [1], "continuationToken": ""})]).await;
    assert_eq!(queue.list_task_group(TASK_ID).items_as::<Value>().count().await, 1);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_same_token_for_ever_is_an_error() {
    let (server, queue) = listing(&[json!({"tasks": [1], "continuationToken": "x"})]).await;
    let items: Vec<_> = queue.list_task_group(TASK_ID).items_as::<Value>().collect().await;
    assert_eq!(items.len(), 2);
    let error = items[1].as_ref().unwrap_err();
    assert!(error.message().contains("the same page twice"), "{error}");
    assert_eq!(server.requests().len(), 2);
    let (_server, queue) = listing(&[json!({
        "expires": "2100-01-01T00:00:00Z", "taskGroupId": "G", "schedulerId": "-", "tasks": [],
        "continuationToken": "x",
    })])
    .await;
    let pages: Vec<_> = queue.list_task_group(TASK_ID).pages().collect().await;
    assert!(pages.len() == 2 && pages[1].is_err());
}

/// A call whose pages are read as this type, whatever the type reads of them.
fn pages_of<T: DeserializeOwned>(queue: &Queue) -> Paged<T> {
    Paged::of(queue.as_ref(), Queue::REFERENCE.endpoint("listTaskGroup"), &[&TASK_ID])
}

/// The options of the requests for the pages.
fn asked(server: &RawServer) -> Vec<String> {
    let target = |request: &String| request.split(' ').nth(1).unwrap().to_owned();
    let option = |target: String| target.split_once('?').map_or("", |(_, query)| query).to_owned();
    server.requests().iter().map(target).map(option).collect()
}

/// A type that a page is read as only after it has been kept whole.
#[derive(Deserialize)]
#[serde(untagged)]
enum Either {
    Tasks { tasks: Vec<u32> },
    Other {},
}

#[tokio::test]
async fn pages_of_any_type_name_the_next_one() {
    async fn reads<T: DeserializeOwned + Send + 'static>(are: impl Fn(&[T]) -> bool) {
        let (server, queue) = listing_of([
            r#"{"tasks": [1], "continuationToken": "a"}"#.to_owned(),
            r#" {"continuation\u0054oken": "b\/\u0063", "new": {"continuationToken": 1}, "tasks": [2]}"#.to_owned(),
            r#"{"continuationToken": null, "tasks": [], "continuationToken": "d"}"#.to_owned(),
            r#"{"tasks": [3], "continuationToken": ""}"#.to_owned(),
        ])
        .await;
        let pages: Vec<T> = pages_of(&queue).pages().try_collect().await.unwrap();
        let options = ["", "continuationToken=a", "continuationToken=b%2Fc", "continuationToken=d"];
        assert_eq!(asked(&server), options, "{}", std::any::type_name::<T>());
        assert!(pages.len() == 4 && are(&pages), "{}", std::any::type_name::<T>());
    }
    reads::<Value>(|pages| pages[1]["continuationToken"] == "b/c" && pages[3]["tasks"][0] == 3)
        .await;
    reads::<Option<Value>>(|pages| pages.iter().all(Option::is_some)).await;
    reads::<Box<RawValue>>(|pages| pages[1].get().contains(r"b\/\u0063")).await;
    reads::<Either>(|pages| matches!(&pages[3], Either::Tasks { tasks } if *tasks == [3])).await;
    reads::<taskcluster::FreeForm>(|pages| pages[2].text().starts_with('{')).await;
    reads::<Tasks>(|pages| pages[1].tasks == [2]).await;
}

#[derive(Deserialize)]
struct Tasks {
    tasks: Vec<u32>,
}

#[tokio::test]
async fn the_last_page_names_none_whatever_it_is_read_as() {
    async fn reads<T: DeserializeOwned + Send + 'static>() {
        for end in [json!({}), json!({"continuationToken": null}), json!({"continuationToken": ""})]
        {
            let mut last = full("queue/v1/list-task-group-response.json");
            last.as_object_mut().unwrap().remove("continuationToken");
            last.as_object_mut().unwrap().extend(end.as_object().unwrap().clone());
            let (server, queue) = listing(&[last]).await;
            let pages: Vec<T> = pages_of(&queue).pages().try_collect().await.unwrap();
            assert_eq!((pages.len(), server.requests().len()), (1, 1), "{end}");
        }
    }
    reads::<Value>().await;
    reads::<Box<RawValue>>().await;
    reads::<Either>().await;
    reads::<Option<Value>>().await;
    reads::<ListTaskGroupResponse>().await;
}

#[tokio::test]
async fn a_token_that_is_no_text_is_an_error_that_names_it() {
    async fn error_of<T: DeserializeOwned + Send + 'static>(token: &str) -> String {
        let mut page = full("queue/v1/list-task-group-response.json");
        page["continuationToken"] = json!("TOKEN");
        let page = page.to_string().replace(r#""TOKEN""#, token);
        let (server, queue) = listing_of([page]).await;
        let results: Vec<_> = pages_of::<T>(&queue).pages().collect().await;
        assert_eq!((results.len(), server.requests().len()), (1, 1));
        let error = results.into_iter().next().unwrap().err().unwrap();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Answer, Some(StatusCode::OK)));
        error.message().to_owned()
    }
    for token in ["5", "true", r#"{"secret": 1}"#, "[1]"] {
        let errors = [
            error_of::<Value>(token).await,
            error_of::<Box<RawValue>>(token).await,
            error_of::<Either>(token).await,
            error_of::<ListTaskGroupResponse>(token).await,
        ];
        for error in errors {
            assert!(error.contains("continuationToken: expected text"), "{token}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
    // What is no JSON is another error.
    let error = error_of::<ListTaskGroupResponse>("nulk").await;
    assert!(error.contains("the service sent"), "{error}");

    let (_server, queue) = listing(&[json!({"tasks": [1], "continuationToken": 5})]).await;
    let error = queue.list_task_group(TASK_ID).items_as::<Value>().try_next().await.unwrap_err();
    assert!(error.message().contains("continuationToken: expected text"), "{error}");
}

#[tokio::test]
async fn tokens_that_go_in_circles_are_an_error() {
    let page = |token: &str| json!({"tasks": [token], "continuationToken": token});
    let (_server, queue) = listing(&[page("a"), page("b"), page("c"), page("a")]).await;
    let items: Vec<_> = queue.list_task_group(TASK_ID).items_as::<Value>().collect().await;
    assert_eq!(items.len(), 4);
    assert!(items[3].as_ref().unwrap_err().message().contains("the same page twice"));
}

#[tokio::test]
async fn a_page_without_its_list_is_an_error_where_nothing_is_filled_in() {
    let (server, queue) = listing(&[json!({"task": []})]).await;
    let strict = Client::builder(&server.url).strict_answers(true).build().unwrap();
    let strict = Queue::new(&strict).list_task_group(TASK_ID);
    for error in [
        queue.list_task_group(TASK_ID).items_as::<Value>().try_next().await.unwrap_err(),
        strict.items().try_next().await.unwrap_err(),
        strict.pages().try_next().await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.status()), (ErrorKind::Answer, Some(StatusCode::OK)));
        assert!(error.to_string().contains("is missing"), "{error}");
    }
}

#[tokio::test]
async fn a_stream_ends_after_an_error() {
    let (_server, queue) =
        listing(&[json!({"tasks": [1], "continuationToken": "x"}), json!("gone")]).await;
    let mut items = queue.list_task_group(TASK_ID).items_as::<Value>();
    assert!(items.next().await.unwrap().is_ok());
    assert!(items.next().await.unwrap().is_err());
    assert!(items.next().await.is_none());
}

#[tokio::test]
async fn listings_with_a_payload_send_it_with_every_page() {
    let (server, queue) =
        listing(&[json!({"tasks": [1], "continuationToken": "x"}), json!({"tasks": [2]})]).await;
    let wanted = json!({"taskIds": ["A", "B"]});
    let items: Vec<Value> = queue.tasks(&typed(&wanted)).items_as().try_collect().await.unwrap();
    assert_eq!(items, [1, 2]);
    assert!(server.requests().iter().all(|request| request.ends_with(&wanted.to_string())));
}

#[test]
fn streams_can_be_sent_between_threads() {
    fn sendable<T: Send + Unpin>(_: T) {}
    let queue = Queue::new(&Client::builder("https://tc.example.com").build().unwrap());
    sendable(queue.list_task_group(TASK_ID).items());
    sendable(queue.list_task_group(TASK_ID).pages());
    sendable(std::future::IntoFuture::into_future(queue.list_task_group(TASK_ID)));
}

#[tokio::test]
async fn items_are_typed_whatever_the_list_is_called() {
    use taskcluster::{Secrets, WorkerManager};

    let page = |schema: &str| {
        let mut page = full(schema);
        page.as_object_mut().unwrap().remove("continuationToken");
        json("200 OK", &page.to_string())
    };
    let server = RawServer::start([
        page("queue/v1/list-taskqueues-response.json"),
        page("secrets/v1/secret-list.json"),
        page("auth/v1/get-entity-history-response.json"),
        page("worker-manager/v1/worker-pool-error-list.json"),
        page("queue/v1/list-task-group-response.json"),
    ])
    .await
    .unwrap();
    let client = Client::builder(&server.url).build().unwrap();
    let queue = Queue::new(&client);

    let queues: Vec<taskcluster::queue::TaskQueue> =
        queue.list_task_queues().items().try_collect().await.unwrap();
    assert_eq!(queues.len(), 2);
    let names: Vec<String> = Secrets::new(&client).list().items().try_collect().await.unwrap();
    assert_eq!(names.len(), 2);
    let history: Vec<_> =
        Auth::new(&client).get_entity_history("client", "c").items().try_collect().await.unwrap();
    assert_eq!(history[0].client_id, history[1].client_id);
    let errors: Vec<taskcluster::worker_manager::WorkerPoolError> = WorkerManager::new(&client)
        .list_worker_pool_errors("p/w")
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(errors.len(), 2);
    // What else a page has is reached by the page.
    let pages: Vec<taskcluster::queue::ListTaskGroupResponse> =
        queue.list_task_group(TASK_ID).pages().try_collect().await.unwrap();
    assert_eq!((pages.len(), pages[0].tasks.len()), (1, 2));
    assert!(!pages[0].scheduler_id.is_empty() && pages[0].sealed.is_some());
}
