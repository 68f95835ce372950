// A property that is only misspelt is not passed over: without `scopes`, anybody might call.
taskcluster::taskcluster_api! {
    pub struct Misspelt = "api/misspelt.json";
    pub struct NoVersion = "api/no-version.json"
}

fn main() {}
