//! URLs, routing keys and slug ids against values of other clients.

use serde_json::Value;
use taskcluster::{
    Auth, AuthEvents, Client, ErrorKind, Object, Queue, QueueEvents, RoutingKeys, Secrets, Service,
    slugid, urls,
};

use crate::support::vectors;

/// A reference as the services of 2017 served it.
mod of_2017 {
    taskcluster::taskcluster_api! {
        pub struct Queue = "../references/2017/queue.json";
    }
}

fn values() -> Value {
    vectors("urls_and_keys")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn every_form_of_a_root_url_means_the_same() {
    let values = values();
    for root in values["root_url_forms"].as_array().unwrap() {
        let root = text(root);
        let api = &values["api"];
        for path in api["paths"].as_array().unwrap() {
            let url = urls::api(root, text(&api["service"]), text(&api["version"]), text(path));
            assert_eq!(url, text(&api["url"]));
        }
        let client = Client::builder(root).build().unwrap();
        assert_eq!(Auth::new(&client).ping().url().unwrap().as_str(), text(&api["url"]));
        let references = &values["references"];
        assert_eq!(urls::api_reference(root, "auth", "v1"), text(&references["api"]));
        assert_eq!(urls::exchange_reference(root, "auth", "v1"), text(&references["exchanges"]));
        assert_eq!(urls::reference_manifest(root), text(&references["manifest"]));
        let schema = &values["schema"];
        assert_eq!(
            urls::schema(root, text(&schema["service"]), text(&schema["path"])),
            text(&schema["url"])
        );
    }
}

#[test]
fn the_path_of_a_root_url_is_kept() {
    let case = &values()["root_url_with_a_path"];
    for slashes in ["", "/", "///"] {
        let client = Client::builder(format!("{}{slashes}", text(&case["root"]))).build().unwrap();
        assert_eq!(Queue::new(&client).ping().url().unwrap().as_str(), text(&case["url"]));
    }
}

#[test]
fn path_arguments_are_escaped_as_every_client_does() {
    let secrets = Secrets::new(&Client::builder("https://tc.example.com").build().unwrap());
    let values = values();
    let cases = values["path_arguments"].as_object().unwrap();
    assert_eq!(cases.len(), 7);
    for (argument, escaped) in cases {
        let url = secrets.get(argument).url().unwrap();
        let expected = format!("https://tc.example.com/api/secrets/v1/secret/{}", text(escaped));
        assert_eq!(url.as_str(), expected);
    }
}

#[test]
fn path_arguments_that_would_change_the_path_are_refused() {
    let queue = Queue::new(&Client::builder("https://tc.example.com").build().unwrap());
    for argument in values()["rejected_path_arguments"].as_array().unwrap() {
        let error = queue.status(text(argument)).url().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.message().starts_with("argument `taskId` of status is "), "{error}");
    }
}

#[test]
fn references_of_2017_have_hosts_of_their_own() {
    for root in ["https://taskcluster.net", "https://TaskCluster.net:443//"] {
        let client = Client::builder(root).build().unwrap();
        let url = of_2017::Queue::new(&client).status("JzTGxwxhQ76_Tt1dxkaG5g").url().unwrap();
        assert_eq!(url.as_str(), text(&values()["legacy_urls"]["queue.status"]));
        // Services that are newer, too.
        let url = Object::new(&client).ping().url().unwrap();
        assert_eq!(url.as_str(), "https://object.taskcluster.net/v1/ping");
    }
    // Elsewhere they live where all services do.
    let client = Client::builder("https://tc.example.com").build().unwrap();
    let url = of_2017::Queue::new(&client).status("JzTGxwxhQ76_Tt1dxkaG5g").url().unwrap();
    assert_eq!(url.path(), "/api/queue/v1/task/JzTGxwxhQ76_Tt1dxkaG5g/status");
}

#[test]
fn a_root_url_may_have_a_path() {
    for (root, base) in [
        ("https://tc.example.com/a%2Fb//", "https://tc.example.com/a%2Fb/api/object/v1"),
        ("http://[::1]:80/", "http://[::1]/api/object/v1"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x/api/object/v1"),
    ] {
        let client = Client::builder(root).build().unwrap();
        assert_eq!(Service::new(&client, &Object::REFERENCE).base_url().as_str(), base);
        assert_eq!(Object::new(&client).ping().url().unwrap().as_str(), format!("{base}/ping"));
    }
}

#[test]
fn routing_key_patterns_are_those_of_other_clients() {
    for case in values()["routing_key_patterns"].as_array().unwrap() {
        let given = |name: &str| case["given"][name].as_str();
        let keys: RoutingKeys = match text(&case["exchange"]) {
            "queueEvents.taskCompleted" => {
                (*QueueEvents::task_completed().task_id(given("taskId").unwrap())).clone()
            }
            "queueEvents.taskDefined" => (*QueueEvents::task_defined()
                .provisioner_id(given("provisionerId").unwrap())
                .worker_type(given("workerType").unwrap()))
            .clone(),
            "authEvents.clientCreated" => (*AuthEvents::client_created()).clone(),
            other => panic!("{other} is new"),
        };
        assert_eq!(keys.binding().unwrap().routing_key_pattern, text(&case["pattern"]));
    }
}

#[test]
fn slug_ids_are_uuids() {
    let values = values();
    let case = &values["slugid"];
    let digits = text(&case["uuid"]).replace(['{', '-', '}'], "");
    let uuid = u128::from_str_radix(&digits, 16).unwrap().to_be_bytes();
    assert_eq!(slugid::encode(uuid), text(&case["slug"]));
    assert_eq!(slugid::decode(text(&case["slug"])).unwrap(), uuid);
    for bad in [
        "",
        "short",
        "gE8_yN_LSwaJ-6761eGHVA=",
        "gE8/yN/LSwaJ+6761eGHVA",
        "gE8_yN_LSwaJ-6761eGHVAA",
    ] {
        assert!(slugid::decode(bad).unwrap_err().message().contains("slug id"));
    }
}

#[test]
fn nice_slug_ids_look_like_the_vectors_pattern() {
    // `^[A-Za-f][A-Za-z0-9_-]{7}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$`, class by class.
    assert_eq!(
        text(&values()["slugid"]["nice"]),
        "^[A-Za-f][A-Za-z0-9_-]{7}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$"
    );
    for _ in 0..1000 {
        let slug = slugid::nice();
        let bytes = slug.as_bytes();
        assert_eq!(bytes.len(), 22);
        assert!(matches!(bytes[0], b'A'..=b'Z' | b'a'..=b'f'), "{slug}");
        assert!(matches!(bytes[8], b'Q'..=b'T'), "{slug}");
        assert!(b"CGKOSWaeimquy26-".contains(&bytes[10]), "{slug}");
        assert!(b"AQgw".contains(&bytes[21]), "{slug}");
        assert!(slug.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
    }
}
