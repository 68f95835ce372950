//! The runtime crate under another name, and without warnings.

#![deny(warnings, missing_docs, unreachable_pub)]

mod inner {
    extern crate taskcluster as renamed;

    pub(crate) mod api {
        use super::renamed;

        renamed::taskcluster_api! {
            crate = super::renamed;
            pub(crate) struct Builds = "api/builds.json" { list_builds, new_ }
        }
    }

    pub(crate) use renamed::Client;
}

fn main() {
    let client = inner::Client::builder("https://tc.example.com").build().unwrap();
    inner::api::Builds::new(&client).list_builds("b").url().unwrap();
}
