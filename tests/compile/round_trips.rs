// What the programs of every schema have in common: documents are read as the type that an entry has for them, and what is
// written is compared.

use serde::Serialize;
use serde::de::DeserializeOwned;
use taskcluster::{Client, FreeForm, IntoBinding, serde_json};

fn client() -> Client {
    Client::builder("https://tc.example.com").build().unwrap()
}

/// The plain call of one with query options.
fn into_call<T, C: std::future::IntoFuture<Output = Result<T, taskcluster::Error>>>(_: C) -> T {
    unreachable!()
}

fn typed<T>() -> T {
    unreachable!()
}

fn answer<T: DeserializeOwned + Serialize + Clone + PartialEq + std::fmt::Debug>(
    _: impl Fn() -> T,
    document: &str,
    again: &str,
) {
    check::<T>(document, again);
}

fn payload<T: DeserializeOwned + Serialize + Clone + PartialEq + std::fmt::Debug>(
    validate: impl Fn(&T) -> Result<(), taskcluster::Error>,
    document: &str,
    again: &str,
    fits: bool,
) {
    check::<T>(document, again);
    // `validate()` says of it what the schema does.
    match serde_json::from_str::<T>(document) {
        Ok(payload) => {
            let found = validate(&payload);
            assert_eq!(found.is_ok(), fits, "{document}: {found:?}");
        }
        Err(error) => assert!(!fits, "{document}: {error}"),
    }
}

fn message<B: IntoBinding>(_: B, document: &str, again: &str)
where
    B::Message: DeserializeOwned + Serialize + Clone + PartialEq + std::fmt::Debug,
{
    check::<B::Message>(document, again);
}

/// A document without the properties that its schema does not have.
fn older(mut json: serde_json::Value) -> serde_json::Value {
    if let Some(members) = json.as_object_mut() {
        members.remove("brandNew");
        members.values_mut().for_each(|value| *value = older(value.take()));
    }
    for item in json.as_array_mut().into_iter().flatten() {
        *item = older(item.take());
    }
    json
}

fn check<T: DeserializeOwned + Serialize + Clone + PartialEq + std::fmt::Debug>(
    document: &str,
    again: &str,
) {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let read: T = match serde_json::from_str(document) {
        Ok(read) => read,
        // What is also sent is read as the service would read it.
        Err(error) => {
            let error = error.to_string();
            assert!(error.contains("there is no property `brandNew`"), "{error}: {document}");
            return check::<T>(&older(json(document)).to_string(), &older(json(again)).to_string());
        }
    };
    let written = json(&serde_json::to_string(&read).unwrap());
    if written != json(again) {
        // What a schema does not mention is kept in what is sent.
        assert!(document.contains("brandNew"), "{document}");
        assert_eq!(older(written), older(json(again)), "{document}");
    }
    // From a tree, and in a copy, it is the same.
    assert_eq!(serde_json::from_value::<T>(json(document)).unwrap(), read);
    assert_eq!(read.clone(), read);
    assert!(!format!("{read:?}").is_empty());
}
