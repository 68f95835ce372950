// Files that are no schemas are reported with the places of all mistakes; the good entries are there.
taskcluster::taskcluster_api! {
    pub struct NoSchemas = "api/no-schemas.json";
}

fn good(service: NoSchemas) {
    let _ = service.good();
}

fn main() {}
