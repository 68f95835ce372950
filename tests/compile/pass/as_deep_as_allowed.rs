//! Records in records in records, as many as the compiler bears.

taskcluster::taskcluster_api! {
    pub struct Deepest = "api/deepest.json";
}

fn main() {
    let empty: deepest::Deepest = taskcluster::serde_json::from_str(r#"{"next": {"next": {}}}"#).unwrap();
    assert_eq!(empty.clone(), empty);
    assert!(empty.next.unwrap().next.unwrap().next.is_none());
}
