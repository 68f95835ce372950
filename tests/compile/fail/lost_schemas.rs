// Schemas that refer to what is not there, or to each other without end.
taskcluster::taskcluster_api! {
    pub struct Lost = "api/lost.json";
}

fn main() {}
