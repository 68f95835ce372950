//! Who sends a request, and how it is signed: by hand, since much of it must not be accepted.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::Utc;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// The client of which the exchanges with auth are about.
const ME: &str = "rFNP4k4/c1";

/// Credentials, and what is peculiar about their use.
pub(super) struct Caller<'a> {
    client: String,
    token: String,
    ext: String,
    /// The whole description.
    by: &'a Value,
}

impl<'a> Caller<'a> {
    /// `by` describes the caller; null is a client that may do anything.
    pub(super) fn new(by: &'a Value, kept: &BTreeMap<String, String>) -> Self {
        let text = |name: &str| by[name].as_str().map(str::to_owned);
        let is_root = by.is_null() || by.get("scopes").is_some() || by == "root without a hash";
        let (id, token) = match is_root {
            true => ("root".to_owned(), "root-token".to_owned()),
            false => (ME.to_owned(), kept.get("accessToken").cloned().unwrap_or_default()),
        };
        let mut caller = Self {
            client: text("client").unwrap_or(id),
            token: text("token").unwrap_or(token),
            ext: text("ext").unwrap_or_default(),
            by,
        };
        let mut ext = Map::new();
        if let Some(temp) = by.get("temp") {
            ext.insert("certificate".to_owned(), caller.certify(temp));
        }
        if let Some(authorized) = by.get("authorized").or(by.get("scopes")) {
            ext.insert("authorizedScopes".to_owned(), authorized.clone());
        }
        if !ext.is_empty() {
            caller.ext = Value::Object(ext).to_string();
        }
        caller
    }

    /// Turns the credentials into temporary ones, and returns their certificate.
    fn certify(&mut self, temp: &Value) -> Value {
        let now = Utc::now().timestamp_millis();
        let after = |name: &str, default: i64| now + temp[name].as_i64().unwrap_or(default) * 1000;
        let seed = temp["seed"].as_str().map_or_else(|| "s".repeat(44), str::to_owned);
        let mut certificate = json!({
            "version": 1, "scopes": temp.get("scopes").unwrap_or(&json!(["b:1"])), "seed": seed,
            "start": after("start", -60), "expiry": after("expiry", 3600),
        });
        let mut signed = "version:1\n".to_owned();
        if let Some(name) = temp["name"].as_str() {
            certificate["issuer"] = json!(self.client);
            signed += &format!("clientId:{name}\nissuer:{}\n", self.client);
            name.clone_into(&mut self.client);
        }
        let (start, expiry) = (&certificate["start"], &certificate["expiry"]);
        signed += &format!("seed:{seed}\nstart:{start}\nexpiry:{expiry}\nscopes:");
        for scope in certificate["scopes"].as_array().unwrap() {
            signed += &format!("\n{}", scope.as_str().unwrap());
        }
        certificate["signature"] = json!(mac(&self.token, &signed));
        for (name, value) in temp["after"].as_object().into_iter().flatten() {
            certificate[name] = value.clone();
        }
        let token = STANDARD.decode(mac(&self.token, &seed)).unwrap();
        self.token = URL_SAFE_NO_PAD.encode(token);
        certificate
    }

    /// Returns the resource to ask for, and the `Authorization` header.
    pub(super) fn sign(
        &self,
        method: &str,
        resource: &str,
        port: u16,
        (content_type, body): (&str, &[u8]),
    ) -> (String, Option<String>) {
        if let Some(header) = self.by["header"].as_str() {
            return (resource.to_owned(), Some(header.to_owned()));
        }
        if self.by == "anonymous" {
            return (resource.to_owned(), None);
        }
        if let Some(lifetime) = self.by["bewit"].as_i64() {
            let signed = self.with_bewit(resource, port, lifetime);
            let header = self.by.get("and").map(|_| self.header(method, &signed, port, ""));
            return (signed, header);
        }
        let hash = match self.by["hash"].as_str() {
            Some(hash) => hash.to_owned(),
            None if body.is_empty() || self.by == "root without a hash" => String::new(),
            None => {
                let mut hash = Sha256::new();
                let essence = content_type.split(';').next().unwrap_or_default();
                hash.update(format!("hawk.1.payload\n{essence}\n"));
                hash.update(body);
                hash.update("\n");
                STANDARD.encode(hash.finalize())
            }
        };
        (resource.to_owned(), Some(self.header(method, resource, port, &hash)))
    }

    fn header(&self, method: &str, resource: &str, port: u16, hash: &str) -> String {
        let Self { client, token, by, .. } = self;
        let time = Utc::now().timestamp() + by["time"].as_i64().unwrap_or_default();
        let ext = if self.ext.is_empty() { String::new() } else { STANDARD.encode(&self.ext) };
        let signed = format!(
            "hawk.1.header\n{time}\nnonce\n{method}\n{resource}\n127.0.0.1\n{port}\n{hash}\n{ext}\n"
        );
        let mut header = format!("Hawk id=\"{client}\", ts=\"{time}\", nonce=\"nonce\"");
        for (name, value) in [("hash", hash), ("ext", &ext), ("mac", &mac(token, &signed))] {
            if !value.is_empty() {
                header += &format!(", {name}=\"{value}\"");
            }
        }
        header
    }

    fn with_bewit(&self, resource: &str, port: u16, lifetime: i64) -> String {
        let expires = Utc::now().timestamp() + lifetime;
        let ext = if self.ext.is_empty() { String::new() } else { STANDARD.encode(&self.ext) };
        let signed =
            format!("hawk.1.bewit\n{expires}\n\nGET\n{resource}\n127.0.0.1\n{port}\n\n{ext}\n");
        let bewit = format!("{}\\{expires}\\{}\\{ext}", self.client, mac(&self.token, &signed));
        let added = self.by["then"].as_str().map(|option| format!("{option}&"));
        format!(
            "{resource}{}{}bewit={}",
            if resource.contains('?') { '&' } else { '?' },
            added.unwrap_or_default(),
            URL_SAFE_NO_PAD.encode(bewit),
        )
    }
}

fn mac(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
