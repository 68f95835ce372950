//! The server of the benchmarks, in a process of its own so that only the client is counted:
//! `server <folder of answers> [<certificate> <key>]`.
//!
//! It answers with the same bytes each time, and checks nothing. It listens on loopback, speaks TLS if there is a certificate,
//! prints its port, and, when its standard input ends, how many connections there were.

#![allow(clippy::expect_used)]

use std::convert::Infallible;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, crypto};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

#[derive(Clone)]
struct Answers {
    status: Bytes,
    page: Bytes,
}

fn main() {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let Some(folder) = args.first().filter(|folder| folder.is_dir()) else { return };
    let read = |name| Bytes::from(std::fs::read(folder.join(name)).expect("a file"));
    let answers = Answers { status: read("status.json"), page: read("page.json") };
    let tls = args.get(1).zip(args.get(2)).map(|(certificate, key)| tls(certificate, key));
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        println!("{}", CONNECTIONS.load(Relaxed));
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(serve(answers, tls));
}

fn tls(certificate: &Path, key: &Path) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let mut config =
        ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(answers: Answers, tls: Option<TlsAcceptor>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address").port());
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        CONNECTIONS.fetch_add(1, Relaxed);
        tokio::spawn(connection(stream, answers.clone(), tls.clone()));
    }
}

/// Serves a connection until the client has enough of it.
async fn connection(stream: TcpStream, answers: Answers, tls: Option<TlsAcceptor>) {
    stream.set_nodelay(true).expect("a socket");
    let Some(tls) = tls else { return one(TokioIo::new(stream), answers).await };
    let Ok(stream) = tls.accept(stream).await else { return };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        let service = service_fn(move |request| answer(request, answers.clone()));
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.max_concurrent_streams(1024);
        let _ = builder.serve_connection(TokioIo::new(stream), service).await;
    } else {
        one(TokioIo::new(stream), answers).await;
    }
}

async fn one(stream: impl Read + Write + Unpin + Send + 'static, answers: Answers) {
    let service = service_fn(move |request| answer(request, answers.clone()));
    let _ = http1::Builder::new().serve_connection(stream, service).await;
}

async fn answer(
    request: Request<Incoming>,
    answers: Answers,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let is_list = request.uri().path().ends_with("/list");
    let _ = request.into_body().collect().await;
    let body = Full::new(if is_list { answers.page } else { answers.status });
    let answer = Response::builder().header("content-type", "application/json").body(body);
    Ok(answer.expect("an answer"))
}
