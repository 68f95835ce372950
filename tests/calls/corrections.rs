//! Answers of older and newer deployments, which lack what the references require.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::queue::{ListTaskGroupResponse, TaskState, TaskStatus};
use taskcluster::testing::Deployment;
use taskcluster::{Client, ClientBuilder, ErrorKind, FreeForm, Number, Queue, Retry, StatusCode};
use taskcluster_tests::{RawServer, TASK_ID, json as json_answer};

use crate::payloads::wire::{EverythingChoice, Tree};
use crate::payloads::{Wire, full};
use crate::support::log::Log;

/// Answers every request with this.
async fn answering(answer: &Value) -> (RawServer, ClientBuilder) {
    let server = RawServer::start([json_answer("200 OK", &answer.to_string())]).await.unwrap();
    let builder = Client::builder(&server.url).retry(Retry::never());
    (server, builder)
}

/// A page of a task group, of three tasks.
fn page() -> Value {
    let mut page = full("queue/v1/list-task-group-response.json");
    page.as_object_mut().unwrap().remove("continuationToken");
    let task = page["tasks"][0].clone();
    page["tasks"] = json!([task, task, task]);
    page
}

fn without(mut json: Value, place: &str, property: &str) -> Value {
    json.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(property).unwrap();
    json
}

#[tokio::test]
async fn a_missing_property_has_the_empty_value_of_its_type() {
    let (_server, client) = answering(&json!({})).await;
    let empty = Wire::new(&client.build().unwrap()).everything().await.unwrap();
    assert_eq!((empty.text.as_str(), empty.integer, empty.size), ("", 0, 0));
    assert_eq!((empty.number, empty.truth), (Number::from(0), false));
    assert_eq!(empty.date.timestamp(), 0);
    assert!(empty.list.is_empty() && empty.map.is_empty() && empty.nothing.is_none());
    assert_eq!(empty.choice, EverythingChoice::Unknown(String::new()));
    assert_eq!(empty.free.text(), "null");
    assert_eq!((empty.part.name.as_str(), empty.part.weight), ("", None));
    assert_eq!(empty.tree, Tree::Unknown(FreeForm::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_older_service_is_read() {
    let page = without(page(), "/tasks/1/status", "taskQueueId");
    let page = without(page, "/tasks/2/status", "projectId");
    let page = without(page, "/tasks/2/task", "metadata");
    let page = without(page, "/tasks/0/status", "state");
    let (_server, client) = answering(&page).await;
    let call = Queue::new(&client.build().unwrap()).list_task_group(TASK_ID);
    let check = |answer: ListTaskGroupResponse| {
        assert_eq!(answer.tasks.len(), 3);
        assert_eq!(answer.tasks[0].status.state, TaskState::Unknown(String::new()));
        assert_ne!(answer.tasks[0].status.task_queue_id, "");
        assert_eq!(answer.tasks[1].status.task_queue_id, "");
        assert_eq!(answer.tasks[2].task.metadata.owner, "");
    };
    check(call.clone().send().await.unwrap());
    check(call.clone().await.unwrap());
    check(call.pages().try_next().await.unwrap().unwrap());
    let items: Vec<_> = call.items().try_collect().await.unwrap();
    assert_eq!(items[2].status.project_id, "");
    let blocking = std::thread::spawn(move || call.send_blocking().unwrap());
    check(blocking.join().unwrap());
}

#[tokio::test]
async fn a_page_without_its_list_has_no_items_and_does_not_end_the_listing() {
    let mut bare = without(page(), "", "tasks");
    bare["continuationToken"] = json!("next");
    let pages = [bare.to_string(), page().to_string()];
    let pages = pages.map(|page| json_answer("200 OK", &page));
    let server = RawServer::start(pages.clone().into_iter().chain(pages)).await.unwrap();
    let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
    let log = Log::default();
    let guard = log.install();
    let call = Queue::new(&client).list_task_group(TASK_ID);
    assert_eq!(call.items().try_collect::<Vec<_>>().await.unwrap().len(), 3);
    let pages: Vec<_> = call.pages().try_collect().await.unwrap();
    drop(guard);
    assert_eq!(pages.iter().map(|page| page.tasks.len()).collect::<Vec<_>>(), [0, 3]);
    let log = log.text();
    assert!(log.contains("WARN") && log.contains("queue.listTaskGroup"), "{log}");
}

#[tokio::test]
async fn a_warning_names_endpoint_and_property_once_per_client() {
    let page = without(page(), "/tasks/1/status", "taskQueueId");
    let page = without(page, "/tasks/2/status", "taskQueueId");
    let (_server, client) = answering(&page).await;
    let client = client.build().unwrap();
    let log = Log::default();
    let guard = log.install();
    for client in [&client, &client.without_credentials(), &client] {
        Queue::new(client).list_task_group(TASK_ID).await.unwrap();
        let _: Vec<_> =
            Queue::new(client).list_task_group(TASK_ID).items().try_collect().await.unwrap();
    }
    let warnings = |property: &str| {
        let text = log.text();
        let lines = text.lines().filter(|line| line.contains("WARN") && line.contains(property));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let [warning] = &*warnings("taskQueueId") else { panic!("{}", log.text()) };
    assert!(warning.contains("queue.listTaskGroup"), "{warning}");
    // At another endpoint it is another warning.
    Queue::new(&client).status(TASK_ID).await.unwrap();
    assert_eq!(warnings("queue.status").len(), 1);
    drop(guard);
    assert!(!log.text().contains(page["tasks"][0]["task"]["metadata"]["owner"].as_str().unwrap()));
}

#[tokio::test]
async fn strict_answers_makes_it_an_error() {
    let page = without(page(), "/tasks/1/status", "taskQueueId");
    let (_server, client) = answering(&page).await;
    let client = client.strict_answers(true).build().unwrap();
    let call = Queue::new(&client.without_credentials()).list_task_group(TASK_ID);
    let error = call.clone().send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Answer, Some(StatusCode::OK)));
    let place = "tasks[1]: status: `taskQueueId` is missing";
    assert!(error.message().contains(place), "{error}");
    let error = call.items().try_next().await.unwrap_err();
    assert!(error.message().contains(place), "{error}");
}

#[tokio::test]
async fn a_property_of_the_wrong_type_is_an_error_that_says_which_element() {
    let mut page = page();
    page["tasks"][1]["status"]["runs"][0]["runId"] = json!("0");
    let (_server, client) = answering(&page).await;
    let call = Queue::new(&client.build().unwrap()).list_task_group(TASK_ID);
    let place = "tasks[1]: status: runs[0]: runId: expected an integer, found text";
    for error in [
        call.clone().send().await.unwrap_err(),
        call.pages().try_next().await.unwrap_err(),
        call.items().try_next().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Answer);
        assert!(error.message().contains(place), "{error}");
    }
    // `null` is a wrong type, too.
    page["tasks"][1]["status"]["runs"][0]["runId"] = json!(null);
    let (_server, client) = answering(&page).await;
    let error = Queue::new(&client.build().unwrap()).list_task_group(TASK_ID).await.unwrap_err();
    assert!(error.message().contains("tasks[1]: status: runs[0]: runId: expected"), "{error}");

    let list = "[{\"name\": \"ü\"},\n {\n\"weight\": \"1\", \"name\": \"b\"}, {\"name\": \"c\"}]";
    let server = RawServer::start([json_answer("200 OK", list)]).await.unwrap();
    let wire = Wire::new(&Client::builder(&server.url).retry(Retry::never()).build().unwrap());
    let error = wire.parts().await.unwrap_err();
    assert!(
        error.message().contains("shape: [1]: weight: expected a number, found text"),
        "{error}"
    );
}

#[tokio::test]
async fn a_number_beyond_all_bounds_is_json_of_another_shape() {
    for number in ["1e400".to_owned(), format!("-{}", "9".repeat(400))] {
        let body = full("queue/v1/task-status-response.json").to_string();
        let body =
            body.replacen("\"retriesLeft\":", &format!("\"retriesLeft\":{number},\"x\":"), 1);
        let server = RawServer::start([json_answer("200 OK", &body)]).await.unwrap();
        let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
        let error = Queue::new(&client).status(TASK_ID).await.unwrap_err();
        let said = "does not have the expected shape: number out of range at line 1 column";
        assert!(error.message().contains(said), "{error}");
    }
}

#[tokio::test]
async fn items_of_a_truncated_page_are_not_said_to_be_of_another_shape() {
    let text = page().to_string();
    let half = &text[..text.len() / 2];
    let server = RawServer::start([json_answer("200 OK", half)]).await.unwrap();
    let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
    let error = Queue::new(&client).list_task_group(TASK_ID).items().try_next().await.unwrap_err();
    assert!(error.message().ends_with("bytes that are not JSON"), "{error}");
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Either {
    Status(TaskStatus),
    Page(ListTaskGroupResponse),
    Other(Value),
}

#[tokio::test]
async fn a_type_of_choice_and_what_a_program_reads_itself_is_not_corrected() {
    let page = without(page(), "/tasks/1/status", "taskQueueId");
    let (_server, client) = answering(&page).await;
    let call = Queue::new(&client.build().unwrap()).list_task_group(TASK_ID);
    call.clone().send().await.unwrap();
    for error in [
        call.clone().send_as::<ListTaskGroupResponse>().await.unwrap_err().to_string(),
        call.items_as::<taskcluster::queue::TaskDefinitionAndStatus>()
            .try_next()
            .await
            .unwrap_err()
            .to_string(),
        serde_json::from_str::<ListTaskGroupResponse>(&page.to_string()).unwrap_err().to_string(),
    ] {
        assert!(error.contains("`taskQueueId` is missing"), "{error}");
    }
    // So a program can try several types in turn.
    match call.send_as::<Either>().await.unwrap() {
        Either::Status(status) => panic!("{status:?}"),
        Either::Page(page) => panic!("{page:?}"),
        Either::Other(json) => assert_eq!(json, page),
    }
}

#[tokio::test]
async fn the_embedded_deployment_is_strict_about_stubs() {
    let fake = Deployment::start().await.unwrap();
    let status = without(full("queue/v1/task-status-response.json"), "/status", "taskQueueId");
    let stub = fake.on(Queue::REFERENCE.endpoint("status"));
    let refusal = catch_unwind(AssertUnwindSafe(|| stub.reply(status))).unwrap_err();
    let message = refusal.downcast_ref::<String>().unwrap();
    assert!(message.contains("missing properties 'taskQueueId'"), "{message}");
}

#[tokio::test]
async fn an_answer_may_begin_with_a_byte_order_mark() {
    let marked = |body: &str| format!("\u{feff}{body}");
    let server = RawServer::start([
        json_answer("200 OK", &marked(&page().to_string())),
        json_answer("200 OK", &marked(&page().to_string())),
        json_answer("409 Conflict", &marked(r#"{"code": "RequestConflict", "message": "no"}"#)),
    ])
    .await
    .unwrap();
    let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
    let call = Queue::new(&client).list_task_group(TASK_ID);
    assert_eq!(call.clone().send().await.unwrap().tasks.len(), 3);
    assert_eq!(call.items().try_collect::<Vec<_>>().await.unwrap().len(), 3);
    let error = call.send().await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Some("RequestConflict"), "no"));
}
