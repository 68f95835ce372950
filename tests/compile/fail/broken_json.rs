taskcluster::taskcluster_api! {
    pub struct Broken = "api/broken.json";
    pub struct NoReference = "api/no-reference.json";
}

fn main() {}
