// There is one thing to say about schemas.
taskcluster::taskcluster_api! {
    #[schemas(missing = "ignored")]
    pub struct Names = "api/names.json";
}

taskcluster::taskcluster_api! {
    #[schemas(absent = "free-form")]
    pub struct Again = "api/names.json";
}

fn main() {}
