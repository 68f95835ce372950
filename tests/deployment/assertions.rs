//! Assertions on what was called: they pass when they should, and say what was different.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde_json::{Value, json};
use taskcluster::testing::{Deployment, ExpectedCall, Fault, called};
use taskcluster::{Auth, Retry, Secrets, StatusCode};

/// A deployment whose client has set two secrets, has asked for one that is not there, and has listed clients.
fn after_some_calls() -> Deployment {
    let fake = Deployment::start_blocking().unwrap();
    let client = fake.connect_as("tester", ["secrets:*", "auth:list-clients"]).unwrap();
    for (name, password) in [("a", "x"), ("b", "y")] {
        let secret = json!({"secret": {"user": "me", "password": password}, "expires": "2100-01-01T00:00:00.000Z"});
        let call = client.call(&Secrets::REFERENCE, "set").unwrap();
        call.param("name", name).payload(secret).send_blocking().unwrap();
    }
    Secrets::new(&client).get("c").send_blocking().unwrap_err();
    Auth::new(&client).list_clients().prefix("t").limit(3).send_as_blocking::<Value>().unwrap();
    fake
}

fn set(name: &str, password: &str) -> ExpectedCall {
    called("secrets.set").arg("name", name).payload(json!({"secret": {"password": password}}))
}

/// What an assertion says when it fails.
fn failure(assert: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assert)).expect_err("the assertion has passed");
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn what_was_called_is_what_was_expected() {
    let fake = after_some_calls();
    fake.assert_calls(["secrets.set", "secrets.set", "secrets.get", "auth.listClients"]);
    fake.assert_calls([
        set("a", "x").by("tester").status(StatusCode::OK),
        set("b", "y"),
        called("secrets.get").arg("name", "c").status(StatusCode::NOT_FOUND),
        called("auth.listClients").query("prefix", "t").query("limit", 3),
    ]);
    fake.assert_called("auth.listClients");
    fake.assert_called(set("b", "y"));
    fake.clear_calls();
    fake.assert_calls::<&str>([]);
}

#[test]
fn a_difference_is_shown_line_by_line() {
    let fake = after_some_calls();
    let message = failure(|| {
        fake.assert_calls([
            set("a", "x"),
            set("b", "z").by("somebody"),
            called("secrets.get").status(StatusCode::OK),
            called("auth.listClients").query("continuationToken", "x").query("limit", 3),
        ]);
    });
    let expected = r#"the calls differ from those expected (- expected, + called):

  secrets.set
    name: "a"
    payload: {
      "secret": {
        "password": "x"
      }
    }
  secrets.set
    name: "b"
-   by: somebody
+   by: tester
    payload: {
      "secret": {
-       "password": "z"
+       "password": "y"
      }
    }
  secrets.get
-   status: 200 OK
+   status: 404 Not Found
  auth.listClients
-   ?continuationToken: "x"
    ?limit: "3"
"#;
    assert_eq!(message, expected);
}

#[test]
fn calls_that_are_missing_or_too_many_are_shown_where_they_belong() {
    let fake = after_some_calls();
    let message = failure(|| {
        fake.assert_calls([
            set("b", "y"),
            called("secrets.remove").arg("name", "c"),
            "secrets.get".into(),
            "auth.listClients".into(),
            "auth.ping".into(),
        ]);
    });
    let lines: Vec<_> = message.lines().skip(2).collect();
    let expected = [
        r#"+ secrets.set name="a" by tester: 200"#,
        "  secrets.set",
        r#"    name: "b""#,
        "    payload: {",
        r#"      "secret": {"#,
        r#"        "password": "y""#,
        "      }",
        "    }",
        "- secrets.remove",
        r#"-   name: "c""#,
        "  secrets.get",
        "  auth.listClients",
        "- auth.ping",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn calls_in_another_order_are_a_difference() {
    let fake = after_some_calls();
    let message = failure(|| fake.assert_calls([set("b", "y"), set("a", "x")]));
    assert!(message.contains("+ secrets.set name=\"b\" by tester: 200\n"), "{message}");
    let message = failure(|| fake.assert_calls::<&str>([]));
    assert_eq!(message.matches("\n+ ").count(), 4, "{message}");
}

#[test]
fn a_call_that_was_not_made_is_told_with_those_that_were() {
    let fake = after_some_calls();
    let message = failure(|| fake.assert_called("auth.ping"));
    assert!(message.starts_with("auth.ping was not called; these were:\n"), "{message}");
    assert!(message.contains(r#"secrets.get name="c" by tester: 404 ResourceNotFound: "#));

    let message = failure(|| fake.assert_called(set("b", "x")));
    let expected = r#"secrets.set was called differently (- expected, + called):

  secrets.set
-   name: "b"
+   name: "a"
    payload: {
      "secret": {
        "password": "x"
      }
    }

  secrets.set
    name: "b"
    payload: {
      "secret": {
-       "password": "x"
+       "password": "y"
      }
    }
"#;
    assert_eq!(message, expected);
}

#[test]
fn names_that_no_call_can_have_are_mistakes() {
    let fake = after_some_calls();
    let mistakes = [
        (called("secrets.gett"), "did you mean `get`?"),
        (called("secret.get"), "there is no such service"),
        (called("get"), "not of the form"),
        (called("secrets.get").arg("nam", "a"), "has no argument `nam`"),
        (called("secrets.list").query("limits", "a"), "has no query option `limits`"),
    ];
    for (expected, message) in mistakes {
        let panic = failure(|| fake.assert_called(expected.clone()));
        assert!(panic.contains(message), "{panic}");
        let panic = failure(|| fake.assert_calls([expected.clone()]));
        assert!(panic.contains(message), "{panic}");
        let error = fake.wait_for_calls_blocking(expected, 1).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn calls_that_are_yet_to_come_are_waited_for() {
    let fake = after_some_calls();
    let read = fake.wait_for_calls_blocking("secrets.get", 1).unwrap();
    assert_eq!((read.len(), read[0].status), (1, Some(StatusCode::NOT_FOUND)));

    let ping = Auth::REFERENCE.endpoint("ping");
    fake.on(ping).fault(Fault::Stall(0));
    let auth = Auth::new(&fake.builder().unwrap().retry(Retry::never()).build().unwrap());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| auth.ping().timeout(Duration::from_secs(1)).send_blocking());
        }
        // They have arrived before they are answered.
        assert!(fake.wait_for_calls_blocking("auth.ping", 3).unwrap().len() == 3);
    });
    fake.clear_calls();
    fake.clear_stubs();
    let answered = called("auth.ping").status(StatusCode::OK);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| fake.wait_for_calls_blocking(answered, 2).unwrap());
        for _ in 0..2 {
            auth.ping().send_blocking().unwrap();
        }
        assert_eq!(waiting.join().unwrap().len(), 2);
    });
}

#[test]
fn calls_that_do_not_come_are_not_waited_for_without_end() {
    let fake = after_some_calls();
    // Its clock runs ahead when there is nothing else to do.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let missing = |expected: ExpectedCall, count| {
        let error = runtime.block_on(fake.wait_for_calls(expected, count)).unwrap_err();
        error.message().to_owned()
    };
    let message = missing("secrets.set".into(), 3);
    assert_eq!(message, "within 30s, 2 of 3 calls of secrets.set were as expected");
    let message = missing(set("a", "z"), 1);
    assert!(message.contains("0 of 1 calls of secrets.set were as expected"), "{message}");
    assert!(message.contains("-       \"password\": \"z\""), "{message}");
    let message = missing("auth.ping".into(), 1);
    assert!(message.contains("auth.ping was not called; these were:"), "{message}");
}
