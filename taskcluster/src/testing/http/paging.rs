//! Returns lists in pages, with continuation tokens that only this deployment can issue.

use serde_json::{Value, json};

use super::answer::Refusal;
use super::call::RecordedCall;
use crate::key::Key;

/// The default and maximum number of items on a page.
const LIMIT: usize = 1000;

/// The order of a text in lists, which is that of the services' database: letters and digits without their case first, and the
/// rest only between texts that are equal then.
pub(crate) fn collation(text: &str) -> (String, String, String) {
    let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let swapped = |c: char| match c.is_lowercase() {
        true => c.to_ascii_uppercase(),
        false => c.to_ascii_lowercase(),
    };
    // Small letters come before capital ones.
    let by_case = letters.chars().map(swapped).collect();
    (letters.to_lowercase(), by_case, text.to_owned())
}

/// Returns a page of `items`, in the order of their keys, as the property `name` of an object. A token contains the last
/// key of its page, so it stays valid when items are added or removed. Any other token leads to the first page.
pub(crate) fn page(
    key: &Key,
    call: &RecordedCall,
    name: &str,
    items: impl Iterator<Item = (String, Value)>,
) -> Result<Value, Refusal> {
    let limit = match option(call, "limit") {
        Some(limit) if limit.bytes().all(|byte| byte.is_ascii_digit()) => {
            limit.parse().unwrap_or(LIMIT).min(LIMIT)
        }
        Some(limit) => {
            return Err(Refusal::arguments(format!("`limit` is not a number: {limit:?}")));
        }
        None => LIMIT,
    };
    let token = option(call, "continuationToken");
    if token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Err(Refusal::input(
            "`continuationToken` is none: it has more than digits and letters",
        ));
    }
    let after = token.and_then(|token| last_key(key, call, &token));
    let mut items: Vec<_> = items.collect();
    items.sort_by_cached_key(|(key, _)| collation(key));
    let after = after.as_deref().map(collation);
    let mut rest = items.into_iter().peekable();
    while rest
        .next_if(|(key, _)| after.as_ref().is_some_and(|after| collation(key) <= *after))
        .is_some()
    {}
    let (mut page, mut last) = (Vec::new(), String::new());
    while page.len() < limit {
        let Some((key, item)) = rest.next() else { break };
        page.push(item);
        last = key;
    }
    let mut answer = json!({name: page});
    if limit > 0 && rest.peek().is_some() {
        answer["continuationToken"] = json!(new_token(key, call, &last));
    }
    Ok(answer)
}

/// Reads a query option, which some endpoints of 2017 take in the payload.
fn option(call: &RecordedCall, name: &str) -> Option<String> {
    if let Some(value) = call.query_value(name) {
        return Some(value.to_owned());
    }
    if !call.is_of_2017() {
        return None;
    }
    match &call.payload()[name] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The text that a token's signature covers: the list and the item to continue after.
fn signed_text(call: &RecordedCall, last: &str) -> String {
    let filters: Vec<_> = call
        .query
        .iter()
        .filter(|(name, _)| name != "limit" && name != "continuationToken")
        .collect();
    format!("{} {} {:?} {filters:?} {last:?}", call.service, call.endpoint.name, call.args)
}

/// Tokens have only digits and letters, as those of the services.
fn new_token(key: &Key, call: &RecordedCall, last: &str) -> String {
    let mac = key.mac(signed_text(call, last).as_bytes());
    mac.iter().chain(last.as_bytes()).map(|byte| format!("{byte:02x}")).collect()
}

fn last_key(key: &Key, call: &RecordedCall, token: &str) -> Option<String> {
    let digits = token.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    let bytes = digits.map(|pair| u8::from_str_radix(pair?, 16).ok());
    let bytes = bytes.collect::<Option<Vec<_>>>()?;
    let (mac, last) = bytes.split_at_checked(32)?;
    let last = std::str::from_utf8(last).ok()?;
    key.verify(signed_text(call, last).as_bytes(), mac).then(|| last.to_owned())
}

/// Whether a call's token is none of its list.
pub(crate) fn has_foreign_token(key: &Key, call: &RecordedCall) -> bool {
    option(call, "continuationToken").is_some_and(|token| last_key(key, call, &token).is_none())
}
