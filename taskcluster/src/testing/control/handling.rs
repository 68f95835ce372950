//! Handles a call from its arrival to its answer.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use reqwest::header::{ALLOW, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tracing::info;

use super::state::State;
use super::stub::{DOWNLOAD, Key, Plan, Prescribed, STORAGE, UPLOAD};
use crate::testing::http::answer::{Outcome, Refusal, Reply};
use crate::testing::http::authentication::{authenticate, signature};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::patterns::{check_arguments, check_options};
use crate::testing::http::request::Incoming;
use crate::testing::http::routing::{self, Miss, Route};
use crate::testing::http::server::Handler;
use crate::testing::services::context::storage::PREFIX;
use crate::testing::services::meta;

impl Handler for State {
    /// Checks a request, records it, and finds its answer.
    async fn handle(&self, request: Incoming) -> Outcome {
        let context = self.context();
        context.settle();
        if request.resource.starts_with(PREFIX) {
            return self.transfer(request).await;
        }
        if let Some(reply) = self.answer_references(&request) {
            return self.finish(reply);
        }
        if let Some(reply) = self.services.web_ui.answer(context, &request) {
            context.work_on_messages();
            return self.finish(reply);
        }
        let (path, query) = request.resource.split_once('?').unwrap_or((&request.resource, ""));
        let references = self.references();
        let miss = |miss: Miss| {
            info!("{} {path}: {miss}", request.method);
            self.finish(miss.into())
        };
        if request.method == Method::OPTIONS {
            return match routing::methods(&references, path) {
                Ok(methods) => self.finish(options(methods)),
                Err(why) => miss(why),
            };
        }
        let Route { reference, endpoint, args } =
            match routing::find(&references, &request.method, path) {
                Ok(route) => route,
                Err(why) => return miss(why),
            };
        let key = Key::of(reference, endpoint);
        let skew = self.stubs.skew(key);
        let mut call = RecordedCall {
            service: reference.service,
            version: reference.version,
            endpoint,
            args,
            query: routing::query(query),
            payload: serde_json::from_slice(&request.body).ok(),
            headers: request.headers.clone(),
            client_id: None,
            scopes: Vec::new(),
            signature: signature(&request),
            status: None,
            error: None,
            body: json!({}),
        };
        let checked = self.check(&mut call, &request, skew);
        let number = self.record.add(call.clone());
        let outcome = match checked {
            Ok(()) => self.carry_out(&call, self.stubs.take(key), skew).await,
            Err(refusal) => Outcome::Answer(
                Reply::from(refusal).render(Some(&call), context.clock.signing() + skew),
            ),
        };
        context.work_on_messages();
        if let Outcome::Answer(answer) | Outcome::Truncated { answer, .. } = &outcome {
            call.status = Some(answer.status);
            call.error.clone_from(&answer.error);
            self.record.answered(number, &call);
        }
        info!("{call}");
        outcome
    }

    fn refuse(&self, refusal: Refusal) -> Outcome {
        self.finish(refusal.into())
    }

    fn storage_prefix(&self) -> &'static str {
        PREFIX
    }
}

impl State {
    /// Answers a request that is not a call.
    fn finish(&self, reply: Reply) -> Outcome {
        Outcome::Answer(reply.render(None, self.context().clock.signing()))
    }

    /// A request to the storage, which takes no part in the API.
    async fn transfer(&self, request: Incoming) -> Outcome {
        let context = self.context();
        let endpoint = if request.method == Method::PUT { &UPLOAD } else { &DOWNLOAD };
        let mut call = RecordedCall {
            service: STORAGE,
            version: "",
            endpoint,
            args: BTreeMap::new(),
            query: Vec::new(),
            payload: None,
            headers: request.headers.clone(),
            client_id: None,
            scopes: Vec::new(),
            signature: None,
            status: None,
            error: None,
            body: json!({}),
        };
        let number = self.transfers.add(call.clone());
        let plan = self.stubs.take(Key::of_storage(endpoint));
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        let reply = match &plan.answer {
            Prescribed::Disconnect => return Outcome::Reset,
            Prescribed::Reply { reply, .. } => reply(&call),
            Prescribed::BuiltIn => {
                let unknown = || Refusal::not_found("no content is stored at this URL").into();
                context.storage.answer(&request, context.now()).unwrap_or_else(unknown)
            }
        };
        let outcome = plan.finish(reply.render(Some(&call), context.clock.signing()));
        if let Outcome::Answer(answer) | Outcome::Truncated { answer, .. } = &outcome {
            call.status = Some(answer.status);
            self.transfers.answered(number, &call);
        }
        info!("{call}");
        outcome
    }

    /// Makes all the checks that come before a call is carried out, in the order of the real services.
    fn check(
        &self,
        call: &mut RecordedCall,
        request: &Incoming,
        skew: TimeDelta,
    ) -> Result<(), Refusal> {
        let context = self.context();
        let text = read_body(call, request)?;
        let times = (context.clock.signing() + skew, context.now() + skew);
        let caller = authenticate(request, text.as_bytes(), times, &*context.accounts(call));
        let mut refused = None;
        match caller {
            Ok(caller) => {
                call.client_id = caller.client_id;
                call.scopes = caller.scopes;
            }
            // These two look at the payload first, and other open endpoints do not look at signatures.
            Err(refusal) if call.tests_signatures() => refused = Some(refusal),
            Err(_) if call.endpoint.scopes.is_none() => {}
            Err(refusal) => return Err(refusal),
        }
        context.authorize_early(call)?;
        check_arguments(call)?;
        routing::check_query(call.endpoint, &call.query)?;
        check_options(call)?;
        check_body(call, request)?;
        context.complete(call);
        context.check_payload(call)?;
        match refused {
            Some(refusal) => Err(refusal),
            None => context.authorize_late(call),
        }
    }

    /// Gets the answer from a stub, or else from the service.
    async fn carry_out(&self, call: &RecordedCall, plan: Plan, skew: TimeDelta) -> Outcome {
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        let context = self.context();
        let (reply, checked) = match &plan.answer {
            Prescribed::Disconnect => return Outcome::Reset,
            Prescribed::Reply { reply, checked } => (reply(call), *checked),
            Prescribed::BuiltIn => {
                let reply = self.built_in(call).await.unwrap_or_else(Reply::from);
                (self.as_of_old(call, reply), true)
            }
        };
        let misfit = match checked {
            true => context.schemas.check_answer(call.service, call.endpoint, &reply),
            false => Ok(()),
        };
        let reply = match misfit {
            Ok(()) => reply,
            Err(message) => {
                tracing::error!("{message}");
                Refusal::internal(message).into()
            }
        };
        plan.finish(reply.render(Some(call), context.clock.signing() + skew))
    }

    /// Removes what was added since 2017 from the answer to a call by a reference of that time.
    fn as_of_old(&self, call: &RecordedCall, reply: Reply) -> Reply {
        let Some(schema) = call.endpoint.output.filter(|schema| schema.contains("://")) else {
            return reply;
        };
        reply.map_json(|value| self.context().schemas.prune(call.service, schema, value))
    }

    async fn built_in(&self, call: &RecordedCall) -> Result<Reply, Refusal> {
        let RecordedCall { service, endpoint, .. } = call;
        if let Some(answer) = meta::answer(endpoint) {
            return Ok(answer.into());
        }
        self.context().answer(call).await.unwrap_or_else(|| {
            Err(Refusal::not_stubbed(format!(
                "{service}.{name} is not built into the embedded deployment; \
                 stub it with `deployment.on(reference.endpoint(\"{name}\")).reply(...)`",
                name = endpoint.name
            )))
        })
    }
}

/// Reads the body, and returns its text if it is JSON. Services do not look at any other body.
fn read_body(call: &mut RecordedCall, request: &Incoming) -> Result<String, Refusal> {
    if !is_json(request) || request.body.is_empty() {
        return Ok(String::new());
    }
    let text = String::from_utf8_lossy(&request.body).into_owned();
    call.body = serde_json::from_str(&text)
        .map_err(|error| Refusal::malformed_payload(format!("the payload is not JSON: {error}")))?;
    match call.body {
        Value::Object(_) | Value::Array(_) => Ok(text),
        _ => Err(Refusal::malformed_payload("the payload is neither a JSON object nor an array")),
    }
}

fn is_json(request: &Incoming) -> bool {
    let essence = request.content_type().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Checks that the body is JSON if the endpoint takes a payload. If it takes none, the body does not matter.
fn check_body(call: &RecordedCall, request: &Incoming) -> Result<(), Refusal> {
    let (name, content_type) = (call.endpoint.name, request.content_type());
    match call.endpoint.input {
        Some(schema) if content_type.is_empty() && request.body.is_empty() => {
            Err(Refusal::malformed_payload(format!(
                "{name} requires a payload ({schema}), but the request has no body"
            )))
        }
        Some(_) if !is_json(request) => Err(Refusal::malformed_payload(format!(
            "the payload must be of content type application/json, not {content_type:?}"
        ))),
        _ => Ok(()),
    }
}

/// The answer to a request for the methods of a path.
fn options(methods: String) -> Reply {
    let reply = Reply::new(StatusCode::OK);
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    match HeaderValue::try_from(&methods) {
        Ok(allowed) => reply.header(ALLOW, allowed).body(text, methods),
        Err(_) => reply,
    }
}
