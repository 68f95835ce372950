//! Clients and roles.

mod authentication;
mod clients;
mod elsewhere;
mod histories;
mod roles;

use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{Auth, Client, Credentials, Error, NamedCall, StatusCode};

use crate::support::assert_api_error;

fn call(tc: &Client, name: &str) -> NamedCall {
    tc.call(&Auth::REFERENCE, name).unwrap()
}

fn client(scopes: &[&str]) -> Value {
    json!({"description": "d", "expires": "2100-01-01T00:00:00.000Z", "scopes": scopes})
}

fn of_client(tc: &Client, name: &str, id: &str) -> NamedCall {
    call(tc, name).param("clientId", id)
}

fn role(scopes: &[&str]) -> Value {
    json!({"description": "d", "scopes": scopes})
}

fn of_role(tc: &Client, name: &str, id: &str) -> NamedCall {
    call(tc, name).param("roleId", id)
}

/// Connects as a client that an answer with its token is about.
fn connect(fake: &Deployment, answer: &Value) -> Client {
    let text = |name: &str| answer[name].as_str().unwrap();
    let credentials = Credentials::new(text("clientId"), text("accessToken"));
    fake.builder().unwrap().credentials(credentials).build().unwrap()
}

async fn scopes(tc: &Client) -> Result<Vec<String>, Error> {
    let answer = call(tc, "currentScopes").await?;
    let scopes = answer["scopes"].as_array().unwrap().iter();
    Ok(scopes.map(|scope| scope.as_str().unwrap().to_owned()).collect())
}

#[track_caller]
fn assert_unauthenticated(error: &Error, message: &str) {
    assert_api_error(error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", message);
}
