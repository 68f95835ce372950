//! Sign-in through the browser: by plain HTTP, and by a real browser.

mod browser;
mod requests;

use std::time::Duration;

use taskcluster::signin::SignIn;
use taskcluster::testing::Deployment;
use taskcluster::{Auth, Credentials, ErrorKind, Queue, Result, StatusCode, Url};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::deployment::with_anybodys;

/// A sign-in that waits for the person.
struct Waiting {
    page: Url,
    port: u16,
    /// The secret path.
    path: String,
    result: JoinHandle<Result<Credentials>>,
}

impl Waiting {
    async fn start(sign_in: SignIn) -> Self {
        let (tell, told) = oneshot::channel();
        let sign_in =
            sign_in.open_with(move |url| tell.send(url.clone()).map_err(|_| "nobody asks"));
        let result = tokio::spawn(sign_in.run());
        let page = told.await.unwrap();
        let callback = page.query_pairs().find(|(name, _)| name == "callback_url").unwrap().1;
        let callback = Url::parse(&callback).unwrap();
        assert_eq!(callback.host_str(), Some("localhost"));
        let (port, path) = (callback.port().unwrap(), callback.path().to_owned());
        Self { page, port, path, result }
    }

    /// The answer to a request by a browser.
    async fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", self.port)).await
    }

    async fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        // A server that has read enough may close the connection.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    /// Hands in these credentials and looks at the last page.
    async fn hand_in(self, credentials: &Credentials) -> Result<Credentials> {
        let (id, token) = (credentials.client_id(), credentials.access_token());
        let answer = self.get(&format!("{}?clientId={id}&accessToken={token}", self.path)).await;
        assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
        let last = self.get(&format!("{}/done", self.path)).await;
        assert!(last.starts_with("HTTP/1.1 200 "), "{last}");
        self.result.await.unwrap()
    }
}

fn sign_in(deployment: &Deployment) -> SignIn {
    SignIn::new(&deployment.anonymous().unwrap()).name("builds").scopes(["queue:*"])
}

#[tokio::test]
async fn a_person_grants_a_program_what_they_have_of_what_it_asks_for() {
    let deployment = Deployment::start().await.unwrap();
    let person = deployment.web_user("ad|a+b@x.org:1", ["queue:status:*", "index:*"]);
    let credentials = sign_in(&deployment)
        .scopes(["auth:current-scopes"])
        .expires("2 hours")
        .description("Starts builds & <more>")
        .open_with(move |url| person.save(url))
        .run()
        .await
        .unwrap();
    let id = credentials.client_id();
    let random = id.strip_prefix("ad|a+b@x.org:1/builds-").unwrap();
    assert_eq!((random.len(), credentials.certificate_json()), (6, None));

    let client = deployment.anonymous().unwrap().with_credentials(credentials.clone()).unwrap();
    let response = Auth::new(&client).current_scopes().await.unwrap();
    assert_eq!(response.scopes, with_anybodys(&["auth:current-scopes", "queue:status:*"]));
    let error = Queue::new(&client).status("fN1SbArXTPSVFNUvaOlinQ").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND), "allowed, but there is no such task");

    let auth = Auth::new(&deployment.connect_as("root", ["*"]).unwrap());
    let created = auth.client(id).await.unwrap();
    assert_eq!(created.description, "Starts builds & <more>");
    assert!(created.delete_on_expiration);
    let left = created.expires - deployment.now();
    assert!(left <= chrono::TimeDelta::hours(2) && left > chrono::TimeDelta::hours(1), "{left}");
}

#[tokio::test]
async fn credentials_that_may_not_ask_for_their_scopes_are_accepted_all_the_same() {
    let deployment = Deployment::start().await.unwrap();
    let person = deployment.web_user("someone", ["queue:*"]);
    let credentials = sign_in(&deployment).open_with(move |url| person.save(url)).run().await;
    let checked = credentials.unwrap().check(&deployment.anonymous().unwrap()).await.unwrap();
    assert!(checked.is_active() && checked.scopes.is_none(), "{checked:?}");
}

#[tokio::test]
async fn the_page_says_what_the_program_asks_for() {
    let deployment = Deployment::start().await.unwrap();
    let sign_in = sign_in(&deployment).scopes(["a:+b&c"]).expires("1 hour");
    let waiting = Waiting::start(sign_in).await;
    let page = waiting.page.clone();
    assert_eq!(page.path(), "/auth/clients/create");
    let query: Vec<_> = page.query_pairs().collect();
    let names: Vec<_> = query.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["scope", "scope", "name", "expires", "callback_url", "description"]);
    assert_eq!((&*query[0].1, &*query[1].1, &*query[3].1), ("queue:*", "a:+b&c", "1 hour"));
    assert_eq!(query[5].1, "Created by the sign-in of builds");
    assert!(waiting.path.len() >= 23, "{}", waiting.path);

    let another = Waiting::start(self::sign_in(&deployment)).await;
    assert_ne!(another.path, waiting.path);
    waiting.result.abort();
    another.result.abort();
}

#[tokio::test]
async fn what_the_auth_service_does_not_accept_is_no_sign_in() {
    let deployment = Deployment::start().await.unwrap();
    let waiting = Waiting::start(sign_in(&deployment)).await;
    let forged = Credentials::new("someone", "not-the-token");
    let error = waiting.hand_in(&forged).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    assert!(!format!("{error:?}").contains("not-the-token"));
}

#[tokio::test]
async fn waiting_ends() {
    let deployment = Deployment::start().await.unwrap();
    let nothing = |_: &Url| Ok::<_, std::io::Error>(());
    let soon = Duration::from_millis(10);
    let error = sign_in(&deployment).timeout(soon).open_with(nothing).run().await.unwrap_err();
    assert!(error.is_transport() && error.to_string().contains("nobody has signed in"), "{error}");

    // A function that does not return is not waited for.
    let forever = |_: &Url| -> Result<(), std::io::Error> {
        loop {
            std::thread::park()
        }
    };
    let error = sign_in(&deployment).timeout(soon).open_with(forever).run().await.unwrap_err();
    assert!(error.is_transport(), "{error}");

    let refusing = |_: &Url| Err::<(), _>("there is no screen");
    let error = sign_in(&deployment).open_with(refusing).run().await.unwrap_err();
    assert_eq!(error.to_string(), "cannot open the page to sign in: there is no screen");
    let panicking = |_: &Url| -> Result<(), std::io::Error> { panic!("a mistake of the program") };
    let error = sign_in(&deployment).open_with(panicking).run().await.unwrap_err();
    assert!(error.to_string().contains("panicked"), "{error}");
}

#[tokio::test]
async fn what_the_web_interface_would_stumble_over_is_refused_before_it_is_opened() {
    let deployment = Deployment::start().await.unwrap();
    let none = SignIn::new(&deployment.anonymous().unwrap());
    let many = (0..20).map(|n| format!("scope:{n}"));
    for (sign_in, why) in [
        (none, "asks for no scopes"),
        (sign_in(&deployment).scopes(many), "asks for 21 scopes; 20 are possible"),
        (sign_in(&deployment).name(""), "has a name that a client id cannot contain"),
        (sign_in(&deployment).name("a b"), "has a name that a client id cannot contain"),
        (sign_in(&deployment).expires(" "), "has a lifetime that ends at once"),
        (sign_in(&deployment).expires("-1 day"), "has a lifetime that ends at once"),
        (sign_in(&deployment).expires("tomorrow"), "tomorrow"),
    ] {
        let error = sign_in.run().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.to_string().contains(why), "{error}");
    }
    let legacy = taskcluster::Client::legacy().build().unwrap();
    let error = SignIn::new(&legacy).scopes(["a"]).run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn the_embedded_page_refuses_what_the_real_one_does() {
    let deployment = Deployment::start().await.unwrap();
    let page = |query: &str| {
        let root = deployment.root_url();
        Url::parse(&format!("{root}/auth/clients/create?{query}")).unwrap()
    };
    let fine = "scope=a&name=x&callback_url=http://localhost:1/y";
    let post = |query: &str| {
        let http = taskcluster::http_client_builder().unwrap().no_proxy().build().unwrap();
        let url = page(query);
        async move {
            let response = http.post(url).send().await.unwrap();
            (response.status(), response.text().await.unwrap())
        }
    };
    let (status, text) = post(fine).await;
    assert_eq!((status, text.contains("nobody has signed in")), (StatusCode::UNAUTHORIZED, true));
    deployment.web_user("someone", ["a"]);
    for (query, why) in [
        ("name=x&callback_url=http://localhost", "1 to 20 scopes, not 0"),
        ("scope=a&callback_url=http://localhost", "needs `name`"),
        ("scope=a&name=x", "needs `callback_url`"),
        (
            "scope=a&name=x&callback_url=http://127.0.0.1:1",
            "Callback URL http://127.0.0.1:1 is not allowed.",
        ),
        ("scope=a&name=x&callback_url=http://localhost&expires=tomorrow", "tomorrow"),
    ] {
        let (status, text) = post(query).await;
        assert_eq!((status, text.contains(why)), (StatusCode::BAD_REQUEST, true), "{text}");
    }
    let (status, text) = post(fine).await;
    assert_eq!(status, StatusCode::OK);
    let leads = "window.location.replace(\"http://localhost:1/y?clientId=someone/x&accessToken=";
    assert!(text.contains(leads), "{text}");
}
