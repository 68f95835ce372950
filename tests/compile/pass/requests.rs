//! What requests have: a constructor whose arguments have the order of the file, and setters that chain.

use taskcluster::{Client, Nullable, json};

taskcluster::taskcluster_api! {
    pub struct Parcels = "api/parcels.json";
}

use parcels::{Parcel, ParcelLabel as Label, ParcelSize as Size, ParcelStep as Step};

fn main() {
    // In the order of `properties`, not of names, and not of `required`.
    let label = Label::new("to", "from");
    assert_eq!((&*label.to, &*label.from), ("to", "from"));

    // A file that is sorted throughout keeps the order of its author in `required`.
    let sorted = parcels::Sorted::new("to", "from");
    assert_eq!((&*sorted.to, &*sorted.from), ("to", "from"));

    let parcel = Parcel::new(["a"], label)
        .size(Size::Large)
        .weight(3)
        .value(7)
        .express(true)
        .content(json!({"b": [1]}))
        .sender("me")
        .sent("2026-01-02T03:04:05Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap())
        .item("b")
        .items(vec!["c".to_owned()])
        .items(["d", "e"])
        .tag("k", "v")
        .tags([("l", "w"), ("k", "x")])
        .tags(std::collections::BTreeMap::from([("m".to_owned(), "y".to_owned())]))
        .step(Step::new("pack"))
        .steps([Step::new("ship"), Step::new("hand over")])
        .sizes(["small"])
        .box_(Label::new("there", "here"))
        .hashes(["sha256"])
        // Names that the type needs itself.
        .new_("n")
        .new__("n_")
        .clone_("c")
        .validate_(true)
        .into_("i")
        .slot_(1)
        .type_("t")
        // A list beside a property that has the name of one item.
        .note("one")
        .notes(["several"]);
    parcel.validate().unwrap();
    assert_eq!(
        json!(parcel),
        json!({
            "label": {"to": "to", "from": "from"}, "items": ["a", "b", "c", "d", "e"], "size": "large",
            "weight": 3, "value": 7, "express": true, "content": {"b": [1]}, "sender": "me",
            "sent": "2026-01-02T03:04:05.000Z", "tags": {"k": "x", "l": "w", "m": "y"},
            "steps": [{"what": "pack"}, {"what": "ship"}, {"what": "hand over"}], "sizes": ["small"],
            "box": {"to": "there", "from": "here"}, "hashes": ["sha256"], "new": "n", "new_": "n_",
            "clone": "c", "validate": true, "into": "i", "slot": 1, "type": "t", "note": "one",
            "notes": ["several"],
        })
    );

    // The same by fields, where `null` can be sent, too.
    let mut other = Parcel::new([""; 0], Label::new("a", "b"));
    other.sender = Nullable::Null;
    other.notes = Some(vec!["x".to_owned()]);
    assert_eq!(other.clone().note("y").notes, Some(vec!["x".to_owned()]));
    assert_eq!(json!(other)["sender"], json!(null));

    let client = Client::builder("https://tc.example.com").validate(true).build().unwrap();
    let parcels = Parcels::new(&client);
    // What the file of patterns says, what the schemas say, and what is not known.
    parcels.send(5, "north", &parcel).url().unwrap();
    parcels.send(5_u8, "3rd", &parcel).url().unwrap_err();
    parcels.sent("ABC").url().unwrap();
    parcels.sent("abc").url().unwrap_err();
    parcels.list().limit(7).fast(true).depot("any?").url().unwrap();
    let endpoint = Parcels::REFERENCE.endpoint("send");
    assert_eq!(endpoint.patterns, [Some("^[0-9]+$"), Some("^[a-z]+$")]);
    assert_eq!(Parcels::REFERENCE.endpoint("sent").patterns, [Some("^[A-Z]+$")]);
    // Its properties have a pattern, but the file says that the argument has none.
    assert_eq!(Parcels::REFERENCE.endpoint("sender").patterns, [None]);
}
