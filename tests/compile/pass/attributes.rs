//! Attributes of an item hold for all that becomes of it.

#![deny(warnings)]

use taskcluster::Client;

mod inner {
    taskcluster::taskcluster_api! {
        #[cfg(any())]
        pub struct Absent = "api/builds.json";
        /// An own description.
        #[cfg(all())]
        #[deprecated = "for a test"]
        pub struct Present = "api/builds.json";
    }
}

fn in_a_function(client: &Client) {
    taskcluster::taskcluster_api! {
        struct Local = "api/builds.json" { list_builds }
    }
    Local::new(client).list_builds("b").url().unwrap();
}

#[allow(deprecated)]
fn main() {
    let client = Client::builder("https://tc.example.com").build().unwrap();
    inner::Present::new(&client).list_builds("b").url().unwrap();
    in_a_function(&client);
}
