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
    _: impl Fn(&T),
    document: &str,
    again: &str,
) {
    check::<T>(document, again);
}

fn message<B: IntoBinding>(_: B, document: &str, again: &str)
where
    B::Message: DeserializeOwned + Serialize + Clone + PartialEq + std::fmt::Debug,
{
    check::<B::Message>(document, again);
}

fn check<T: DeserializeOwned + Serialize + Clone + PartialEq + std::fmt::Debug>(
    document: &str,
    again: &str,
) {
    let read: T = serde_json::from_str(document).unwrap_or_else(|e| panic!("{e}: {document}"));
    let written = serde_json::to_string(&read).unwrap();
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(json(&written), json(again), "{document}");
    // From a tree, and in a copy, it is the same.
    assert_eq!(serde_json::from_value::<T>(json(document)).unwrap(), read);
    assert_eq!(read.clone(), read);
    assert!(!format!("{read:?}").is_empty());
}
