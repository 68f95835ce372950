// Items that want one module are the macro's error, and the first of them is there.
taskcluster::taskcluster_api! {
    pub struct Names = "api/names.json";
    pub struct NAMES = "api/names.json";
    pub struct OddNames = "api/routes.json";
    pub struct Odd_Names = "api/routes.json";
    pub struct OddNames = "api/names.json";
    pub mod odd_names = "api/company/";
}

fn good(names: Names, odd: OddNames) {
    let _ = (names.box_(), odd.worker("a", "b"));
}

fn main() {}
