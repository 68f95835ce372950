//! Everything that a deployment serves, as it was fetched.

taskcluster::taskcluster_api! {
    mod fetched = "fetched/";
}

fn main() {
    let client = taskcluster::Client::builder("https://tc.example.com").build().unwrap();
    let queue = fetched::Queue::new(&client);
    let built_in = taskcluster::Queue::new(&client);
    let id = "fN1SbArXTPSVFNUvaOlinQ";
    assert_eq!(queue.status(id).url().unwrap(), built_in.status(id).url().unwrap());
    for (fetched, built_in) in [
        (&fetched::Queue::REFERENCE, &taskcluster::Queue::REFERENCE),
        (&fetched::WorkerManager::REFERENCE, &taskcluster::WorkerManager::REFERENCE),
        (&fetched::GithubEvents::REFERENCE, &taskcluster::GithubEvents::REFERENCE),
    ] {
        assert_eq!(facts(fetched), facts(built_in));
    }
    // So are the patterns, which deployments do not serve: a run is an integer, and a task has a slug id.
    let error = queue.get_artifact("T", 0, "public/log").url().unwrap_err();
    assert!(error.message().contains("taskId"), "{error}");
}

fn facts(reference: &taskcluster::Reference) -> String {
    let endpoints = reference.endpoints.iter().map(|endpoint| {
        let taskcluster::Endpoint {
            name, title, method, route, args, query, secrets, input, output, scopes, stability, paging,
            patterns, query_patterns, ..
        } = endpoint;
        format!(
            "{name} {title} {method} {route} {args:?} {query:?} {secrets:?} {input:?} {output:?} \
             {scopes:?} {stability:?} {paging:?} {patterns:?} {query_patterns:?}"
        )
    });
    format!("{:?} {:?}", endpoints.collect::<Vec<_>>(), reference.exchanges)
}
