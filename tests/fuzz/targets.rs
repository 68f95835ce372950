//! What is fuzzed: whatever the bytes are, nothing panics, and what was taken can be written and taken again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use taskcluster::hawk::verify::{Bewit, Header, Refusal, without_bewit};
use taskcluster::hawk::{Signer, Target};
use taskcluster::{
    Credentials, Exchange, QueueEvents, auth, dates as text_of, hooks as hook, queue,
};

/// A target: it panics if something is wrong.
pub(crate) type Check = fn(&[u8]);

/// All targets, by the names of their corpora.
pub(crate) const TARGETS: &[(&str, Check)] = &[
    ("answers", answers),
    ("credentials", credentials),
    ("dates", dates),
    ("hawk", hawk),
    ("routing_keys", routing_keys),
];

/// Answers of services, read as the types of several schemas.
pub(crate) fn answers(json: &[u8]) {
    reads::<queue::TaskStatusResponse>(json);
    reads::<queue::CreateTaskRequest>(json);
    reads::<queue::ListTaskGroupResponse>(json);
    reads::<queue::ArtifactContentResponse>(json);
    reads::<hook::HookStatus>(json);
    reads::<hook::HookDefinition>(json);
    reads::<auth::GetClientResponse>(json);
}

fn reads<T: DeserializeOwned + Serialize>(json: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(json) else { return };
    // A free-form part may hold what serde_json does not keep: `1e999`, and the last digit of some fractions.
    let Ok(value) = serde_json::from_slice::<Value>(json) else { return };
    if serde_json::from_str::<Value>(&value.to_string()).ok() != Some(value) {
        return;
    }
    let written = serde_json::to_string(&read).expect("written");
    let again: T = serde_json::from_str(&written).expect(&written);
    assert_eq!(serde_json::to_string(&again).expect("written again"), written);
}

/// Credentials as JSON.
pub(crate) fn credentials(json: &[u8]) {
    let Ok(credentials) = Credentials::from_json(&String::from_utf8_lossy(json)) else { return };
    let written = credentials.to_json().to_string();
    assert_eq!(Credentials::from_json(&written).expect(&written), credentials);
    let shown = format!("{credentials:?} {:?}", credentials.information());
    let token = credentials.access_token();
    assert!(token.len() < 12 || credentials.client_id().contains(token) || !shown.contains(token));
    let id = credentials.client_id();
    let temporary =
        credentials.temporary(Duration::from_secs(60)).scopes([id]).name(format!("{id}/x"));
    if let Ok(temporary) = temporary.create() {
        let information = temporary.information().expect("a certificate of ours");
        assert_eq!(information.issuer.as_deref(), Some(id));
        assert_eq!(information.scopes.as_deref(), Some(&[id.to_owned()][..]));
        assert!(information.is_active());
    }
}

/// Dates relative to another one: this one, or the last that can be written.
pub(crate) fn dates(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for base in ["2017-01-19T16:27:20.974Z", "9999-12-31T23:59:59.999Z", "0000-01-01T00:00:00Z"] {
        let base: DateTime<Utc> = base.parse().expect("a date");
        let Ok(date) = taskcluster::from_now_since(&text, base) else { continue };
        let written = text_of::to_json(date);
        let read = DateTime::parse_from_rfc3339(&written).expect(&written);
        assert_eq!(read, date, "{written}");
    }
}

/// Requests to verify: lines with a header's value, a method, a resource, a host, and a client's id.
pub(crate) fn hawk(lines: &[u8]) {
    const NOW: i64 = 1_500_000_000;
    let text = String::from_utf8_lossy(lines);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (header, method, resource, host, id) = (next(), next(), next(), next(), next());
    let target = Target { method, resource, host, port: 443 };
    if let Ok(header) = Header::parse(header) {
        // Nobody can guess a MAC.
        assert_eq!(header.verify(&target, "a key nobody signs with", NOW), Err(Refusal::BadMac));
        let _ = header.verify_payload("application/json", text.as_bytes());
    }
    let (path, bewit) = without_bewit(resource);
    if let Some(bewit) = bewit.and_then(|bewit| Bewit::parse(bewit).ok()) {
        let target = Target { resource: &path, ..target };
        assert!(bewit.verify(&target, "a key nobody signs with", NOW).is_err());
    }

    // What the client signs verifies; with another key, target or time it does not.
    let credentials = Credentials::new(id, "no-secret");
    let Ok(signer) = Signer::new(&credentials, None) else { return };
    let value = signer.header(&target, None, NOW, "nonce");
    let parsed = Header::parse(&value).expect(&value);
    assert_eq!(parsed.id, credentials.client_id());
    assert_eq!(parsed.verify(&target, "no-secret", NOW), Ok(()));
    assert_eq!(parsed.verify(&target, "another", NOW), Err(Refusal::BadMac));
    assert_eq!(parsed.verify(&target, "no-secret", NOW + 901), Err(Refusal::StaleTimestamp));
    let longer = format!("{resource}?");
    let another = Target { resource: &longer, ..target };
    assert_eq!(parsed.verify(&another, "no-secret", NOW), Err(Refusal::BadMac));

    if resource.contains("bewit=") {
        return;
    }
    let separator = if resource.contains('?') { '&' } else { '?' };
    let signed = format!("{resource}{separator}bewit={}", signer.bewit(&target, NOW));
    let (without, bewit) = without_bewit(&signed);
    // A question mark with nothing behind it goes as well.
    if without == resource {
        let bewit = Bewit::parse(bewit.expect(&signed)).expect(&signed);
        assert_eq!(bewit.verify(&target, "no-secret", NOW - 1), Ok(()));
        assert_eq!(bewit.verify(&target, "no-secret", NOW), Err(Refusal::AccessExpired));
    }
}

/// Routing keys of messages, and words of bindings.
pub(crate) fn routing_keys(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    if let Ok(parts) = QueueEvents::task_completed().parse(&text) {
        let keys = QueueEvents::task_completed()
            .task_id(&parts.task_id)
            .run_id(&parts.run_id)
            .worker_group(&parts.worker_group)
            .worker_id(&parts.worker_id)
            .provisioner_id(&parts.provisioner_id)
            .worker_type(&parts.worker_type)
            .scheduler_id(&parts.scheduler_id)
            .task_group_id(&parts.task_group_id);
        let keys = match &parts.reserved {
            Some(words) => keys.reserved(words),
            None => keys,
        };
        // A key may have wildcards as words, or be too long for a message.
        if let Ok(key) = keys.routing_key() {
            assert_eq!(QueueEvents::task_completed().parse(&key).expect(&key), parts);
        }
    }
    let exchanges = QueueEvents::REFERENCE.exchanges;
    for exchange in exchanges {
        binds(exchange, &text);
    }
}

fn binds(exchange: &'static Exchange, text: &str) {
    for part in exchange.routing_key.iter().filter(|part| part.constant.is_none()) {
        let Ok(binding) = exchange.binding([(part.name, text)]) else { continue };
        let pattern = binding.routing_key_pattern;
        assert!(pattern.len() <= 255 && pattern.split('.').all(|word| !word.is_empty()));
        let words = pattern.split('.').count();
        assert!(part.multiple_words || words == exchange.routing_key.len(), "{pattern}");
    }
}
