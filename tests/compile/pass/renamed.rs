//! The runtime crate under another name, by paths of every kind, and without warnings.

#![deny(warnings, missing_docs, unreachable_pub)]

mod inner {
    pub(crate) extern crate taskcluster as renamed;

    pub(crate) mod absolute {
        taskcluster::taskcluster_api! {
            crate = crate::inner::renamed;
            pub(crate) struct Builds = "api/builds.json" { list_builds, new_ }
        }
    }

    pub(crate) mod relative {
        taskcluster::taskcluster_api! {
            crate = super::renamed;
            pub(crate) struct Builds = "api/builds.json" { list_builds, new_ }
            pub(crate) struct BuildEvents = "api/build-events.json";
        }
    }

    taskcluster::taskcluster_api! {
        crate = self::renamed;
        pub(crate) struct Builds = "api/builds.json" { list_builds }
    }
}

fn main() {
    let client = taskcluster::Client::builder("https://tc.example.com").build().unwrap();
    inner::absolute::Builds::new(&client).list_builds("b").url().unwrap();
    inner::relative::Builds::new(&client).list_builds("b").url().unwrap();
    inner::Builds::new(&client).list_builds("b").url().unwrap();
    inner::relative::BuildEvents::build_done().path("a").binding().unwrap();
}
