//! Every endpoint of both generations: the request that leaves the client is the one that the reference describes.

use serde_json::{Value, json};
use taskcluster::hawk::verify::{Bewit, Header, without_bewit};
use taskcluster::hawk::{Target, payload_hash};
use taskcluster::{Client, Credentials, Endpoint, Method, Reference};
use taskcluster_tests::{RawServer, TASK_ID, json};

use crate::references::{PREBUILT, count_in_files, of_2017};

/// What an argument may hold, and how it stands in a path or query.
const AWKWARD: [(&str, &str); 4] =
    [("a/b c", "a%2Fb%20c"), ("ü&=?#", "%C3%BC%26%3D%3F%23"), ("100%", "100%25"), ("..x", "..x")];

/// A value for an argument or query option. Slug ids and integers are checked by every client, so they are plain.
fn value(pattern: Option<&str>, i: usize) -> (&'static str, &'static str) {
    match pattern {
        Some(pattern) if pattern.contains("[Q-T]") => (TASK_ID, TASK_ID),
        Some("^[0-9]+$" | "^[1-9]*[0-9]+$") => ("0", "0"),
        _ => AWKWARD[i % AWKWARD.len()],
    }
}

/// Path and query as the reference has them, put together without the client's code.
fn expected(base: &str, endpoint: &Endpoint) -> String {
    let mut path = endpoint.route.to_owned();
    for (i, arg) in endpoint.args.iter().enumerate() {
        path = path.replace(&format!("<{arg}>"), value(endpoint.patterns[i], i).1);
    }
    let query: Vec<_> = endpoint
        .query
        .iter()
        .enumerate()
        .map(|(i, name)| format!("{name}={}", value(endpoint.query_patterns[i], i + 1).1))
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{base}{path}{mark}{}", query.join("&"))
}

async fn check(reference: &'static Reference, endpoint: &'static Endpoint) {
    let server = RawServer::start([json("200 OK", "{}")]).await.unwrap();
    let client = Client::builder(&server.url)
        .credentials(Credentials::new("tester", "no-secret"))
        .validate(false)
        .build()
        .unwrap();
    let mut call = client.call(reference, endpoint.name).unwrap();
    for (i, name) in endpoint.args.iter().enumerate() {
        call = call.param(name, value(endpoint.patterns[i], i).0);
    }
    for (i, name) in endpoint.query.iter().enumerate() {
        call = call.query(name, value(endpoint.query_patterns[i], i + 1).0);
    }
    let payload = json!({"name": endpoint.name, "text": "ü \" \n"});
    if endpoint.input.is_some() {
        call = call.payload(&payload);
    }
    let expected = expected(&format!("/api/{}/{}", reference.service, reference.version), endpoint);
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let (host, port) = address.rsplit_once(':').unwrap();
    let target = |method, resource| Target { method, resource, host, port: port.parse().unwrap() };

    // A signed URL exists for every GET endpoint and for no other.
    match call.clone().signed_url(std::time::Duration::from_secs(900)) {
        Ok(url) => {
            assert_eq!(endpoint.method, Method::GET, "{endpoint}");
            let url = url.to_string();
            let (resource, bewit) = without_bewit(url.strip_prefix(&server.url).unwrap());
            assert_eq!(resource, expected, "{endpoint}");
            Bewit::parse(bewit.unwrap())
                .unwrap()
                .verify(&target("GET", &expected), "no-secret", 0)
                .unwrap();
        }
        Err(error) => {
            assert!(
                endpoint.method != Method::GET && error.message().contains("only GET"),
                "{error}"
            );
        }
    }

    call.send().await.unwrap();
    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap();
    assert_eq!(line, format!("{} {expected} HTTP/1.1", endpoint.method));
    let header = |name: &str| {
        let found = head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        found.map(str::to_owned)
    };
    let authorization = header("authorization").unwrap();
    let signature = Header::parse(&authorization).unwrap();
    signature
        .verify(&target(endpoint.method.as_str(), &expected), "no-secret", signature.time)
        .unwrap();
    let length = header("content-length").map(|length| length.parse::<usize>().unwrap());
    if endpoint.input.is_some() {
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), payload, "{endpoint}");
        assert_eq!(header("content-type").as_deref(), Some("application/json"));
        assert_eq!(length, Some(body.len()));
        assert_eq!(signature.hash.unwrap(), payload_hash("application/json", body.as_bytes()));
    } else {
        assert_eq!((body, header("content-type"), signature.hash), ("", None, None), "{endpoint}");
        let has_length = matches!(endpoint.method, Method::POST | Method::PUT);
        assert_eq!(length, has_length.then_some(0), "{endpoint}");
    }
}

async fn check_all(references: impl Iterator<Item = &'static Reference>) -> usize {
    let mut count = 0;
    for reference in references {
        for endpoint in reference.endpoints {
            check(reference, endpoint).await;
            count += 1;
        }
    }
    count
}

#[tokio::test]
async fn of_the_current_generation() {
    assert_eq!(check_all(PREBUILT.iter().copied()).await, count_in_files("api"));
}

#[tokio::test]
async fn of_the_generation_of_2017() {
    assert_eq!(check_all(of_2017()).await, 123);
}
