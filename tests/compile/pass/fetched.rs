//! Everything that a deployment serves, as it was fetched.

taskcluster::taskcluster_api! {
    mod fetched = "fetched/";
}

fn main() {
    let client = taskcluster::Client::builder("https://tc.example.com").build().unwrap();
    let queue = fetched::Queue::new(&client);
    let built_in = taskcluster::Queue::new(&client);
    assert_eq!(queue.status("a").url().unwrap(), built_in.status("a").url().unwrap());
    for (fetched, built_in) in [
        (&fetched::Queue::REFERENCE, &taskcluster::Queue::REFERENCE),
        (&fetched::WorkerManager::REFERENCE, &taskcluster::WorkerManager::REFERENCE),
        (&fetched::GithubEvents::REFERENCE, &taskcluster::GithubEvents::REFERENCE),
    ] {
        assert_eq!(format!("{fetched:?}"), format!("{built_in:?}"));
    }
}
