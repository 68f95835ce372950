//! Scopes against the values of other clients, and what calls need.

use proptest::prelude::*;
use serde_json::{Value, json};
use taskcluster::scopes::{
    Expression, Params, ScopeTemplate, covers, missing, normalize, satisfied, satisfies,
    satisfying, union,
};
use taskcluster::{Auth, Client, Queue, Secrets, scope_match};
use taskcluster_tests::TASK_ID;

use crate::support::{typed, vectors};

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn expression(value: &Value) -> Expression {
    Expression::try_from(value).unwrap()
}

#[test]
fn scope_match_is_that_of_the_python_client() {
    let vectors = vectors("scopes");
    for verdict in [true, false] {
        let cases = vectors["scope_match"][verdict.to_string()].as_array().unwrap();
        assert_eq!(cases.len(), 5);
        for case in cases {
            let held = texts(&case[0]);
            let sets: Vec<Vec<&str>> = case[1].as_array().unwrap().iter().map(texts).collect();
            let sets: Vec<&[&str]> = sets.iter().map(Vec::as_slice).collect();
            assert_eq!(scope_match(&held, &sets), verdict, "{case}");
        }
    }
    assert!(scope_match(&["a", "b"], &[&["a", "b"], &["c:*"]]));
}

#[test]
fn expressions_are_satisfied_as_by_the_scopes_library() {
    let vectors = vectors("scopes");
    for verdict in [true, false] {
        for case in vectors["satisfies_expression"][verdict.to_string()].as_array().unwrap() {
            let (held, needed) = (texts(&case[0]), expression(&case[1]));
            assert_eq!(satisfies(&held, &needed), verdict, "{case}");
            assert_eq!(missing(&held, &needed).is_none(), verdict, "{case}");
            assert_eq!(satisfying(&held, &needed).is_some(), verdict, "{case}");
            assert_eq!(satisfied(&held, &needed).is_some(), verdict, "{case}");
        }
    }
}

/// A template of the vectors as the macro would have written it.
fn template(json: &Value) -> ScopeTemplate {
    fn leak(text: &Value) -> &'static str {
        text.as_str().unwrap().to_owned().leak()
    }
    match json {
        Value::String(_) => ScopeTemplate::Scope(leak(json)),
        json if json.get("AllOf").is_some() => {
            let parts: Vec<_> = json["AllOf"].as_array().unwrap().iter().map(template).collect();
            ScopeTemplate::AllOf(parts.leak())
        }
        json => ScopeTemplate::ForEach {
            var: leak(&json["for"]),
            list: leak(&json["in"]),
            each: leak(&json["each"]),
        },
    }
}

#[test]
fn templates_expand_as_in_the_scopes_library() {
    for case in vectors("scopes")["templates"].as_array().unwrap() {
        let mut params = Params::new();
        for (name, value) in case["params"].as_object().unwrap() {
            params = match value {
                Value::Array(_) => params.list(name, texts(value)),
                value => params.value(name, value.as_str().unwrap()),
            };
        }
        let expanded = template(&case["template"]).expand(&params).unwrap();
        assert_eq!(expanded, expression(&case["expands_to"]));
    }
}

#[test]
fn conditions_choose_and_missing_parameters_are_named() {
    const TEMPLATE: ScopeTemplate = ScopeTemplate::If {
        condition: "readOnly",
        then: &ScopeTemplate::Scope("read:<x>"),
        otherwise: Some(&ScopeTemplate::Scope("write:<x>")),
    };
    let params = || Params::new().value("x", "1");
    assert_eq!(TEMPLATE.expand(&params().flag("readOnly", true)).unwrap(), "read:1".into());
    assert_eq!(TEMPLATE.expand(&params().flag("readOnly", false)).unwrap(), "write:1".into());
    assert_eq!(TEMPLATE.expand(&params()).unwrap_err().name, "readOnly");
    assert_eq!(TEMPLATE.expand(&Params::new().flag("readOnly", true)).unwrap_err().name, "x");
}

#[test]
fn what_is_missing_leaves_out_what_is_there() {
    let needed = expression(&json!({"AllOf": ["a", {"AnyOf": ["b", "c"]}, {"AllOf": ["d", "e"]}]}));
    assert_eq!(missing(&["*"], &needed), None);
    assert_eq!(missing(&["a", "d"], &needed).unwrap().to_string(), "all of (any of (b, c), e)");
    assert_eq!(missing(&["a", "c", "d"], &needed), Some("e".into()));
    assert_eq!(satisfying(&["a", "x", "c", "d", "e*"], &needed).unwrap(), ["a", "c", "d", "e*"]);
}

#[test]
fn what_was_asked_for_and_what_is_held_are_named_apart() {
    let needed = expression(&json!({"AllOf": [
        "a:1", "a:2", {"AnyOf": ["b", "a:1", {"AllOf": ["a:3", "c"]}, "d"]},
    ]}));
    let held = ["a:*", "d", "e"];
    assert_eq!(satisfied(&held, &needed).unwrap(), ["a:1", "a:2", "d"]);
    assert_eq!(satisfying(&held, &needed).unwrap(), ["a:*", "d"]);
    assert_eq!(satisfied(&["a:1"], &needed), None);
    assert_eq!(satisfied(&["a"], &Expression::AllOf(Vec::new())).unwrap(), [""; 0]);
}

#[test]
fn a_token_for_repositories_needs_a_scope_for_each_permission() {
    let client = Client::builder("https://tc.example.com").build().unwrap();
    let wanted = json!({
        "repositories": ["Fenix", "focus"], "permissions": {"contents": "write", "issues": "read"},
    });
    let call = Auth::new(&client).github_repo_token("ci", "Mozilla", &typed(&wanted));
    assert_eq!(
        call.required_scopes().unwrap(),
        expression(&json!({"AllOf": [
            "auth:github-repo-token:ci/mozilla/fenix:contents:write",
            "auth:github-repo-token:ci/mozilla/focus:contents:write",
            "auth:github-repo-token:ci/mozilla/fenix:issues:read",
            "auth:github-repo-token:ci/mozilla/focus:issues:read",
        ]}))
    );
}

#[test]
fn expressions_of_another_shape_are_refused() {
    for odd in [
        json!(1),
        json!({}),
        json!({"AllOf": "a"}),
        json!({"allOf": []}),
        json!({"AllOf": [], "AnyOf": []}),
    ] {
        assert!(Expression::try_from(&odd).is_err(), "{odd}");
    }
}

#[test]
fn a_call_tells_what_it_needs() {
    let client = Client::builder("https://tc.example.com").build().unwrap();
    let queue = Queue::new(&client);
    let needed = Secrets::new(&client).get("a/b").required_scopes().unwrap();
    assert_eq!(needed, "secrets:get:a/b".into());
    let needed = Auth::new(&client).sentry_dsn("p").required_scopes().unwrap();
    assert_eq!(needed, "auth:sentry:p".into());
    assert_eq!(queue.ping().required_scopes().unwrap(), Expression::AllOf(Vec::new()));

    let needed = queue.get_latest_artifact(TASK_ID, "private/x").required_scopes().unwrap();
    assert_eq!(needed, Expression::AllOf(vec!["queue:get-artifact:private/x".into()]));

    let wanted = json!({"taskIds": ["A", "B"]});
    let needed = queue.tasks(&typed(&wanted)).limit(1).required_scopes().unwrap();
    assert_eq!(needed, expression(&json!({"AllOf": ["queue:get-task:A", "queue:get-task:B"]})));

    let task = json!({
        "created": "2026-01-01T00:00:00Z", "deadline": "2026-01-02T00:00:00Z", "payload": {},
        "metadata": {"name": "n", "description": "d", "owner": "o@x.y", "source": "https://x.y"},
        "provisionerId": "p", "workerType": "w", "priority": "very-high",
        "scopes": ["s:1"], "routes": ["r:1", "r:2"], "schedulerId": "me",
    });
    let needed = queue.create_task(TASK_ID, &typed(&task)).required_scopes().unwrap();
    assert_eq!(
        needed,
        expression(&json!({"AllOf": [
            "s:1", "queue:route:r:1", "queue:route:r:2", "queue:create-task:project:none",
            "queue:scheduler-id:me",
            {"AnyOf": ["queue:create-task:highest:p/w", "queue:create-task:very-high:p/w"]},
        ]}))
    );

    let s3 = Auth::new(&client).aws_s3_credentials("read-only", "bucket", "p");
    let needed = s3.required_scopes().unwrap();
    assert_eq!(
        needed.to_string(),
        "any of (auth:aws-s3:read-only:bucket/p, auth:aws-s3:read-write:bucket/p)"
    );

    let error = queue.cancel_task(TASK_ID).required_scopes().unwrap_err();
    assert!(error.message().contains("`schedulerId`, which is not known"), "{error}");
    assert!(queue.status("..").required_scopes().is_err());
}

proptest! {
    #[test]
    fn a_normalized_set_is_worth_the_same(
        scopes in proptest::collection::vec("[ab:]{0,4}\\*?", 0..8),
        other in proptest::collection::vec("[ab:]{0,4}\\*?", 0..8),
        asked in "[ab:]{0,5}",
    ) {
        let covered = |held: &[String]| held.iter().any(|held| covers(held, &asked));
        let short = normalize(scopes.clone());
        prop_assert_eq!(covered(&scopes), covered(&short));
        prop_assert!(short.is_sorted());
        for (i, one) in short.iter().enumerate() {
            for (j, two) in short.iter().enumerate() {
                prop_assert!(i == j || !covers(one, two), "{} covers {}", one, two);
            }
        }
        prop_assert_eq!(normalize(short.clone()), short);
        let both = union(&scopes, &other);
        prop_assert_eq!(covered(&both), covered(&scopes) || covered(&other));
    }
}
