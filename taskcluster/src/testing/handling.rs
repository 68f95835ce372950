//! One call, from its arrival to its answer.

use serde_json::{Map, Value, json};

use super::answer::{Refusal, Rendered, Reply};
use super::authentication::{authenticate, content_type, signature};
use super::authorization::authorize;
use super::recorded::RecordedCall;
use super::routing::{self, Route};
use super::server::{Incoming, Outcome};
use super::state::State;
use super::stub::{Key, Prescribed};
use super::{auth, queue, secrets};

impl State {
    /// Checks a request, takes it down, and finds its answer.
    pub(super) async fn handle(&self, request: Incoming) -> Outcome {
        let (path, query) = request.resource.split_once('?').unwrap_or((&request.resource, ""));
        let Route { reference, endpoint, args } =
            match routing::find(&self.references(), &request.method, path) {
                Ok(route) => route,
                Err(refusal) => {
                    return Outcome::Answer(Reply::from(refusal).render(None, self.now()));
                }
            };
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
        };
        let checked = self.check(&mut call, &request);
        let number = self.record.add(call.clone());
        let outcome = match checked {
            Ok(()) => self.carry_out(&call).await,
            Err(refusal) => Outcome::Answer(self.render(refusal.into(), &call)),
        };
        if let Outcome::Answer(answer) | Outcome::Truncated(answer) = &outcome {
            self.record.answered(number, answer.status);
        }
        outcome
    }

    fn render(&self, reply: Reply, call: &RecordedCall) -> Rendered {
        reply.render(Some(call), self.now())
    }

    /// All that is checked before a call is carried out.
    fn check(&self, call: &mut RecordedCall, request: &Incoming) -> Result<(), Refusal> {
        let caller = authenticate(request, self.now(), |id| auth::account(self, call, id))?;
        call.client_id = caller.client_id;
        call.scopes = caller.scopes;
        routing::check_query(call.endpoint, &call.query)?;
        check_body(call, request)?;
        authorize(call, &self.parameters(call)?)
    }

    /// The values that the endpoint's required scopes may depend on, by name.
    fn parameters(&self, call: &RecordedCall) -> Result<Map<String, Value>, Refusal> {
        let mut known = match &call.payload {
            Some(Value::Object(fields)) => fields.clone(),
            _ => Map::new(),
        };
        known.extend(call.query.iter().map(|(name, value)| (name.clone(), json!(value))));
        known.extend(call.args.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        if call.service == "auth" {
            auth::add_parameters(call, &mut known);
        } else if call.service == "queue" {
            queue::add_parameters(self, call, &mut known)?;
        }
        Ok(known)
    }

    /// Lets stubs answer, or what is built in.
    async fn carry_out(&self, call: &RecordedCall) -> Outcome {
        let RecordedCall { service, version, endpoint, .. } = call;
        let plan = self.stubs.take(Key { service, version, endpoint: endpoint.name });
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        let reply = match plan.answer {
            Prescribed::Disconnect => return Outcome::Disconnected,
            Prescribed::Reply(reply) => reply(call),
            Prescribed::BuiltIn => self.built_in(call).map_or_else(Reply::from, Reply::from),
        };
        let answer = self.render(reply, call);
        if plan.truncate { Outcome::Truncated(answer) } else { Outcome::Answer(answer) }
    }

    fn built_in(&self, call: &RecordedCall) -> Result<Value, Refusal> {
        let RecordedCall { service, version, endpoint, .. } = call;
        if endpoint.name == "ping" && endpoint.route == "/ping" {
            return Ok(json!({"alive": true, "uptime": 1}));
        }
        let answer = match (*service, *version) {
            ("auth", "v1") => auth::answer(self, call),
            ("queue", "v1") => queue::answer(self, call),
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

/// Checks whether there is a body where the reference has one, and whether it is JSON.
fn check_body(call: &RecordedCall, request: &Incoming) -> Result<(), Refusal> {
    let name = call.endpoint.name;
    match (call.endpoint.input, request.body.is_empty()) {
        (None, true) => Ok(()),
        (None, false) => {
            Err(Refusal::input(format!("{name} takes no payload, but the request has a body")))
        }
        (Some(schema), true) => Err(Refusal::input(format!(
            "{name} wants a payload ({schema}), but the request has no body"
        ))),
        (Some(_), false) => {
            let content_type = content_type(&request.headers);
            let essence = content_type.split(';').next().unwrap_or_default().trim();
            if !essence.eq_ignore_ascii_case("application/json") {
                return Err(Refusal::malformed_payload(format!(
                    "the payload must be of content type application/json, not {content_type:?}"
                )));
            }
            match serde_json::from_slice::<serde_core::de::IgnoredAny>(&request.body) {
                Ok(_) => Ok(()),
                Err(error) => {
                    Err(Refusal::malformed_payload(format!("the payload is not JSON: {error}")))
                }
            }
        }
    }
}
