taskcluster::taskcluster_api! {
    pub struct Builds = "api/bulids.json";
}

fn main() {
    // The struct is there all the same: no second error follows.
    let client = taskcluster::Client::builder("https://tc.example.com").build().unwrap();
    let _ = Builds::new(&client);
}
