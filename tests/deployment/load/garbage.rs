use taskcluster::testing::{Deployment, Fault};
use taskcluster::{Auth, StatusCode, slugid};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{address, assert_flat, assert_sound, exchange, resident};
use crate::support::process;

/// The maximum size of a payload, as documented.
const MOST: usize = 10 << 20;

/// A request for an endpoint that anybody may call, with a payload.
fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = "POST /api/auth/v1/test-authenticate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    [head.as_bytes(), headers.as_bytes(), b"\r\n", body].concat()
}

fn json(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    post(&format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"), body)
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes()
}

fn with_header(header: &str) -> Vec<u8> {
    format!("GET /api/auth/v1/scopes/current HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n\r\n")
        .into_bytes()
}

/// What is sent, and the statuses of which one must come; none if the connection may just end.
fn garbage() -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    let nested = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    vec![
        ("nothing", Vec::new(), &[]),
        ("zeros", vec![0; 10_000], &[]),
        ("every byte", (0..=255).cycle().take(10_000).collect(), &[]),
        ("a handshake of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), &[]),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &[]),
        ("half a head", b"GET /api/auth/v1/ping HTTP/1.1\r\nHo".to_vec(), &[]),
        ("half a body", post("Content-Length: 100\r\n", b"{"), &[]),
        (
            "a chunk of no size",
            post("Transfer-Encoding: chunked\r\n", b"xyz\r\n{}\r\n0\r\n\r\n"),
            &[],
        ),
        (
            "a chunk without an end",
            post("Transfer-Encoding: chunked\r\n", b"ffffffffffffffff\r\n{}"),
            &[],
        ),
        ("a negative length", post("Content-Length: -1\r\n", b""), &[400]),
        ("two lengths", post("Content-Length: 1\r\nContent-Length: 2\r\n", b"{}"), &[400]),
        (
            "a length of all numbers",
            post("Content-Length: 99999999999999999999999\r\n", b""),
            &[400],
        ),
        ("a header of a megabyte", with_header(&format!("X: {}", "y".repeat(1 << 20))), &[431]),
        ("a thousand headers", with_header(&"X: y\r\n".repeat(1000)), &[431]),
        ("a header with a NUL", with_header("X: a\0b"), &[400]),
        ("a path of a megabyte", get(&format!("/{}", "y".repeat(1 << 20))), &[414, 431]),
        ("half an escape", get("/api/auth/v1/clients/%"), &[400, 401, 403, 404]),
        ("no UTF-8", get("/api/auth/v1/clients/%ff%fe"), &[400, 401, 403, 404]),
        ("many slashes", get(&"/".repeat(10_000)), &[404]),
        ("dots", get("/api/auth/v1/../../../../etc/passwd"), &[404]),
        ("another scheme", get("ftp://x/api/auth/v1/ping"), &[200, 400, 404]),
        (
            "an asterisk",
            b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
            &[200, 404],
        ),
        (
            "a method of its own",
            b"BREW /api/auth/v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
            &[404, 405],
        ),
        (
            "a query of a mess",
            get("/api/auth/v1/clients/?&&==&%&limit=%00&limit&continuationToken=%ff"),
            &[400, 403],
        ),
        (
            "a token of another list",
            get("/api/auth/v1/clients/?continuationToken=AAAA"),
            &[400, 403],
        ),
        ("half a signature", with_header("Authorization: Hawk id=\"x\""), &[401]),
        ("a signature of bytes", with_header("Authorization: Hawk \u{fe}"), &[400, 401]),
        (
            "an ext of garbage",
            with_header(
                "Authorization: Hawk id=\"x\", ts=\"1\", nonce=\"n\", mac=\"m\", ext=\"!!\"",
            ),
            &[401],
        ),
        (
            "a time beyond numbers",
            with_header(
                "Authorization: Hawk id=\"tester\", ts=\"99999999999999999999\", nonce=\"n\", mac=\"m\"",
            ),
            &[401],
        ),
        ("a bewit of garbage", get("/api/auth/v1/scopes/current?bewit=%00"), &[401]),
        ("storage without a signature", get("/storage/x?expires=99999999999999999999"), &[403]),
        ("no JSON", json(b"{\"a\": }"), &[400]),
        ("no UTF-8 in JSON", json(b"{\"a\": \"\xff\"}"), &[400]),
        ("half a surrogate", json(b"{\"clientScopes\": [\"\\ud800\"]}"), &[400]),
        ("a number beyond numbers", json(b"{\"clientScopes\": [1e999999]}"), &[400]),
        ("deep JSON", json(&nested), &[400]),
        ("a list for an object", json(b"[]"), &[400]),
        ("a body that is too large", json(&vec![b' '; MOST + 1]), &[413]),
        ("as many chunks", too_many_chunks(), &[413]),
    ]
}

/// More chunks than a payload may have bytes for.
fn too_many_chunks() -> Vec<u8> {
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x1_0000], b"\r\n"].concat();
    let mut body = chunk.repeat(MOST / 0x1_0000 + 1);
    body.extend_from_slice(b"0\r\n\r\n");
    post("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", &body)
}

#[test]
fn what_is_no_call_is_refused_and_harms_nobody() {
    print!("{}", process::run(concat!(module_path!(), "::refused"), &[]));
}

#[tokio::test]
#[ignore = "run by the test above, in a process of its own, since it is about the memory of a process"]
async fn refused() {
    let fake = Deployment::start().await.unwrap();
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    let mut rounds = Vec::new();
    for _ in 0..4 {
        for (name, bytes, expected) in garbage() {
            let answer = exchange(&fake, &bytes, expected.is_empty()).await;
            let status = answer
                .strip_prefix(b"HTTP/1.1 ")
                .and_then(|rest| std::str::from_utf8(rest.get(..3)?).ok()?.parse::<u16>().ok());
            let is_right = match status {
                Some(status) => {
                    expected.contains(&status)
                        || expected.is_empty() && (400..500).contains(&status)
                }
                None => expected.is_empty() && answer.is_empty(),
            };
            assert!(is_right, "{name}: {}", answer[..answer.len().min(300)].escape_ascii());
            assert_sound(&fake, &tc).await;
        }
        fake.clear_calls();
        rounds.push(resident());
    }
    assert_flat(&rounds);
}

#[tokio::test]
async fn a_body_without_an_end_ends_the_connection() {
    let fake = Deployment::start().await.unwrap();
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    let mut stream = TcpStream::connect(address(&fake)).await.unwrap();
    let head = post("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", b"");
    stream.write_all(&head).await.unwrap();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    while stream.write_all(&chunk).await.is_ok() {}
    assert_sound(&fake, &tc).await;
}

#[tokio::test]
async fn connections_that_say_nothing_keep_nobody_waiting() {
    let fake = Deployment::start().await.unwrap();
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    let mut silent = Vec::new();
    for _ in 0..500 {
        let mut stream = TcpStream::connect(address(&fake)).await.unwrap();
        stream.write_all(b"GET /api/auth/v1/").await.unwrap();
        silent.push(stream);
    }
    assert_sound(&fake, &tc).await;
    drop(silent);
    assert_sound(&fake, &tc).await;
}

#[tokio::test]
async fn a_stub_that_panics_harms_its_own_call_alone() {
    let fake = Deployment::start().await.unwrap();
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    let panics = |_: &taskcluster::testing::RecordedCall| -> serde_json::Value {
        // Without a report of it among the results of the tests.
        std::panic::resume_unwind(Box::new("the stub's own"))
    };
    fake.on(Auth::REFERENCE.endpoint("ping")).reply_with(panics);
    let error = Auth::new(&tc).ping().await.unwrap_err();
    assert!(error.is_transport(), "{error}");
    assert_sound(&fake, &tc).await;
    fake.clear_stubs();
    Auth::new(&tc).ping().await.unwrap();
    let id = slugid::nice();
    fake.on_any().times(1).fault(Fault::Disconnect);
    let error = Auth::new(&tc).client(&id).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
}
