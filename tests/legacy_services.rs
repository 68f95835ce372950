//! Programs for the services of 2017 can be tested on the embedded deployment, by the references of that time.

use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{Client, Reference, from_now_json, legacy, slugid};

struct Caller(Client);

impl Caller {
    /// Calls an endpoint that must answer as its reference says.
    async fn call(
        &self,
        reference: &'static Reference,
        name: &str,
        args: &[(&str, &str)],
        payload: Option<Value>,
    ) -> Value {
        let mut call = self.0.call(reference, name).unwrap().params(args.iter().copied());
        if let Some(payload) = payload {
            call = call.payload(payload);
        }
        call.send().await.unwrap_or_else(|error| panic!("{error}"))
    }
}

#[tokio::test]
async fn tasks_are_worked_through_as_in_2017() {
    let fake = Deployment::start().await.unwrap();
    for reference in [
        &legacy::Auth::REFERENCE,
        &legacy::Index::REFERENCE,
        &legacy::Queue::REFERENCE,
        &legacy::Secrets::REFERENCE,
    ] {
        fake.serve(reference);
    }
    let caller = Caller(fake.connect_as("tester", ["*"]).unwrap());
    let queue = &legacy::Queue::REFERENCE;
    let id = slugid::nice();
    let task = [("taskId", id.as_str())];
    let run = [("taskId", id.as_str()), ("runId", "0")];
    let in_a_day = || from_now_json("1 day").unwrap();
    let definition = json!({
        "provisionerId": "prov", "workerType": "work", "created": from_now_json("0 seconds").unwrap(), "deadline": in_a_day(),
        "payload": {}, "routes": ["index.project.x"],
        "metadata": {"name": "n", "description": "d", "owner": "o@example.com", "source": "https://example.com"},
    });
    let created = caller.call(queue, "createTask", &task, Some(definition)).await;
    assert_eq!(created["status"]["state"], "pending");
    let read = caller.call(queue, "task", &task, None).await;
    assert_eq!((&read["provisionerId"], &read["workerType"]), (&json!("prov"), &json!("work")));
    caller.call(queue, "listTaskGroup", &[("taskGroupId", &id)], None).await;
    let worker = [("provisionerId", "prov"), ("workerType", "work")];
    caller.call(queue, "pendingTasks", &worker, None).await;
    let claim = json!({"tasks": 1, "workerGroup": "g", "workerId": "w"});
    let claimed = caller.call(queue, "claimWork", &worker, Some(claim)).await;
    assert_eq!(claimed["tasks"][0]["status"]["taskId"], *id);
    caller.call(queue, "reclaimTask", &run, None).await;
    let artifact = json!({
        "storageType": "reference", "expires": in_a_day(), "contentType": "text/plain", "url": "https://example.com/x",
    });
    let name = [("taskId", id.as_str()), ("runId", "0"), ("name", "public/x")];
    caller.call(queue, "createArtifact", &name, Some(artifact)).await;
    caller.call(queue, "listArtifacts", &run, None).await;
    let completed = caller.call(queue, "reportCompleted", &run, None).await;
    assert_eq!(completed["status"]["state"], "completed");
    caller.call(queue, "status", &task, None).await;
    let index = &legacy::Index::REFERENCE;
    let found = caller.call(index, "findTask", &[("indexPath", "project.x")], None).await;
    assert_eq!(found["taskId"], *id);

    let secrets = &legacy::Secrets::REFERENCE;
    let secret = json!({"secret": {}, "expires": in_a_day()});
    caller.call(secrets, "set", &[("name", "x")], Some(secret)).await;
    caller.call(secrets, "get", &[("name", "x")], None).await;
    caller.call(secrets, "list", &[], None).await;

    let auth = &legacy::Auth::REFERENCE;
    let client = json!({"description": "d", "expires": in_a_day(), "scopes": ["a"]});
    caller.call(auth, "createClient", &[("clientId", "x")], Some(client)).await;
    caller.call(auth, "client", &[("clientId", "x")], None).await;
    caller.call(auth, "listClients", &[], None).await;
    let role = json!({"description": "d", "scopes": ["b"]});
    caller.call(auth, "createRole", &[("roleId", "x")], Some(role)).await;
    caller.call(auth, "listRoles", &[], None).await;
    caller.call(auth, "currentScopes", &[], None).await;
    fake.assert_called("queue.createTask");
}
