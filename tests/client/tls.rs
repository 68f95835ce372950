//! Certificates: whose are trusted, and when they are loaded. And what the client offers.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::{fs, thread};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::Acceptor;
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto};
use taskcluster::{Client, Queue, Retry};

use crate::support::process;

fn file(name: &str) -> String {
    format!("{}/vectors/{name}.pem", env!("CARGO_MANIFEST_DIR"))
}

/// A server on loopback whose certificate is signed by the authority of `authority.pem`. It answers everything with `{}`,
/// for as long as the process lives.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let certificate = CertificateDer::from_pem_file(file("localhost")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("localhost")).unwrap();
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            if stream.read(&mut [0; 4096]).is_ok() {
                stream.write_all(answer).unwrap();
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    url
}

fn ping(url: &str) -> String {
    let client = Client::builder(url).configure_http(|http| http.no_proxy()).build().unwrap();
    match Queue::new(&client).ping().send_blocking() {
        Ok(answer) => answer.to_string(),
        Err(error) => format!("{:?} after {}: {error}", error.kind(), error.attempts()),
    }
}

/// Two clients, before and after the file of certificates is gone.
#[test]
#[ignore = "run by the tests below, with an environment"]
fn child() {
    let url = server();
    println!("first: {}", ping(&url));
    if let Ok(file) = std::env::var("REMOVE") {
        fs::remove_file(file).unwrap();
    }
    println!("second: {}", ping(&url));
}

fn with(variables: &[(&str, &str)]) -> String {
    process::run(concat!(module_path!(), "::child"), variables)
}

#[test]
fn certificates_are_loaded_once_for_all_clients() {
    let copy = std::env::temp_dir().join(format!("authority-{}.pem", std::process::id()));
    fs::copy(file("authority"), &copy).unwrap();
    let copy = copy.to_str().unwrap();
    let shown = with(&[("SSL_CERT_FILE", copy), ("REMOVE", copy)]);
    assert!(shown.contains("first: {}\nsecond: {}\n"), "{shown}");
}

#[test]
fn without_certificates_the_first_connection_says_so_at_once() {
    let shown = with(&[("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/nonexistent")]);
    for line in ["first", "second"] {
        assert!(shown.contains(&format!("{line}: Config after 1: ")), "{shown}");
    }
    assert!(shown.contains("No CA certificates were loaded") && shown.contains("SSL_CERT_FILE"));
}

#[test]
fn other_authorities_are_not_trusted() {
    // No authority, but a certificate.
    let shown = with(&[("SSL_CERT_FILE", &file("localhost"))]);
    assert!(shown.contains("first: Transport after 6: "), "{shown}");
    assert!(shown.contains("UnknownIssuer"), "{shown}");
}

#[test]
fn both_versions_of_http_are_offered() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let offered = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut acceptor = Acceptor::default();
        let accepted = loop {
            acceptor.read_tls(&mut stream).unwrap();
            if let Some(accepted) = acceptor.accept().map_err(|(error, _)| error).unwrap() {
                break accepted;
            }
        };
        accepted.client_hello().alpn().unwrap().map(<[u8]>::to_vec).collect::<Vec<_>>()
    });
    let client = Client::builder(url).retry(Retry::never());
    let client = client.configure_http(|http| http.no_proxy()).build().unwrap();
    Queue::new(&client).ping().send_blocking().unwrap_err();
    assert_eq!(offered.join().unwrap(), [b"h2".to_vec(), b"http/1.1".to_vec()]);
}
