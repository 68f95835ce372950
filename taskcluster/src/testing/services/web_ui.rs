//! The page of the web interface that creates a client, as far as programs use it to sign a person in.

use std::sync::{Mutex, PoisonError};

use chrono::{SecondsFormat, TimeDelta};
use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::context::Context;
use crate::scopes::{covers, normalize};
use crate::testing::http::answer::{Refusal, Reply};
use crate::testing::http::request::Incoming;
use crate::testing::http::routing::query;
use crate::{Auth, dates};

/// The path of the page.
pub(crate) const PATH: &str = "/auth/clients/create";

/// How many values of one name the web interface reads as a list.
const MAX_VALUES: usize = 20;

/// The web interface, and who has signed in to it.
#[derive(Default)]
pub(crate) struct WebUi {
    person: Mutex<Option<(String, Vec<String>)>>,
}

/// What the page is asked for by its query.
struct Asked {
    name: String,
    scopes: Vec<String>,
    expires: Option<String>,
    description: String,
    callback_url: String,
}

impl WebUi {
    /// Signs a person in, and whoever was before out.
    pub(crate) fn sign_in(&self, client_id: String, scopes: Vec<String>) {
        let person = Some((client_id, scopes));
        *self.person.lock().unwrap_or_else(PoisonError::into_inner) = person;
    }

    /// Answers requests for the page, and those that its form sends. Returns `None` for any other request.
    pub(crate) fn answer(&self, context: &Context, request: &Incoming) -> Option<Reply> {
        let (path, query) = request.resource.split_once('?').unwrap_or((&request.resource, ""));
        if path != PATH {
            return None;
        }
        let html = match request.method {
            Method::GET => self.form(context, query),
            Method::POST => self.save(context, query).map(|callback| leave(&callback)),
            _ => Err(Refusal::not_found(format!("{PATH} has no {}", request.method))),
        };
        let reply = Reply::new(StatusCode::OK);
        let as_html = HeaderValue::from_static("text/html; charset=utf-8");
        Some(match html {
            Ok(html) => reply.body(as_html, page("Create Client", &html)),
            // The web interface shows the errors of services, too.
            Err(refusal) => {
                let html = format!("<p>{}</p>", escape(refusal.message()));
                Reply::new(refusal.status()).body(as_html, page("Error", &html))
            }
        })
    }

    /// What the person sees before they save the client. With the fragment `#save`, the page saves it by itself.
    fn form(&self, context: &Context, query: &str) -> Result<String, Refusal> {
        let asked = Asked::read(query)?;
        let (client_id, scopes) = self.proposed(context, &asked)?;
        let scopes: String =
            scopes.iter().map(|scope| format!("<li>{}</li>", escape(scope))).collect();
        Ok(format!(
            "<p>{description}</p>\n<p>Client: <code>{client_id}</code></p>\n<ul>{scopes}</ul>\n\
             <form method=\"post\"><button>Save</button></form>\n\
             <script>if (location.hash === '#save') document.forms[0].submit();</script>",
            description = escape(&asked.description),
            client_id = escape(&client_id),
        ))
    }

    /// Creates the client, and returns the URL to send the browser to.
    pub(crate) fn save(&self, context: &Context, query: &str) -> Result<String, Refusal> {
        let asked = Asked::read(query)?;
        let callback_url = &asked.callback_url;
        if !is_allowed(callback_url) {
            return Err(Refusal::input(format!("Callback URL {callback_url} is not allowed.")));
        }
        let (client_id, scopes) = self.proposed(context, &asked)?;
        let now = context.now();
        let expires = match &asked.expires {
            Some(text) => dates::from_now_since(text, now)
                .map_err(|error| Refusal::input(error.to_string()))?,
            None => now + TimeDelta::days(365_250),
        };
        let client = json!({
            "description": asked.description,
            "expires": expires.to_rfc3339_opts(SecondsFormat::Millis, true),
            "scopes": scopes,
            "deleteOnExpiration": true,
        });
        let (person, scopes) = self.person()?;
        let args = [("clientId", client_id.as_str())];
        let caller = (person.as_str(), scopes);
        let created =
            context.call(&Auth::REFERENCE, "createClient", caller, &args, Some(client))?;
        let access_token = created["accessToken"].as_str().unwrap_or_default();
        // Nothing is encoded here.
        Ok(format!("{callback_url}?clientId={client_id}&accessToken={access_token}"))
    }

    /// The client id and scopes of the client that the page proposes.
    fn proposed(&self, context: &Context, asked: &Asked) -> Result<(String, Vec<String>), Refusal> {
        let (person, scopes) = self.person()?;
        let client_id = format!("{person}/{}", asked.name);
        let caller = (person.as_str(), scopes);
        let answer = context.call(&Auth::REFERENCE, "currentScopes", caller, &[], None)?;
        let held = answer["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let held: Vec<_> = held.collect();
        let is_held = |scope: &&String| held.iter().any(|held| covers(held, scope));
        let is_asked = |scope: &&&str| asked.scopes.iter().any(|asked| covers(asked, scope));
        let wide = asked.scopes.iter().filter(is_held).cloned();
        let narrow = held.iter().filter(is_asked).map(|scope| (*scope).to_owned());
        Ok((client_id, normalize(wide.chain(narrow))))
    }

    /// The person's client id and scopes.
    fn person(&self) -> Result<(String, Vec<String>), Refusal> {
        let person = self.person.lock().unwrap_or_else(PoisonError::into_inner).clone();
        person.ok_or_else(|| Refusal::authentication("nobody has signed in"))
    }
}

impl Asked {
    fn read(text: &str) -> Result<Self, Refusal> {
        let query = query(text);
        let values = |name: &str| -> Vec<_> {
            query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
        };
        let value = |name: &str| values(name).into_iter().next();
        let needed = |name: &str| {
            let missing = || Refusal::input(format!("the page needs `{name}` in its query"));
            value(name).filter(|value| !value.is_empty()).ok_or_else(missing)
        };
        let scopes = values("scope");
        if !(1..=MAX_VALUES).contains(&scopes.len()) {
            return Err(Refusal::input(format!(
                "the page takes 1 to {MAX_VALUES} scopes, not {}",
                scopes.len()
            )));
        }
        Ok(Self {
            name: needed("name")?,
            scopes,
            expires: value("expires").filter(|value| !value.is_empty()),
            description: value("description").unwrap_or_default(),
            callback_url: needed("callback_url")?,
        })
    }
}

/// Whether the web interface sends anybody to a URL: only to `http[s]://localhost[:port][/path]`.
fn is_allowed(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest.and_then(|rest| rest.strip_prefix("localhost")) else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.strip_prefix(':') {
        Some(port) => !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()),
        None => authority.is_empty(),
    }
}

/// Sends the browser on as the web interface does: by a script, so that the browser itself reads the URL.
fn leave(url: &str) -> String {
    let url = json!(url).to_string().replace('<', "\\u003c");
    format!("<script>window.location.replace({url});</script>")
}

fn page(title: &str, html: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body>\n<h1>{title}</h1>\n{html}\n</body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_localhost_is_called_back() {
        for url in [
            "http://localhost",
            "http://localhost/",
            "https://localhost:8080/a/b",
            "http://localhost:1",
        ] {
            assert!(is_allowed(url), "{url}");
        }
        for url in [
            "http://127.0.0.1:8080/",
            "http://localhost.example.com/",
            "http://localhost:80@example.com/",
            "http://localhost:/",
            "http://localhost?x",
            "ftp://localhost/",
            "//localhost/",
            "http://LOCALHOST/",
            "",
        ] {
            assert!(!is_allowed(url), "{url}");
        }
    }
}
