taskcluster::taskcluster_api! {
    pub struct Builds = "api/builds.json" { list_biulds, listBuilds, xyz, old, old }
    pub struct BuildEvents = "api/build-events.json" { build_dne }
}

fn main() {}
