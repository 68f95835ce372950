//! What differs between two sets of references, and whether that can break callers.

use taskcluster::references::{ChangeKind, Changes, Fetch, Subject};
use taskcluster::*;

use crate::support::documents::{Documents, Folder, api, deployment, lines, schema};

async fn changes_between(old: &[(&str, Value)], new: &[(&str, Value)]) -> Changes {
    let (served, folder) = (Documents::default(), Folder::new());
    let client = served.start().await;
    served.put_whole(old);
    Fetch::new(&client).write_to(&folder).await.unwrap();
    served.put_whole(new);
    Fetch::new(&client).diff(&folder).await.unwrap()
}

#[tokio::test]
async fn changes_of_entries_say_whether_they_can_break_callers() {
    let entry = json!({
        "type": "function", "name": "a", "title": "t", "description": "d", "method": "get", "route": "/a/<x>",
        "args": ["x"], "query": ["limit"], "stability": "stable", "scopes": "a:<x>",
    });
    for (key, value, expected) in [
        ("description", json!("other"), "endpoint a changed: description"),
        ("stability", json!("deprecated"), "endpoint a changed: stability"),
        ("method", json!("post"), "endpoint a changed: method (can break callers)"),
        ("route", json!("/b/<x>"), "endpoint a changed: route (can break callers)"),
        ("scopes", json!("b:<x>"), "endpoint a changed: scopes (can break callers)"),
        ("scopes", Value::Null, "endpoint a changed: scopes"),
        ("query", json!([]), "option limit of a removed (can break callers)"),
        ("query", json!(["limit", "more"]), "option more of a added"),
        ("output", json!("blob"), "endpoint a changed: output (can break callers)"),
        ("name", json!("b"), "endpoint a removed (can break callers)"),
    ] {
        let mut newer = entry.clone();
        newer[key] = value;
        let (old, new) = (api("s", json!([entry])), api("s", json!([newer])));
        let changes = changes_between(&[("references/s", old)], &[("references/s", new)]).await;
        assert_eq!(lines(&changes)[0], format!("s v1: {expected}"));
        assert_eq!(changes.can_break_callers(), expected.ends_with("(can break callers)"));
        assert_eq!(changes.len(), if key == "name" { 2 } else { 1 });
    }
    // What says the same in other words is no change.
    let (mut old, mut new) = (entry.clone(), entry.clone());
    old["method"] = json!("GET");
    for key in ["stability", "input"] {
        new.as_object_mut().unwrap().remove(key);
    }
    let (old, new) = (api("s", json!([old])), api("s", json!([new])));
    assert!(changes_between(&[("references/s", old)], &[("references/s", new)]).await.is_empty());
}

#[tokio::test]
async fn changes_of_exchanges_are_told() {
    let old = deployment();
    for (pointer, value, expected) in [
        (
            "/exchangePrefix",
            json!("exchange/x/v1/"),
            "exchange crashed changed: exchange (can break callers)",
        ),
        (
            "/entries/0/routingKey/0/required",
            json!(false),
            "exchange crashed changed: routingKey (can break callers)",
        ),
        ("/entries/0/routingKey/0/summary", json!("other"), ""),
        ("/entries/0/title", json!("other"), "exchange crashed changed: title"),
        ("/title", json!("other"), "all exchanges changed: title"),
    ] {
        let mut new = old.clone();
        *new[1].1.pointer_mut(pointer).unwrap() = value;
        let changes = changes_between(&old, &new).await;
        let expected: Vec<_> = Some(format!("cars v1: {expected}"))
            .filter(|_| !expected.is_empty())
            .into_iter()
            .collect();
        assert_eq!(lines(&changes), expected);
    }
}

#[tokio::test]
async fn changes_of_schemas_are_judged_by_who_sends_what_they_describe() {
    let documents = |sent: &Value, received: &Value| {
        let both = |name: &str, content: &Value| {
            schema(&format!("schemas/s/v1/{name}.json"), content.clone())
        };
        vec![
            (
                "references/s",
                api(
                    "s",
                    json!([{"name": "a", "input": "v1/sent.json", "output": "v1/received.json"}]),
                ),
            ),
            ("schemas/s/v1/sent.json", both("sent", sent)),
            ("schemas/s/v1/received.json", both("received", received)),
        ]
    };
    let old = json!({
        "type": "object", "description": "d",
        "properties": {"a": {"type": "string", "maxLength": 9, "enum": ["x", "y"]}, "b": {"type": "array", "items": {"type": "integer"}}},
        "required": ["a"],
    });
    // What changes, where, and whether it can break those who send it and those who receive it.
    for (pointer, value, place, sent, received) in [
        ("/description", json!("other"), "description", false, false),
        ("/properties/a/maxLength", json!(8), "a: maxLength", true, false),
        ("/properties/a/enum", json!(["x", "y", "z"]), "a: enum", false, false),
        ("/properties/a/enum", json!(["x"]), "a: enum", true, true),
        ("/properties/a/type", json!("integer"), "a: type", true, true),
        ("/properties/b/items/type", json!("string"), "b[]: type", true, true),
        ("/required", json!([]), "required", false, true),
        ("/required", json!(["a", "b"]), "required", true, false),
        ("/properties", json!({"a": old["properties"]["a"]}), "b: removed", true, true),
        (
            "/properties",
            json!({"a": old["properties"]["a"], "b": old["properties"]["b"], "c": {}}),
            "c: added",
            false,
            false,
        ),
        ("/type", json!(["object", "null"]), "type", true, true),
    ] {
        let mut new = old.clone();
        *new.pointer_mut(pointer).unwrap() = value;
        for (is_sent, can_break) in [(true, sent), (false, received)] {
            let (sent, received) = if is_sent { (&new, &old) } else { (&old, &new) };
            let changes = changes_between(&documents(&old, &old), &documents(sent, received)).await;
            let changes: Vec<_> = changes.into_iter().collect();
            let [change] = &*changes else { panic!("{changes:?}") };
            let name = if is_sent { "sent.json" } else { "received.json" };
            assert_eq!(change.subject, Subject::Schema(name.to_owned()));
            assert_eq!(change.kind, ChangeKind::Changed(vec![place.to_owned()]));
            assert_eq!(change.can_break_callers, can_break, "{pointer} {change}");
        }
    }
}

#[tokio::test]
async fn changes_are_printed_as_a_table() {
    let (old, mut new) = (deployment(), deployment());
    new[0].1["entries"][0]["query"] = json!([]);
    new[3].1["entries"][0]["title"] = json!("other\u{1b}[31m");
    new[3].1["entries"][0]["name"] = json!("bu\nild");
    let changes = changes_between(&old, &new).await;
    assert_eq!(
        changes.to_string(),
        "\
        cars v1   option limit of drive  can break callers  removed\n\
        roads v1  endpoint build         can break callers  removed\n\
        roads v1  endpoint bu\\nild                          added\n"
    );
}
