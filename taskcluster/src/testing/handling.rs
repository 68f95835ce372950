//! One call, from its arrival to its answer.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use tracing::info;

use super::answer::{Refusal, Reply};
use super::auth::AccountsFor;
use super::authentication::{authenticate, content_type, signature};
use super::authorization::authorize;
use super::recorded::RecordedCall;
use super::routing::{self, Route};
use super::schemas::Problem;
use super::server::{Incoming, Outcome};
use super::state::State;
use super::stub::{Key, Plan, Prescribed};
use super::{auth, hooks, index, notify, object, purge_cache, queue, secrets};
use crate::call::required_scopes::parameters;
use crate::reference::Endpoint;

impl State {
    /// Checks a request, takes it down, and finds its answer.
    pub(super) async fn handle(&self, request: Incoming) -> Outcome {
        self.settle();
        if let Some(reply) = self.answer_storage(&request) {
            return Outcome::Answer(reply.render(None, self.clock.signing()));
        }
        let (path, query) = request.resource.split_once('?').unwrap_or((&request.resource, ""));
        let Route { reference, endpoint, args } =
            match routing::find(&self.references(), &request.method, path) {
                Ok(route) => route,
                Err(refusal) => {
                    info!("{} {path}: {refusal}", request.method);
                    return Outcome::Answer(
                        Reply::from(refusal).render(None, self.clock.signing()),
                    );
                }
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
        };
        let checked = self.check(&mut call, &request, skew);
        let number = self.record.add(call.clone());
        let outcome = match checked {
            Ok(()) => self.carry_out(&call, self.stubs.take(key), skew).await,
            Err(refusal) => Outcome::Answer(
                Reply::from(refusal).render(Some(&call), self.clock.signing() + skew),
            ),
        };
        self.fire_bound_hooks();
        if let Outcome::Answer(answer) | Outcome::Truncated(answer) = &outcome {
            call.status = Some(answer.status);
            call.error.clone_from(&answer.error);
            self.record.answered(number, &call);
        }
        info!("{call}");
        outcome
    }

    /// All that is checked before a call is carried out.
    fn check(
        &self,
        call: &mut RecordedCall,
        request: &Incoming,
        skew: TimeDelta,
    ) -> Result<(), Refusal> {
        let times = (self.clock.signing() + skew, self.now() + skew);
        let caller = authenticate(request, times, &AccountsFor { state: self, call })?;
        call.client_id = caller.client_id;
        call.scopes = caller.scopes;
        routing::check_query(call.endpoint, &call.query)?;
        self.check_body(call, request)?;
        authorize(self, call, &self.parameters(call))
    }

    /// Checks that there is a body where the reference has one, and that it is JSON which fits the schema.
    fn check_body(&self, call: &RecordedCall, request: &Incoming) -> Result<(), Refusal> {
        let name = call.endpoint.name;
        let Some(schema) = call.endpoint.input else {
            return match request.body.is_empty() {
                true => Ok(()),
                false => Err(Refusal::input(format!(
                    "{name} takes no payload, but the request has a body"
                ))),
            };
        };
        if request.body.is_empty() {
            return Err(Refusal::input(format!(
                "{name} wants a payload ({schema}), but the request has no body"
            )));
        }
        let content_type = content_type(&request.headers);
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Refusal::malformed_payload(format!(
                "the payload must be of content type application/json, not {content_type:?}"
            )));
        }
        let payload: Value = serde_json::from_slice(&request.body).map_err(|error| {
            Refusal::malformed_payload(format!("the payload is not JSON: {error}"))
        })?;
        self.schemas.check(call.service, schema, &payload).map_err(|problem| match problem {
            Problem::Misfit(places) => Refusal::validation(format!(
                "the payload of {name} does not fit the schema {schema}:\n\n{places}"
            )),
            Problem::NoSchema(why) => Refusal::internal(no_schema(schema, &why)),
        })
    }

    /// Checks what is about to be answered against the endpoint's schema; errors of the service are not.
    pub(super) fn check_answer(
        &self,
        service: &str,
        endpoint: &Endpoint,
        reply: &Reply,
    ) -> Result<(), String> {
        let (true, Some(schema), Some(body)) = (reply.is_success(), endpoint.output, reply.bytes())
        else {
            return Ok(());
        };
        let misfit = |places: &dyn std::fmt::Display| {
            format!(
                "this answer of {service}.{name} does not fit the schema {schema}:\n\n{places}",
                name = endpoint.name
            )
        };
        let value = serde_json::from_slice(body).map_err(|error| misfit(&format!("- {error}")))?;
        self.schemas.check(service, schema, &value).map_err(|problem| match problem {
            Problem::Misfit(places) => misfit(&places),
            Problem::NoSchema(why) => no_schema(schema, &why),
        })
    }

    /// The values that the endpoint's required scopes may depend on, by name.
    fn parameters(&self, call: &RecordedCall) -> Map<String, Value> {
        let payload = call.payload().as_object().cloned().unwrap_or_default();
        let args = call.args.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let mut known =
            parameters(call.service, call.endpoint.name, payload, call.query.clone(), args);
        match call.service {
            "auth" => auth::add_parameters(self, call, &mut known),
            "queue" => queue::add_parameters(self, call, &mut known),
            _ => {}
        }
        known
    }

    /// Lets stubs answer, or what is built in.
    async fn carry_out(&self, call: &RecordedCall, plan: Plan, skew: TimeDelta) -> Outcome {
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        let (reply, checked) = match &plan.answer {
            Prescribed::Disconnect => return Outcome::Reset,
            Prescribed::Reply { reply, checked } => (reply(call), *checked),
            Prescribed::BuiltIn => {
                let reply = self.built_in(call).await.unwrap_or_else(Reply::from);
                (self.as_of_old(call, reply), true)
            }
        };
        let misfit =
            if checked { self.check_answer(call.service, call.endpoint, &reply) } else { Ok(()) };
        let reply = match misfit {
            Ok(()) => reply,
            Err(message) => {
                tracing::error!("{message}");
                Refusal::internal(message).into()
            }
        };
        plan.finish(reply.render(Some(call), self.clock.signing() + skew))
    }

    /// Makes an answer one of 2017, if that is what the reference asks for: without what was added since then.
    fn as_of_old(&self, call: &RecordedCall, reply: Reply) -> Reply {
        let Some(schema) = call.endpoint.output.filter(|schema| schema.contains("://")) else {
            return reply;
        };
        reply.map_json(|value| {
            // It had no pages then.
            if call.is("auth", "listClients") {
                *value = value["clients"].take();
            }
            self.schemas.prune(call.service, schema, value);
        })
    }

    async fn built_in(&self, call: &RecordedCall) -> Result<Reply, Refusal> {
        let RecordedCall { service, version, endpoint, .. } = call;
        if endpoint.name == "ping" && endpoint.route == "/ping" {
            return Ok(json!({"alive": true, "uptime": 1}).into());
        }
        let answer = match (*service, *version) {
            ("auth", "v1") => auth::answer(self, call),
            ("hooks", "v1") => hooks::answer(self, call),
            ("index", "v1") => index::answer(self, call),
            ("notify", "v1") => notify::answer(self, call),
            ("object", "v1") => object::answer(self, call),
            ("purge-cache", "v1") => purge_cache::answer(self, call),
            ("queue", "v1") => queue::answer(self, call).await,
            ("secrets", "v1") => secrets::answer(self, call),
            _ => None,
        };
        answer.unwrap_or_else(|| {
            Err(Refusal::not_stubbed(format!(
                "{service}.{name} is not built into the embedded deployment; \
                 say what it answers by `deployment.on(reference.endpoint(\"{name}\")).reply(...)`",
                name = endpoint.name
            )))
        })
    }
}

fn no_schema(schema: &str, why: &str) -> String {
    format!(
        "the embedded deployment cannot use the schema {schema}: {why}; \
         schemas of your own references are added by `deployment.schemas(folder)`"
    )
}
