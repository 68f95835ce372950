// Records in records in records, more than the compiler's stack could hold.

taskcluster::taskcluster_api! {
    pub struct Deep = "api/deep.json";
}

fn main() {}
