//! The object service: uploads and downloads by negotiated methods.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::{Map, Value, json};

use crate::slugid;
use crate::testing::http::answer::{Refusal, Reply, date, redirect_in_words, text, timestamp};
use crate::testing::http::base64::decode;
use crate::testing::http::call::RecordedCall;
use crate::testing::services::context::{Context, Service};

/// How long an upload may take.
const UPLOAD: TimeDelta = TimeDelta::minutes(45);

/// How long an unfinished upload is kept.
const UNFINISHED: TimeDelta = TimeDelta::days(1);

/// When clients should ask for a new URL to download from, and when it really ends.
const STATED: TimeDelta = TimeDelta::seconds(60);
const DOWNLOAD: TimeDelta = TimeDelta::seconds(120);

/// All objects by name.
#[derive(Default)]
pub(crate) struct Objects(Mutex<BTreeMap<String, Object>>);

struct Object {
    project: String,
    upload_id: String,
    expires: DateTime<Utc>,
    hashes: Map<String, Value>,
    finished: bool,
    begun: DateTime<Utc>,
    /// Where the content is stored.
    key: String,
}

impl Objects {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Object>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object {
    /// Adds hashes; one that was given before stays what it is, and a finished object gets no new one.
    fn add_hashes(&mut self, hashes: &Value) -> Result<(), Refusal> {
        for (algorithm, hash) in hashes.as_object().into_iter().flatten() {
            let known = self.hashes.get(algorithm);
            if known.map_or(self.finished, |known| known != hash) {
                return Err(Refusal::conflict(format!(
                    "the {algorithm} of the upload is {}, not {hash}",
                    known.unwrap_or(&Value::Null)
                )));
            }
            self.hashes.insert(algorithm.clone(), hash.clone());
        }
        Ok(())
    }

    fn is_there(&self, now: DateTime<Utc>) -> bool {
        self.expires > now && (self.finished || self.begun + UNFINISHED > now)
    }
}

impl Service for Objects {
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        Some(match call.endpoint.name {
            "createUpload" => create_upload(self, context, call).map(Reply::from),
            "finishUpload" => finish_upload(self, context, call),
            "object" => finished(self, context, call.arg("name"), |object| {
                let Object { project, expires, hashes, .. } = object;
                json!({"projectId": project, "expires": timestamp(*expires), "hashes": hashes})
                    .into()
            }),
            "startDownload" => start_download(self, context, call),
            "download" => download(self, context, call),
            _ => return None,
        })
    }
}

fn create_upload(
    objects: &Objects,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let (name, payload, now) = (call.arg("name"), call.payload(), context.now());
    let new = Object {
        project: text(payload, "projectId")?,
        upload_id: text(payload, "uploadId")?,
        expires: date(payload, "expires")?,
        hashes: Map::new(),
        finished: false,
        begun: now,
        key: slugid::nice(),
    };
    let mut objects = objects.lock();
    objects.retain(|_, object| object.is_there(now));
    let is_taken = |(known, object): (&String, &Object)| {
        known != name && object.upload_id == new.upload_id && !object.finished
    };
    if objects.iter().any(is_taken) {
        return Err(Refusal::conflict("`uploadId` is that of another upload"));
    }
    let object = objects.entry(name.to_owned()).or_insert(new);
    let is_same = object.project == text(payload, "projectId")?
        && object.upload_id == text(payload, "uploadId")?
        && object.expires == date(payload, "expires")?;
    if !is_same || object.finished {
        return Err(Refusal::conflict(format!("object {name:?} already exists")));
    }
    object.add_hashes(&payload["hashes"])?;
    let method = upload_method(context, &object.key, &payload["proposedUploadMethods"])?;
    Ok(json!({
        "projectId": object.project, "uploadId": object.upload_id,
        "expires": timestamp(object.expires), "uploadMethod": method,
    }))
}

/// Picks one of the methods that the caller proposes.
fn upload_method(context: &Context, key: &str, proposed: &Value) -> Result<Value, Refusal> {
    if let Some(inline) = proposed.get("dataInline") {
        let data = inline["objectData"].as_str().unwrap_or_default();
        let data = decode(data);
        context.storage.put(key, &text(inline, "contentType")?, data.into(), context.now());
        return Ok(json!({"dataInline": true}));
    }
    let Some(put) = proposed.get("putUrl") else { return Ok(json!({})) };
    let content_type = text(put, "contentType")?;
    // Storage shows nobody's pages as its own.
    let is_page = content_type.starts_with("text/html");
    let mut headers = vec![
        (CONTENT_TYPE, content_type),
        (CONTENT_LENGTH, put["contentLength"].to_string()),
        (CONTENT_ENCODING, "identity".to_owned()),
    ];
    if is_page {
        headers.push((CONTENT_DISPOSITION, "attachment".to_owned()));
    }
    let expires = context.now() + UPLOAD;
    let url = context.put_url(key, expires, &headers);
    let headers: Map<String, Value> = headers
        .into_iter()
        .map(|(name, value)| (title_case(name.as_str()), value.into()))
        .collect();
    Ok(json!({"putUrl": {"url": url, "expires": timestamp(expires), "headers": headers}}))
}

/// A header's name as people write it.
fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| word[..1].to_ascii_uppercase() + &word[1..]);
    words.collect::<Vec<_>>().join("-")
}

fn finish_upload(
    objects: &Objects,
    context: &Context,
    call: &RecordedCall,
) -> Result<Reply, Refusal> {
    let (name, payload) = (call.arg("name"), call.payload());
    let mut objects = objects.lock();
    let object = objects
        .get_mut(name)
        .filter(|object| object.is_there(context.now()))
        .ok_or_else(|| Refusal::not_found(format!("no upload of {name:?} has begun")))?;
    if payload["projectId"] != object.project {
        return Err(Refusal::input(format!("`projectId` is not that of the upload of {name:?}")));
    }
    if payload["uploadId"] != object.upload_id && !object.finished {
        return Err(Refusal::conflict(format!("`uploadId` is not that of the upload of {name:?}")));
    }
    if !context.storage.is_there(&object.key) {
        return Err(Refusal::input(format!("the content of {name:?} has not been uploaded")));
    }
    object.add_hashes(&payload["hashes"])?;
    object.finished = true;
    Ok(json!({}).into())
}

/// Calls `act` with an existing object.
fn finished<T>(
    objects: &Objects,
    context: &Context,
    name: &str,
    act: impl FnOnce(&Object) -> T,
) -> Result<T, Refusal> {
    let (objects, now) = (objects.lock(), context.now());
    let object = objects.get(name).filter(|object| object.finished && object.expires > now);
    object.map(act).ok_or_else(|| Refusal::not_found(format!("object {name:?} does not exist")))
}

fn start_download(
    objects: &Objects,
    context: &Context,
    call: &RecordedCall,
) -> Result<Reply, Refusal> {
    let accepted = &call.payload()["acceptDownloadMethods"];
    let download = finished(objects, context, call.arg("name"), |object| {
        let url = context.get_url(&object.key, context.now() + DOWNLOAD);
        if accepted["getUrl"] == true {
            let expires = timestamp(context.now() + STATED);
            let hashes = &object.hashes;
            Some(json!({"method": "getUrl", "url": url, "expires": expires, "hashes": hashes}))
        } else if accepted["simple"] == true {
            Some(json!({"method": "simple", "url": url}))
        } else {
            None
        }
    })?;
    download.map(Reply::from).ok_or_else(|| {
        Refusal::no_matching_method("objects can be downloaded by `getUrl` and `simple` only")
    })
}

fn download(objects: &Objects, context: &Context, call: &RecordedCall) -> Result<Reply, Refusal> {
    let url = finished(objects, context, call.arg("name"), |object| {
        context.get_url(&object.key, context.now() + DOWNLOAD)
    })?;
    redirect_in_words(&url)
}
