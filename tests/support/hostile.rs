//! A server of raw TCP that does to calls what networks, proxies and broken servers do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use taskcluster::ErrorKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One way to treat a call.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) outcome: Outcome,
    treat: fn(&Asked) -> Vec<Step>,
}

/// What a call must come to.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    /// Its own answer, at the first attempt or, where that was spoilt, at a later one.
    Own,
    Error(ErrorKind),
}

/// What the server knows of a request.
struct Asked {
    number: usize,
    /// The header line that gives the request's trace id back.
    trace: String,
}

enum Step {
    Send(Vec<u8>),
    Pause,
    /// Waits until the client has had enough.
    Stall,
    Close,
    Reset,
}

use Outcome::{Error, Own};
use Step::{Close, Pause, Reset, Send, Stall};

/// How many of the faults, the last ones, hold a call up until its timeout.
pub(crate) const SLOW: usize = 4;

const CHUNKED: &str = "Transfer-Encoding: chunked";

const fn fault_of(name: &'static str, outcome: Outcome, treat: fn(&Asked) -> Vec<Step>) -> Fault {
    Fault { name, outcome, treat }
}

pub(crate) static FAULTS: [Fault; 50] = [
    // Unusual, but right.
    fault_of("good", Own, |asked| vec![asked.good()]),
    fault_of("chunked", Own, |asked| vec![asked.chunked("", "0\r\n\r\n")]),
    fault_of("chunks with extensions and trailers", Own, |asked| {
        vec![asked.chunked(";a=b", "0\r\nX-Trailer: y\r\n\r\n")]
    }),
    fault_of("good, then closed", Own, |asked| {
        vec![asked.answer("200 OK", "Connection: close", &asked.json()), Close]
    }),
    fault_of("until the connection closes", Own, |asked| {
        let Asked { trace, .. } = asked;
        vec![send(format!("HTTP/1.0 200 OK\r\n{trace}\r\n{}", asked.json())), Close]
    }),
    fault_of("in many pieces", Own, |asked| {
        let Send(bytes) = asked.good() else { return Vec::new() };
        bytes.chunks(17).flat_map(|piece| [Send(piece.to_vec()), Pause]).collect()
    }),
    fault_of("after 100 Continue", Own, |asked| {
        vec![send("HTTP/1.1 100 Continue\r\n\r\n"), asked.good()]
    }),
    fault_of("after 103 Early Hints", Own, |asked| {
        vec![send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), asked.good()]
    }),
    fault_of("with many headers", Own, |asked| {
        let headers: Vec<_> = (0..80).map(|i| format!("X-{i}: {}", "y".repeat(100))).collect();
        vec![asked.answer("200 OK", &headers.join("\r\n"), &asked.json())]
    }),
    fault_of("with odd spelling", Own, |asked| {
        let Asked { trace, .. } = asked;
        let json = asked.json();
        vec![send(format!(
            "HTTP/1.1 200\r\ncONTENT-lENGTH:{}  \r\n{trace}X-Empty:\r\n\r\n{json}",
            json.len()
        ))]
    }),
    // Broken at first.
    fault_of("closed at once", Own, |_| vec![Close]),
    fault_of("reset at once", Own, |_| vec![Reset]),
    fault_of("closed in the status line", Own, |_| vec![send("HTTP/1.1 2"), Close]),
    fault_of("closed in the headers", Own, |_| vec![send("HTTP/1.1 200 OK\r\nContent-Len"), Close]),
    fault_of("closed before the body", Own, |asked| {
        vec![asked.start("200 OK", "Content-Length: 2", ""), Close]
    }),
    fault_of("closed in the body", Own, |asked| vec![asked.half(), Close]),
    fault_of("reset in the body", Own, |asked| vec![asked.half(), Pause, Reset]),
    fault_of("closed in a chunk", Own, |asked| {
        vec![asked.start("200 OK", CHUNKED, "10\r\n{\"number\""), Close]
    }),
    fault_of("closed before the last chunk", Own, |asked| vec![asked.chunked("", ""), Close]),
    fault_of("no HTTP", Own, |_| vec![send("SSH-2.0-OpenSSH_9.2\r\n"), Close]),
    fault_of("a TLS alert", Own, |_| vec![Send(b"\x15\x03\x01\x00\x02\x02\x46".to_vec()), Close]),
    fault_of("HTTP of another version", Own, |_| {
        vec![send("HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}"), Close]
    }),
    fault_of("a status that is no number", Own, |_| {
        vec![send("HTTP/1.1 OK 200\r\nContent-Length: 2\r\n\r\n{}"), Close]
    }),
    fault_of("a negative length", Own, |asked| {
        vec![asked.start("200 OK", "Content-Length: -2", "{}"), Close]
    }),
    fault_of("two lengths", Own, |asked| {
        vec![asked.start("200 OK", "Content-Length: 2\r\nContent-Length: 3", "{} "), Close]
    }),
    fault_of("a chunk of no size", Own, |asked| {
        vec![asked.start("200 OK", CHUNKED, "xyz\r\n{}\r\n0\r\n\r\n"), Close]
    }),
    fault_of("a chunk larger than numbers go", Own, |asked| {
        vec![asked.start("200 OK", CHUNKED, "ffffffffffffffffffff\r\n{}"), Close]
    }),
    fault_of("a huge header", Own, |asked| {
        let header = format!("X-Long: {}", "y".repeat(1_000_000));
        vec![asked.answer("200 OK", &header, &asked.json()), Close]
    }),
    fault_of("a header with a NUL", Own, |asked| {
        vec![asked.answer("200 OK", "X-Odd: a\0b", "{}"), Close]
    }),
    fault_of("busy", Own, |asked| {
        vec![asked.answer("503 Service Unavailable", "Retry-After: 0", "")]
    }),
    fault_of("a page of a proxy", Own, |asked| {
        vec![asked.answer("502 Bad Gateway", "Content-Type: text/html", "<html>")]
    }),
    fault_of("an error that breaks off", Own, |asked| {
        vec![asked.start("500 Internal Server Error", "Content-Length: 99", "{"), Close]
    }),
    fault_of("too many requests", Own, |asked| {
        vec![asked.answer("429 Too Many Requests", "Retry-After: soon", "{}")]
    }),
    // Answers that are none.
    fault_of("not found", Error(ErrorKind::Api), |asked| {
        vec![asked.answer("404 Not Found", "", r#"{"code": "ResourceNotFound", "message": "no"}"#)]
    }),
    fault_of("forbidden by a proxy", Error(ErrorKind::Api), |asked| {
        vec![asked.answer("403 Forbidden", "Content-Type: text/html", "<html>no</html>")]
    }),
    fault_of("a long error", Error(ErrorKind::Api), |asked| {
        vec![asked.answer("400 Bad Request", "", &"x".repeat(300_000))]
    }),
    fault_of("a stale signature without a date", Error(ErrorKind::Api), |asked| {
        vec![asked.answer("401 Unauthorized", "", r#"{"message": "Stale timestamp"}"#)]
    }),
    fault_of("a redirect", Error(ErrorKind::Answer), |asked| {
        vec![asked.answer("302 Found", "Location: https://login.example.com/", &asked.json())]
    }),
    fault_of("a page", Error(ErrorKind::Answer), |asked| {
        vec![asked.answer("200 OK", "Content-Type: text/html", "<html>Please log in")]
    }),
    fault_of("half the JSON", Error(ErrorKind::Answer), |asked| {
        vec![asked.answer("200 OK", "", "{\"number\": ")]
    }),
    fault_of("no content", Error(ErrorKind::Answer), |asked| {
        vec![asked.answer("204 No Content", "", "")]
    }),
    fault_of("too large", Error(ErrorKind::Answer), |asked| {
        vec![asked.start("200 OK", "Content-Length: 99999999999", "{"), Stall]
    }),
    // Out of turn.
    fault_of("twice at once", Own, |asked| {
        let (Send(mut bytes), Send(again)) = (asked.good(), asked.good()) else {
            return Vec::new();
        };
        bytes.extend(again);
        vec![Send(bytes)]
    }),
    fault_of("twice", Own, |asked| vec![asked.good(), asked.good()]),
    fault_of("twice, the second late", Own, |asked| vec![asked.good(), Pause, asked.good()]),
    fault_of("longer than announced", Own, |asked| vec![asked.good(), send("and more")]),
    // Slow: the last of these, as many as `SLOW`.
    fault_of("no answer", Own, |_| vec![Stall]),
    fault_of("half a head", Own, |_| vec![send("HTTP/1.1 200 OK\r\nA"), Stall]),
    fault_of("half a body", Own, |asked| vec![asked.half(), Stall]),
    fault_of("an error that stalls", Error(ErrorKind::Api), |asked| {
        vec![asked.start("409 Conflict", "Content-Length: 99", "{"), Stall]
    }),
];

fn send(text: impl Into<String>) -> Step {
    Send(text.into().into_bytes())
}

impl Asked {
    fn json(&self) -> String {
        // Also a page of one item.
        format!("{{\"number\": {0}, \"artifacts\": [{0}]}}", self.number)
    }

    /// A head, and bytes after it.
    fn start(&self, status: &str, headers: &str, rest: &str) -> Step {
        let end = if headers.is_empty() { "" } else { "\r\n" };
        send(format!("HTTP/1.1 {status}\r\n{}{headers}{end}\r\n{rest}", self.trace))
    }

    fn answer(&self, status: &str, headers: &str, body: &str) -> Step {
        let end = if headers.is_empty() { "" } else { "\r\n" };
        self.start(status, &format!("{headers}{end}Content-Length: {}", body.len()), body)
    }

    fn good(&self) -> Step {
        self.answer("200 OK", "Content-Type: application/json", &self.json())
    }

    /// The good answer without its last bytes.
    fn half(&self) -> Step {
        let Send(mut bytes) = self.good() else { return Stall };
        bytes.truncate(bytes.len() - 3);
        Send(bytes)
    }

    fn chunked(&self, extension: &str, end: &str) -> Step {
        let json = self.json();
        let (first, second) = json.split_at(5);
        let chunk = |text: &str| format!("{:x}{extension}\r\n{text}\r\n", text.len());
        self.start("200 OK", CHUNKED, &format!("{}{}{end}", chunk(first), chunk(second)))
    }
}

/// The task id of a call that is to meet a fault, by its index. The number is the call's own, and in its answer.
pub(crate) fn task_id(fault: usize, number: usize) -> String {
    format!("{fault:02}{number:06}QACAAAAAAAAAAA")
}

/// Starts the server and returns its URL. How to treat a call it reads from the task id in its path.
pub(crate) async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let attempts = Arc::default();
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&attempts)));
        }
    });
    url
}

async fn serve(mut stream: TcpStream, attempts: Arc<Mutex<HashMap<usize, usize>>>) {
    let _ = stream.set_nodelay(true);
    let mut received = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
                let rest = received.split_off(end + 4);
                break String::from_utf8(std::mem::replace(&mut received, rest)).unwrap();
            }
            if !stream.read_buf(&mut received).await.is_ok_and(|read| read > 0) {
                return;
            }
        };
        for step in steps(&head, &attempts) {
            let done = match step {
                Send(bytes) => stream.write_all(&bytes).await.is_err(),
                // So that what is sent next is likely to arrive by itself.
                Pause => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    false
                }
                Stall => {
                    while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
                    true
                }
                Close => true,
                Reset => {
                    let _ = stream.set_zero_linger();
                    true
                }
            };
            if done {
                return;
            }
        }
    }
}

/// How to treat this request. What is broken at first is good from the second attempt on.
fn steps(head: &str, attempts: &Mutex<HashMap<usize, usize>>) -> Vec<Step> {
    let id = head.split("/task/").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    let (fault, number) = id[..8].split_at(2);
    let (fault, number): (usize, usize) = (fault.parse().unwrap(), number.parse().unwrap());
    let id = head.lines().find_map(|line| line.strip_prefix("x-taskcluster-trace-id: "));
    let trace = id.map(|id| format!("X-For-Trace-Id: {id}\r\n")).unwrap_or_default();
    let asked = Asked { number, trace };
    let fault = &FAULTS[fault];
    let mut attempts = attempts.lock().unwrap();
    let attempt = attempts.entry(number).or_default();
    *attempt += 1;
    match fault.outcome {
        Own if *attempt > 1 => vec![asked.good()],
        _ => (fault.treat)(&asked),
    }
}
