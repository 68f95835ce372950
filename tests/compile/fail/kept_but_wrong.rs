// An entry that is in the list and has been left out is reported for its own mistake alone.
taskcluster::taskcluster_api! {
    pub struct Wrong = "api/wrong.json" { good, schemas, no_route, brackets }
}

fn main() {
    let client = taskcluster::Client::builder("https://tc.example.com").build().unwrap();
    let _ = Wrong::new(&client).good();
}
