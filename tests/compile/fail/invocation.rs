taskcluster::taskcluster_api! {}

taskcluster::taskcluster_api! {
    pub struct Builds: "api/builds.json";
}

taskcluster::taskcluster_api! {
    pub struct Builds = api;
}

taskcluster::taskcluster_api! {
    pub struct Builds = "api/builds.json" { list-builds }
}

fn main() {}
