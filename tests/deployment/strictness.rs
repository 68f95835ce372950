//! The embedded deployment is as strict as the references: what it refuses, for every endpoint of both generations.

use std::panic::{AssertUnwindSafe, catch_unwind};

use regex_lite::Regex;
use serde_json::{Value, json};
use taskcluster::hawk::{Signer, Target};
use taskcluster::reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use taskcluster::testing::Deployment;
use taskcluster::{Credentials, Endpoint, Method, Reference, StatusCode};
use tokio::runtime::Runtime;

use crate::deployment::TASK_ID;
use crate::references::{PREBUILT, count_endpoints, count_in_files, of_2017};
use crate::support::assert_api_error_saying;

/// Deployments with all endpoints of one generation each, and the references.
fn generations() -> [(Deployment, Vec<&'static Reference>); 2] {
    [PREBUILT.to_vec(), of_2017().collect()].map(|references| {
        let fake = Deployment::start_blocking().unwrap();
        fake.client("tester", "no-secret", ["*"]);
        for reference in &references {
            fake.serve(reference);
        }
        (fake, references)
    })
}

/// Runs the check for every endpoint of both generations that the filter lets through, and counts them.
fn for_every_endpoint(
    filter: impl Fn(&Endpoint) -> bool,
    check: impl Fn(&Deployment, &'static Reference, &'static Endpoint),
) -> [usize; 2] {
    generations().map(|(fake, references)| {
        let mut count = 0;
        for reference in references {
            for endpoint in reference.endpoints.iter().filter(|endpoint| filter(endpoint)) {
                check(&fake, reference, endpoint);
                count += 1;
            }
        }
        count
    })
}

/// The arguments of a call: texts that the service accepts.
fn args(endpoint: &Endpoint) -> Vec<(&'static str, &'static str)> {
    let fits = |pattern: &Option<&str>, text: &&&'static str| {
        pattern.is_none_or(|pattern| Regex::new(pattern).unwrap().is_match(text))
    };
    let texts = ["a", "0", "aaa", "p/w", "read-only", "client", TASK_ID];
    let args = endpoint.args.iter().zip(endpoint.patterns);
    args.map(|(arg, pattern)| (*arg, *texts.iter().find(|text| fits(pattern, text)).unwrap()))
        .collect()
}

/// The path of a call with these arguments.
fn path(reference: &Reference, endpoint: &Endpoint) -> String {
    let mut path = format!("/api/{}/{}{}", reference.service, reference.version, endpoint.route);
    for (arg, value) in args(endpoint) {
        path = path.replace(&format!("<{arg}>"), &value.replace('/', "%2F"));
    }
    path
}

/// Endpoints of the queue that look for something before they check scopes.
const LOOKED_FOR: [&str; 6] = [
    "cancelTask",
    "cancelTaskGroup",
    "latestArtifact",
    "rerunTask",
    "scheduleTask",
    "sealTaskGroup",
];

thread_local! {
    /// Made once for all requests of a test.
    static HTTP: (Runtime, reqwest::Client) = (
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        taskcluster::http_client_builder().unwrap().no_proxy().build().unwrap(),
    );
}

/// Sends a signed request by hand that is refused with status 400, and returns code and message of the error.
fn send(
    fake: &Deployment,
    method: &Method,
    resource: &str,
    body: Option<&str>,
) -> (String, String) {
    let port = fake.root_url().rsplit_once(':').unwrap().1.parse().unwrap();
    let target = Target { method: method.as_str(), resource, host: "127.0.0.1", port };
    let signer = Signer::new(&Credentials::new("tester", "no-secret"), None).unwrap();
    let header = signer.header(&target, None, chrono::Utc::now().timestamp(), "nonce");
    HTTP.with(|(runtime, http)| {
        let url = format!("{}{resource}", fake.root_url());
        let mut request = http.request(method.clone(), url).header(AUTHORIZATION, header);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        let (status, answer) = runtime.block_on(async {
            let response = request.send().await.unwrap();
            (response.status(), response.bytes().await.unwrap())
        });
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{method} {resource}: {answer}");
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        (text("code"), text("message"))
    })
}

#[test]
fn no_endpoint_takes_an_unknown_query_option() {
    let counts = for_every_endpoint(
        |_| true,
        |fake, reference, endpoint| {
            let resource = format!("{}?nonsense=1", path(reference, endpoint));
            let (code, message) = send(fake, &endpoint.method, &resource, None);
            assert_eq!(code, "InvalidRequestArguments", "{endpoint}: {message}");
            assert!(message.contains("`nonsense`"), "{endpoint}: {message}");
        },
    );
    assert_eq!(counts, [count_in_files("api"), 123]);
}

#[test]
fn every_endpoint_with_a_payload_wants_one() {
    let counts = for_every_endpoint(
        |endpoint| endpoint.input.is_some(),
        |fake, reference, endpoint| {
            let (code, message) = send(fake, &endpoint.method, &path(reference, endpoint), None);
            assert_eq!(code, "MalformedPayload", "{endpoint}: {message}");
            assert!(message.contains(endpoint.name), "{endpoint}: {message}");
        },
    );
    assert_eq!(counts, [count_endpoints(|entry| entry.get("input").is_some()), 36]);
}

#[test]
fn every_argument_is_held_against_its_pattern() {
    let counts = for_every_endpoint(
        |endpoint| endpoint.patterns.iter().any(Option::is_some),
        |fake, reference, endpoint| {
            let path = path(reference, endpoint);
            for (arg, pattern) in endpoint.args.iter().zip(endpoint.patterns) {
                if pattern.is_some() {
                    let arg_in_route = format!("<{arg}>");
                    let mut route = endpoint.route.split('/').enumerate();
                    let (place, word) =
                        route.find(|(_, word)| word.contains(&arg_in_route)).unwrap();
                    let mut words: Vec<_> = path.split('/').map(str::to_owned).collect();
                    // After `/api/<service>/<version>`.
                    words[place + 3] = word.replace(&arg_in_route, "%C3%A9");
                    let (code, message) = send(fake, &endpoint.method, &words.join("/"), None);
                    assert_eq!(code, "InvalidRequestArguments", "{endpoint}: {message}");
                    assert!(message.contains(&format!("`{arg}`")), "{endpoint}: {message}");
                }
            }
        },
    );
    assert!(counts[0] >= 100, "{counts:?}");
}

#[test]
fn every_payload_is_held_against_its_schema() {
    let counts = for_every_endpoint(
        |endpoint| endpoint.input.is_some(),
        |fake, reference, endpoint| {
            let (code, message) =
                send(fake, &endpoint.method, &path(reference, endpoint), Some("[]"));
            assert_eq!(code, "InputValidationError", "{endpoint}: {message}");
            let schema = endpoint.input.unwrap();
            let start =
                format!("the payload of {} does not fit the schema {schema}", endpoint.name);
            assert!(message.starts_with(&start), "{endpoint}: {message}");
            assert!(message.contains("- at the top level: "), "{endpoint}: {message}");
        },
    );
    assert_eq!(counts, [count_endpoints(|entry| entry.get("input").is_some()), 36]);
}

#[test]
fn every_answer_is_held_against_its_schema() {
    let counts = for_every_endpoint(
        |endpoint| endpoint.output.is_some(),
        |fake, _, endpoint| {
            let stub = AssertUnwindSafe(|| fake.on(endpoint).reply(json!(17)));
            let panic = catch_unwind(stub).unwrap_err();
            let message = panic.downcast_ref::<String>().unwrap();
            let schema = endpoint.output.unwrap();
            assert!(message.contains(&format!("does not fit the schema {schema}")), "{message}");
            assert!(message.contains("- at the top level: "), "{endpoint}: {message}");
        },
    );
    assert_eq!(counts, [count_endpoints(|entry| entry.get("output").is_some()), 89]);
}

#[test]
fn every_endpoint_with_scopes_refuses_who_has_none() {
    let counts = for_every_endpoint(
        |endpoint| endpoint.scopes.is_some() && endpoint.input.is_none(),
        |fake, reference, endpoint| {
            let client = fake.builder().unwrap().validate(false).build().unwrap();
            let mut call = client.call(reference, endpoint.name).unwrap();
            for (arg, value) in args(endpoint) {
                call = call.param(arg, value);
            }
            let error = call.send_blocking().unwrap_err();
            // What the scopes depend on is not there.
            if LOOKED_FOR.contains(&endpoint.name) {
                assert_eq!(error.status(), Some(StatusCode::NOT_FOUND), "{error}");
                return;
            }
            assert_api_error_saying(
                &error,
                StatusCode::FORBIDDEN,
                "InsufficientScopes",
                &[
                    "Client ID static/anonymous does not have sufficient scopes",
                    "missing the following scopes:\n\n```\n",
                    "to satisfy the following scope expression:\n\n```\n",
                ],
            );
        },
    );
    let is_meant = |entry: &Value| entry.get("scopes").is_some() && entry.get("input").is_none();
    assert_eq!(counts, [count_endpoints(is_meant), 31]);
}
