// Every mistake is reported, with its place in the file, and the good entries are still there.
taskcluster::taskcluster_api! {
    pub struct Wrong = "api/wrong.json";
    pub struct WrongEvents = "api/wrong-events.json";
}

fn good(wrong: Wrong) {
    let _ = wrong.good();
    let _ = wrong.twice();
}

fn main() {}
