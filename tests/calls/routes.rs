//! Routes with all that a path may have, and arguments and options of any name: what is called is what the deployment finds,
//! by typed calls and by name.

use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{NamedCall, StatusCode, taskcluster_api};

taskcluster_api! {
    struct Routes = "compile/api/routes.json";
}

/// A deployment that has the service and answers all of its endpoints.
async fn deployment() -> Deployment {
    let fake = Deployment::start().await.unwrap();
    fake.serve(&Routes::REFERENCE);
    for endpoint in Routes::REFERENCE.endpoints {
        fake.on(endpoint).reply(json!({}));
    }
    fake
}

#[tokio::test]
async fn what_is_called_is_what_the_deployment_finds() {
    let fake = deployment().await;
    // The scopes are those of the arguments as the deployment reads them.
    let scopes = ["routes:worker:p/g/w", "routes:all:me", "routes:archive:o:p/my.git/1.0;v=2"];
    let client = fake.connect_as("tester", scopes).unwrap();
    let routes = Routes::new(&client);
    let by_name = |name: &str| -> NamedCall { client.call(&Routes::REFERENCE, name).unwrap() };

    let worker = routes.worker("p/g", "w");
    assert_eq!(worker.url().unwrap().path(), "/api/routes/v1/workers/p%2Fg:/w");
    assert_eq!(worker.required_scopes().unwrap().to_string(), "routes:worker:p/g/w");
    worker.send().await.unwrap();
    by_name("worker").param("workerPoolId", "p/g").param("workerGroup", "w").send().await.unwrap();

    let all = routes.all("me").filter("a").filter_state(1).filter_state_(2).n1st("x y");
    let url = all.url().unwrap();
    assert_eq!(url.path(), "/api/routes/v1/:@!$&'()*+,;=-._~/%20%c3%BC/me");
    assert_eq!(url.query(), Some("%24filter=a&filter%5Bstate%5D=1&filter.state=2&1st=x%20y"));
    all.await.unwrap();
    by_name("all").param("user.name", "me").query("filter[state]", 1).send().await.unwrap();

    let archive = routes.archive("o:p", "my.git", "1.0;v=2");
    assert_eq!(archive.url().unwrap().path(), "/api/routes/v1/@o%3Ap:my.git.git;v=1.0%3Bv%3D2");
    assert_eq!(archive.required_scopes().unwrap().to_string(), "routes:archive:o:p/my.git/1.0;v=2");

    let calls = fake.calls();
    let seen: Vec<_> = calls.iter().map(|call| (call.endpoint.name, call.status)).collect();
    assert_eq!(seen, ["worker", "worker", "all", "all"].map(|name| (name, Some(StatusCode::OK))));
    assert_eq!(calls[0].args["workerPoolId"], "p/g");
    assert_eq!(calls[2].args["user.name"], "me");
}

#[tokio::test]
async fn a_mistake_by_name_has_the_nearest_one() {
    let fake = deployment().await;
    let client = fake.anonymous().unwrap();
    let call = client.call(&Routes::REFERENCE, "all").unwrap().param("username", "me");
    let error = call.send().await.map(|_: Value| ()).unwrap_err();
    assert_eq!(error.message(), "all has no argument `username`; did you mean `user.name`?");
}
