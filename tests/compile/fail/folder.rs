taskcluster::taskcluster_api! {
    pub mod missing = "api/compnay/";
    pub mod none = "api/schemas/";
    pub mod clash = "api/two-of-one/";
    pub mod some = "api/company/" { Builds, BuildEvents, Builds }
    // The services without mistakes are there all the same.
    pub mod company = "api/company/";
}

fn main() {
    let client = taskcluster::Client::builder("https://tc.example.com").build().unwrap();
    let _ = company::Builds::new(&client);
    let _ = clash::Builds::new(&client);
}
