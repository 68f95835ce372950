//! Shared by several tests: a server that answers with exactly the given bytes, and records its requests.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A slug id: the tests' task, or their group of tasks.
pub const TASK_ID: &str = "fN1SbArXTPSVFNUvaOlinQ";

/// An HTTP server that takes each request on a connection of its own and answers with the next of its raw answers; an
/// empty answer closes the connection. The last answer is repeated.
pub struct RawServer {
    /// `http://<address>`
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl RawServer {
    /// Starts one on this address, port 0.
    ///
    /// # Errors
    ///
    /// Returns an error if the address is not available.
    pub async fn start_on(
        address: &str,
        answers: impl IntoIterator<Item = impl Into<Vec<u8>>>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind((address, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let answers: Vec<Vec<u8>> = answers.into_iter().map(Into::into).collect();
        let kept = requests.clone();
        tokio::spawn(async move {
            for i in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let Some(answer) = answers.get(i).or(answers.last()) else { return };
                let request = serve(stream, answer).await.unwrap_or_else(|error| error.to_string());
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            }
        });
        Ok(Self { url, requests })
    }

    /// Starts one on 127.0.0.1.
    ///
    /// # Errors
    ///
    /// If there is no port.
    pub async fn start(
        answers: impl IntoIterator<Item = impl Into<Vec<u8>>>,
    ) -> std::io::Result<Self> {
        Self::start_on("127.0.0.1", answers).await
    }

    /// The requests so far, head and body as they came.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<String> {
    let mut request = Vec::new();
    loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
            if request.len() >= end + 4 + length {
                break;
            }
        }
        if stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    Ok(String::from_utf8_lossy(&request).into_owned())
}

/// A whole answer with a JSON body.
#[must_use]
pub fn json(status: &str, body: &str) -> String {
    answer(status, &["Content-Type: application/json"], body)
}

/// A whole answer.
#[must_use]
pub fn answer(status: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}
