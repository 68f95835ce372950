//! Signatures against the reference implementation's, and against our own verification.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::Value;
use taskcluster::hawk::verify::{Bewit, Header, Refusal, without_bewit};
use taskcluster::hawk::{Signer, Target, payload_hash};
use taskcluster::{Credentials, Url};

use crate::support::vectors;

fn credentials() -> Credentials {
    Credentials::new("tester", "no-secret")
}

fn target<'a>(method: &'a str, url: &'a Url, resource: &'a str) -> Target<'a> {
    let port = url.port_or_known_default().unwrap();
    Target { method, resource, host: url.host_str().unwrap(), port }
}

fn resource(url: &Url) -> String {
    url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// The certificate part of an `ext`, as the vectors have it: base64 of JSON.
fn signer_with_ext(ext: &Value) -> Signer {
    let known = vectors("hawk")["ext"].as_array().unwrap().clone();
    let scopes =
        known.iter().find(|entry| entry["ext"] == *ext).unwrap()["authorizedScopes"].clone();
    let scopes: Vec<String> = serde_json::from_value(scopes).unwrap();
    Signer::new(&credentials(), Some(&scopes)).unwrap()
}

#[test]
fn headers_have_the_macs_of_the_reference_implementation() {
    let headers = vectors("hawk")["headers"].as_array().unwrap().clone();
    assert_eq!(headers.len(), 5);
    for case in headers {
        let url = Url::parse(case["url"].as_str().unwrap()).unwrap();
        let resource = resource(&url);
        let target = target(case["method"].as_str().unwrap(), &url, &resource);
        let hash = case["body"].as_str().map(|body| {
            let hash = payload_hash(case["content_type"].as_str().unwrap(), body.as_bytes());
            assert_eq!(hash, case["hash"]);
            hash
        });
        let signer = match &case["ext"] {
            Value::Null => Signer::new(&credentials(), None).unwrap(),
            ext => signer_with_ext(ext),
        };
        let header = signer.header(&target, hash.as_deref(), 1_500_000_000, "abcdef");
        let start = "Hawk id=\"tester\", ts=\"1500000000\", nonce=\"abcdef\"";
        let end = format!(", mac=\"{}\"", case["mac"].as_str().unwrap());
        assert!(header.starts_with(start) && header.ends_with(&end), "{case}: {header}");
        if let Some(ext) = case["ext"].as_str() {
            assert!(header.contains(&format!(", ext=\"{ext}\"")), "{header}");
        }
        // The other side agrees with the reference implementation too, not only with our signer.
        let parsed = Header::parse(&header).unwrap();
        parsed.verify(&target, "no-secret", 1_500_000_000).unwrap();
        if let Some(body) = case["body"].as_str() {
            parsed.verify_payload("application/json; charset=utf-8", body.as_bytes()).unwrap();
        }
    }
}

#[test]
fn ext_is_standard_base64_of_json() {
    for case in vectors("hawk")["ext"].as_array().unwrap() {
        let scopes: Vec<String> = serde_json::from_value(case["authorizedScopes"].clone()).unwrap();
        let signer = Signer::new(&credentials(), Some(&scopes)).unwrap();
        let target = Target { method: "GET", resource: "/", host: "localhost", port: 80 };
        let header = signer.header(&target, None, 0, "n");
        assert_eq!(Header::parse(&header).unwrap().ext, case["ext"].as_str());
    }
}

#[test]
fn bewits_are_those_of_the_reference_implementation() {
    for case in vectors("hawk")["bewits"].as_array().unwrap() {
        let url = Url::parse(case["url"].as_str().unwrap()).unwrap();
        let resource = resource(&url);
        let target = target("GET", &url, &resource);
        let expires = case["exp"].as_i64().unwrap();
        let signer = Signer::new(&credentials(), None).unwrap();
        assert_eq!(signer.bewit(&target, expires), case["bewit"].as_str().unwrap());

        let bewit = Bewit::parse(case["bewit"].as_str().unwrap()).unwrap();
        assert_eq!((bewit.id.as_str(), bewit.expires, bewit.ext.as_str()), ("tester", expires, ""));
        bewit.verify(&target, "no-secret", expires - 1).unwrap();
        assert_eq!(bewit.verify(&target, "no-secret", expires), Err(Refusal::AccessExpired));
        assert_eq!(bewit.verify(&target, "another", 0), Err(Refusal::BadMac));
    }
}

#[test]
fn debug_shows_nothing_to_sign_with() {
    let credentials = credentials().with_certificate("{\"seed\": \"hush\"}");
    let signer = Signer::new(&credentials, None).unwrap();
    let target = Target { method: "GET", resource: "/a", host: "h", port: 80 };
    let header = signer.header(&target, None, 100, "n");
    let bewit = Bewit::parse(&signer.bewit(&target, 100)).unwrap();
    let header = Header::parse(&header).unwrap();
    let shown = format!("{header:?} {bewit:?} {signer:?}");
    assert!(shown.contains("tester"), "{shown}");
    for secret in ["mac", "ext", "hush", header.ext.unwrap(), bewit.ext.as_str()] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_header_is_no_bewit() {
    let signer = Signer::new(&credentials(), None).unwrap();
    let target = Target { method: "GET", resource: "/a", host: "h", port: 80 };
    let header = signer.header(&target, None, 100, "");
    let mac = header.rsplit_once("mac=\"").unwrap().1.trim_end_matches('"');
    let forged = URL_SAFE_NO_PAD.encode(format!("tester\\100\\{mac}\\"));
    let forged = Bewit::parse(&forged).unwrap();
    assert_eq!(forged.verify(&target, "no-secret", 0), Err(Refusal::BadMac));
}

#[test]
fn time_may_be_off_by_fifteen_minutes_and_no_more() {
    let signer = Signer::new(&credentials(), None).unwrap();
    let target = Target { method: "GET", resource: "/a", host: "h", port: 80 };
    let header = signer.header(&target, None, 10_000, "n");
    let header = Header::parse(&header).unwrap();
    for (now, verdict) in [
        (10_000 + 900, Ok(())),
        (10_000 - 900, Ok(())),
        (10_000 + 901, Err(Refusal::StaleTimestamp)),
        (10_000 - 901, Err(Refusal::StaleTimestamp)),
    ] {
        assert_eq!(header.verify(&target, "no-secret", now), verdict);
    }
}

#[test]
fn headers_that_cannot_be_read_are_refused() {
    for bad in [
        "",
        "Basic dGVzdGVy",
        "Hawk",
        "Hawk id",
        "Hawk id=\"a",
        "Hawk id=\"a\", ts=\"1\", nonce=\"n\"",
        "Hawk id=\"a\", ts=\"soon\", nonce=\"n\", mac=\"m\"",
        "Hawk id=\"a\", id=\"b\", ts=\"1\", nonce=\"n\", mac=\"m\"",
        "Hawk id=\"a\", ts=\"1\", nonce=\"n\", mac=\"m\", more=\"x\"",
    ] {
        assert!(matches!(Header::parse(bad), Err(Refusal::Malformed(_))), "{bad}");
    }
    for bad in ["", "!", "dGVzdGVy", "YVxiXGNcZFxl"] {
        assert!(matches!(Bewit::parse(bad), Err(Refusal::Malformed(_))), "{bad}");
    }
}

#[test]
fn clients_that_cannot_be_named_in_a_header_are_refused() {
    for id in ["", "a\"b", "a\\b", "a\nb", "ü"] {
        let error = Signer::new(&Credentials::new(id, "t"), None).unwrap_err();
        assert!(error.to_string().contains("client id"), "{error}");
    }
    let broken = credentials().with_certificate("{not json");
    assert_eq!(Signer::new(&broken, None).unwrap_err().message(), "the certificate is not JSON");
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_nothing_else_does(
        token in "\\S.{0,80}\\S",
        resource in "/[a-z%/]{0,40}(\\?[a-z=&%0-9]{0,40})?",
        host in "[a-zA-Z0-9.-]{1,30}",
        port in 1u16..,
        time in 0i64..4_000_000_000,
        nonce in "[A-Za-z0-9_-]{1,12}",
        body in proptest::option::of(".{0,200}"),
        scopes in proptest::option::of(proptest::collection::vec("[ -~]{0,20}", 0..4)),
    ) {
        let credentials = Credentials::new("some/client", token.clone());
        let signer = Signer::new(&credentials, scopes.as_deref()).unwrap();
        let target = Target { method: "POST", resource: &resource, host: &host, port };
        let hash = body.as_ref().map(|body| payload_hash("application/json", body.as_bytes()));
        let text = signer.header(&target, hash.as_deref(), time, &nonce);
        let header = Header::parse(&text).unwrap();
        prop_assert_eq!(header.verify(&target, &token, time), Ok(()));
        if let Some(body) = &body {
            prop_assert_eq!(header.verify_payload("application/json", body.as_bytes()), Ok(()));
            let other = format!("{body} ");
            prop_assert_eq!(
                header.verify_payload("application/json", other.as_bytes()),
                Err(Refusal::BadPayloadHash)
            );
        }
        let longer = format!("{resource}x");
        for other in [
            Target { method: "GET", ..target },
            Target { resource: &longer, ..target },
            Target { host: "elsewhere!", ..target },
            Target { port: port ^ 1, ..target },
        ] {
            prop_assert_eq!(header.verify(&other, &token, time), Err(Refusal::BadMac));
        }
        let other_token = format!("{token}x");
        prop_assert_eq!(header.verify(&target, &other_token, time), Err(Refusal::BadMac));

        let bewit = signer.bewit(&target, time);
        let signed = format!("{resource}{}bewit={bewit}", if resource.contains('?') { '&' } else { '?' });
        let (without, found) = without_bewit(&signed);
        prop_assert_eq!(&*without, resource.as_str());
        let bewit = Bewit::parse(found.unwrap()).unwrap();
        prop_assert_eq!(bewit.verify(&target, &token, time - 1), Ok(()));
        prop_assert_eq!(bewit.verify(&Target { resource: &longer, ..target }, &token, 0 - 1), Err(Refusal::BadMac));
    }

    #[test]
    fn nothing_from_outside_makes_it_panic(text in ".{0,200}") {
        let _ = Header::parse(&text);
        let _ = Header::parse(&format!("Hawk {text}"));
        let _ = Bewit::parse(&text);
        let _ = without_bewit(&text);
    }
}
