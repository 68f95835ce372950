taskcluster::taskcluster_api! {
    pub struct ClashingEvents = "api/clashing-events.json";
}

fn main() {}
