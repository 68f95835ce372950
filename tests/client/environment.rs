//! Clients and credentials from the environment. Variables are those of a process, so each case runs in one of its own.

use taskcluster::{Client, Credentials, Queue};

use crate::support::process;

/// What a child process prints: where the client goes, and as whom.
#[test]
#[ignore = "run by the tests below, with an environment"]
fn child() {
    println!("credentials: {:?}", Credentials::from_env());
    if let Ok(Some(credentials)) = Credentials::from_env() {
        println!("token: {} bytes", credentials.access_token().len());
    }
    match Client::from_env() {
        Ok(client) => println!("client: {client:?} {}", Queue::new(&client).ping().url().unwrap()),
        Err(error) => println!("client: {error}"),
    }
    let defaults = Client::builder("https://default.example.com/")
        .credentials(Credentials::new("default", "no-secret"));
    println!("with defaults: {:?}", Client::from_env_or(defaults));
    let limited = Client::builder("https://default.example.com")
        .credentials(Credentials::new("default", "no-secret"))
        .authorized_scopes(["a"]);
    println!("limited: {:?}", Client::from_env_or(limited).err());
}

fn with(variables: &[(&str, &str)]) -> String {
    process::run(concat!(module_path!(), "::child"), variables)
}

const ROOT: (&str, &str) = ("TASKCLUSTER_ROOT_URL", "https://tc.example.com/");
const ID: (&str, &str) = ("TASKCLUSTER_CLIENT_ID", "project/builds");
const TOKEN: (&str, &str) = ("TASKCLUSTER_ACCESS_TOKEN", "no-secret");
const PROXY: (&str, &str) = ("TASKCLUSTER_PROXY_URL", "http://taskcluster");

#[test]
fn root_url_and_credentials() {
    let shown = with(&[ROOT, ID, TOKEN, ("TASKCLUSTER_CERTIFICATE", "")]);
    assert!(shown.contains(
        "credentials: Ok(Some(Credentials { client_id: \"project/builds\", temporary: false, .. }))"
    ));
    assert!(shown.contains("client_id: \"project/builds\""), "{shown}");
    assert!(shown.contains("https://tc.example.com/api/queue/v1/ping"), "{shown}");
    assert!(!shown.contains("no-secret"));
    let shown = with(&[ROOT, ID, TOKEN, ("TASKCLUSTER_CERTIFICATE", "{\"version\": 1}")]);
    assert!(shown.contains("temporary: true"), "{shown}");
}

#[test]
fn the_proxy_signs_by_itself() {
    let shown = with(&[PROXY, ROOT, ID, TOKEN]);
    assert!(shown.contains("client: Client { root_url: \"http://taskcluster\", .. } http://taskcluster/api/queue/v1/ping"));
}

/// What the environment does not say is as the program has it, but its credentials go nowhere else.
#[test]
fn defaults_fill_in() {
    let default = ("TASKCLUSTER_ROOT_URL", "https://default.example.com");
    let with_defaults = |root_url: &str, client_id: Option<&str>| {
        let id = client_id.map(|id| format!(", client_id: {id:?}")).unwrap_or_default();
        format!("with defaults: Ok(Client {{ root_url: {root_url:?}{id}, .. }})")
    };
    for (variables, root_url, client_id) in [
        (vec![], "https://default.example.com", Some("default")),
        (vec![default], "https://default.example.com", Some("default")),
        (vec![ID, TOKEN], "https://default.example.com", Some("project/builds")),
        (vec![ROOT], "https://tc.example.com", None),
        (vec![ROOT, ID, TOKEN], "https://tc.example.com", Some("project/builds")),
        (vec![PROXY, ROOT, ID, TOKEN], "http://taskcluster", None),
    ] {
        let shown = with(&variables);
        assert!(shown.contains(&with_defaults(root_url, client_id)), "{variables:?}: {shown}");
        let may = if client_id.is_some() { "limited: None" } else { "limited: Some(" };
        assert!(shown.contains(may), "{variables:?}: {shown}");
    }
    assert!(with(&[ID]).contains("with defaults: Err(Config(TASKCLUSTER_CLIENT_ID is set but"));
}

#[test]
fn empty_variables_count_as_unset() {
    let shown = with(&[
        ROOT,
        ("TASKCLUSTER_PROXY_URL", ""),
        ("TASKCLUSTER_CLIENT_ID", ""),
        ("TASKCLUSTER_ACCESS_TOKEN", ""),
    ]);
    assert!(shown.contains("credentials: Ok(None)"), "{shown}");
    assert!(
        shown.contains("client: Client { root_url: \"https://tc.example.com\", .. }"),
        "{shown}"
    );
}

#[test]
fn the_newline_of_a_file_is_not_part_of_a_token() {
    let shown = with(&[
        ROOT,
        ("TASKCLUSTER_CLIENT_ID", " project/builds\n"),
        ("TASKCLUSTER_ACCESS_TOKEN", "no-secret \r\n"),
        ("TASKCLUSTER_CERTIFICATE", "\n"),
    ]);
    assert!(
        shown.contains(
            "credentials: Ok(Some(Credentials { client_id: \"project/builds\", temporary: false, .. }))"
        ),
        "{shown}"
    );
    assert!(shown.contains("token: 9 bytes"), "{shown}");
    let blank = [("TASKCLUSTER_CLIENT_ID", " \n"), ("TASKCLUSTER_ACCESS_TOKEN", "\t")];
    assert!(with(&[ROOT, blank[0], blank[1]]).contains("credentials: Ok(None)"));
}

/// A task in a small image talks plain HTTP to its proxy.
#[test]
fn clients_are_made_without_certificates() {
    let none = [("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/nonexistent")];
    assert!(with(&[PROXY, none[0], none[1]]).contains("http://taskcluster/api/queue/v1/ping"));
    assert!(with(&[ROOT, none[0], none[1]]).contains("https://tc.example.com/api/queue/v1/ping"));
}

#[test]
fn what_the_environment_lacks_is_named() {
    assert!(
        with(&[]).contains("client: neither TASKCLUSTER_ROOT_URL nor TASKCLUSTER_PROXY_URL is set")
    );
    assert!(
        with(&[ROOT, ID])
            .contains("client: TASKCLUSTER_CLIENT_ID is set but TASKCLUSTER_ACCESS_TOKEN is not")
    );
    assert!(
        with(&[ROOT, TOKEN])
            .contains("client: TASKCLUSTER_ACCESS_TOKEN is set but TASKCLUSTER_CLIENT_ID is not")
    );
}
