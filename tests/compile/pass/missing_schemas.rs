//! A reference whose schemas are not to be had.

use taskcluster::{Call, Client, FreeForm, IntoBinding, json};

taskcluster::taskcluster_api! {
    #[schemas(missing = "free-form")]
    pub struct Wanting = "api/wanting.json";
    /// All of a folder.
    #[schemas(missing = "free-form")]
    pub mod folder = "api/wanting/";
}

/// A message of a type.
fn message<T: IntoBinding<Message = FreeForm>>(_: T) {}

fn main() {
    let service = Wanting::new(&Client::builder("https://tc.example.com").build().unwrap());
    let call: Call<FreeForm> = service.put(json!({"any": "thing"}));
    assert_eq!(call.url().unwrap().path(), "/api/wanting/v1/put");
    // What is there is typed, and what it lacks is not.
    let there: wanting::There = taskcluster::serde_json::from_str(r#"{"a": "b", "gone": [1]}"#).unwrap();
    assert_eq!(there.a.unwrap(), "b");
    let _: Option<FreeForm> = there.gone;
    message(folder::WantingEvents::done());
}
