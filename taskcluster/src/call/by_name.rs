//! Calls by wire name, checked against the reference at run time.

use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use reqwest::Url;
use serde_core::Serialize;
use serde_core::de::DeserializeOwned;
use serde_json::Value;

use super::paged::Paged;
use super::request::Request;
use super::{Call, CallFuture};
use crate::client::Client;
use crate::client::retry::Retry;
use crate::client::service::Service;
use crate::error::{Error, Result};
use crate::reference::nearest::nearest;
use crate::reference::{Endpoint, Reference};

/// A call to an endpoint chosen by name at run time; see [`Client::call`].
///
/// The call is checked against the reference when it is used, before anything is sent. Unknown names, missing
/// arguments, and a missing or unexpected payload are errors.
#[derive(Clone)]
#[must_use = "nothing is sent until the call is awaited or sent"]
pub struct NamedCall {
    /// The path arguments set so far, in the endpoint's order.
    args: Vec<Option<String>>,
    /// Everything else. The path is filled in last.
    request: Request,
    has_payload: bool,
}

impl Client {
    /// Calls an endpoint by its wire name, for programs that learn at run time what to call.
    ///
    /// ```no_run
    /// # async fn f(client: taskcluster::Client) -> Result<(), taskcluster::Error> {
    /// use taskcluster::{Queue, json};
    ///
    /// let task = json!({"created": "2026-01-01T00:00:00.000Z", /* … */});
    /// let status = client.call(&Queue::REFERENCE, "createTask")?
    ///     .param("taskId", "fN1SbArXTPSVFNUvaOlinQ")
    ///     .payload(&task)
    ///     .send()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the reference has no such endpoint; the error names the nearest one.
    pub fn call(&self, reference: &'static Reference, endpoint: &str) -> Result<NamedCall> {
        Ok(self.endpoint(reference, endpoint)?.call())
    }

    /// Looks up an endpoint by its wire name, for programs that call it more than once.
    ///
    /// [`call`](Self::call) looks it up for each call.
    ///
    /// ```no_run
    /// # async fn f(client: taskcluster::Client, ids: Vec<String>) -> Result<(), taskcluster::Error> {
    /// let status = client.endpoint(&taskcluster::Queue::REFERENCE, "status")?;
    /// for task_id in ids {
    ///     println!("{}", status.call().param("taskId", task_id).await?);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the reference has no such endpoint; the error names the nearest one.
    pub fn endpoint(&self, reference: &'static Reference, name: &str) -> Result<NamedEndpoint> {
        let endpoint = reference.find_endpoint(name)?;
        Ok(NamedEndpoint { service: Service::new(self, reference), endpoint })
    }
}

/// An endpoint chosen by name at run time; see [`Client::endpoint`]. Cheap to clone.
#[derive(Clone)]
pub struct NamedEndpoint {
    service: Service,
    endpoint: &'static Endpoint,
}

impl NamedEndpoint {
    /// Starts a call to this endpoint.
    pub fn call(&self) -> NamedCall {
        let Self { service, endpoint } = self;
        let args = vec![None; endpoint.args.len()];
        NamedCall { args, request: Request::new(service, endpoint), has_payload: false }
    }
}

/// Shows the service's URL and the endpoint's name.
impl fmt::Debug for NamedEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedEndpoint")
            .field("base_url", &self.service.base_url().as_str())
            .field("name", &self.endpoint.name)
            .finish()
    }
}

impl NamedCall {
    fn endpoint(&self) -> &'static Endpoint {
        self.request.endpoint
    }

    /// Sets a path argument: a string, an integer, or a value that serializes as one.
    ///
    /// Any other value, an unknown name, and an argument that is set twice are errors when the call is used.
    pub fn param(mut self, name: &str, value: impl Serialize) -> Self {
        match self.endpoint().args.iter().position(|arg| *arg == name) {
            Some(i) => {
                let text = self.text_of(name, value);
                if self.args[i].replace(text).is_some() {
                    let endpoint = self.endpoint().name;
                    self.request.fail(format!("argument `{name}` of {endpoint} is set twice"));
                }
            }
            None => self.unknown("argument", name, self.endpoint().args),
        }
        self
    }

    /// Converts an argument's value to text.
    fn text_of(&mut self, name: &str, value: impl Serialize) -> String {
        match serde_json::to_value(value) {
            Ok(Value::String(text)) => text,
            Ok(Value::Number(number)) if !number.is_f64() => number.to_string(),
            _ => {
                let endpoint = self.endpoint().name;
                self.request.fail(format!(
                    "argument `{name}` of {endpoint} is neither a string nor an integer"
                ));
                String::new()
            }
        }
    }

    /// Sets several path arguments by name.
    ///
    /// ```
    /// # let client = taskcluster::Client::builder("https://tc.example.com").build()?;
    /// use taskcluster::Queue;
    ///
    /// let call = client.call(&Queue::REFERENCE, "getArtifact")?;
    /// let task_id = "fN1SbArXTPSVFNUvaOlinQ";
    /// let call = call.params([("taskId", task_id), ("runId", "0"), ("name", "public/log")]);
    /// let path = format!("/api/queue/v1/task/{task_id}/runs/0/artifacts/public%2Flog");
    /// assert_eq!(call.url()?.path(), path);
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn params<'n, V: Serialize>(self, params: impl IntoIterator<Item = (&'n str, V)>) -> Self {
        params.into_iter().fold(self, |call, (name, value)| call.param(name, value))
    }

    /// Sets all path arguments, in the order of the route.
    ///
    /// If there are too few or too many, or if [`param`](Self::param) has already set one, it is an error when the call is used.
    ///
    /// ```
    /// # let client = taskcluster::Client::builder("https://tc.example.com").build()?;
    /// use taskcluster::Queue;
    ///
    /// let call = client.call(&Queue::REFERENCE, "reclaimTask")?.args(["0"]);
    /// let error = call.url().unwrap_err();
    /// assert_eq!(error.message(), "reclaimTask takes 2 arguments (taskId, runId), got 1");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn args<V: Serialize>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        if values.len() == self.args.len() {
            for (name, value) in self.endpoint().args.iter().zip(values) {
                self = self.param(name, value);
            }
        } else {
            let Endpoint { name, args, .. } = self.endpoint();
            let (want, have, names) = (args.len(), values.len(), args.join(", "));
            self.request.fail(format!("{name} takes {want} arguments ({names}), got {have}"));
        }
        self
    }

    /// Sets a query option.
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        match self.endpoint().query.iter().find(|known| **known == name) {
            Some(known) => self.request.set_query(*known, &value),
            None => self.unknown("query option", name, self.endpoint().query),
        }
        self
    }

    /// Sets the payload.
    pub fn payload(mut self, payload: impl Serialize) -> Self {
        self.has_payload = true;
        self.request = self.request.with_payload(&payload);
        self
    }

    /// Limits the duration of one attempt; see [`Call::timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request.set_timeout(timeout);
        self
    }

    /// Sets how often the call is retried, and after what delays; see [`Call::retry`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.request.set_retry(retry);
        self
    }

    /// Adds a header; see [`Call::header`].
    pub fn header(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.request.set_header(name, &value);
        self
    }

    /// Sends this token in place of a signature; see [`Call::bearer`].
    pub fn bearer(mut self, token: impl AsRef<str>) -> Self {
        self.request.set_bearer(token.as_ref());
        self
    }

    fn unknown(&mut self, what: &str, name: &str, known: &[&'static str]) {
        let nearest = nearest(name, known.iter().copied());
        let error = Error::unknown_name(self.endpoint().name, what, name, nearest);
        self.request.fail(error.message().to_owned());
    }

    /// Finishes the call. Any mistake in it is returned as an error when the call is used.
    pub fn into_call(self) -> Call<Value> {
        let Self { args, mut request, has_payload } = self;
        let Endpoint { name, args: names, input, .. } = request.endpoint;
        for (arg, _) in names.iter().zip(&args).filter(|(_, value)| value.is_none()) {
            request.fail(format!("argument `{arg}` of {name} is missing; set it with `param`"));
        }
        match (input, has_payload) {
            (Some(_), false) => {
                request.fail(format!("{name} needs a payload; set it with `payload`"))
            }
            (None, true) => request.fail(format!("{name} takes no payload")),
            _ => {}
        }
        let args: Vec<&dyn fmt::Display> =
            args.iter().map(|arg| arg.as_ref().map_or(&"" as _, |text| text as _)).collect();
        Call::new(request.with_args(&args))
    }

    /// Finishes the call as one that can fetch all pages.
    ///
    /// # Errors
    ///
    /// Returns an error if the endpoint is not paged.
    pub fn into_paged(self) -> Result<Paged> {
        match self.endpoint().paging {
            Some(_) => Ok(Paged::new(self.into_call())),
            None => Err(Error::input(format!("{} is not paged; use `send`", self.endpoint().name))),
        }
    }

    /// Sends the call; awaiting it is the same.
    ///
    /// # Errors
    ///
    /// Returns an error if an argument or the payload is wrong, and for all the reasons that [`Call::send`] lists.
    pub fn send(self) -> CallFuture<Value> {
        self.into_call().send()
    }

    /// Sends the call and decodes the response as a type of your choice; see [`Call::send_as`].
    ///
    /// A type with only the properties that you need is decoded in less time than a [`Value`] of all.
    ///
    /// ```no_run
    /// # async fn f(client: taskcluster::Client) -> Result<(), taskcluster::Error> {
    /// use taskcluster::{Queue, queue::TaskStatusResponse};
    ///
    /// let call = client.call(&Queue::REFERENCE, "status")?.param("taskId", "fN1SbArXTPSVFNUvaOlinQ");
    /// let response: TaskStatusResponse = call.send_as().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send).
    pub fn send_as<T: DeserializeOwned>(self) -> CallFuture<T> {
        self.into_call().send_as()
    }

    /// Sends the call and blocks until the response is there; see [`Call::send_blocking`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send), and an error if called inside an async runtime.
    pub fn send_blocking(self) -> Result<Value> {
        self.into_call().send_blocking()
    }

    /// Returns the URL of the call; see [`Call::url`].
    ///
    /// # Errors
    ///
    /// Returns an error if an argument or the payload is wrong.
    pub fn url(self) -> Result<Url> {
        self.into_call().url()
    }

    /// Returns a URL with a bewit; see [`Call::signed_url`].
    ///
    /// # Errors
    ///
    /// Returns an error if an argument or the payload is wrong, and for all the reasons that [`Call::signed_url`]
    /// lists.
    pub fn signed_url(self, lifetime: Duration) -> Result<Url> {
        self.into_call().signed_url(lifetime)
    }
}

impl IntoFuture for NamedCall {
    type Output = Result<Value>;
    type IntoFuture = CallFuture<Value>;

    fn into_future(self) -> CallFuture<Value> {
        self.send()
    }
}

impl fmt::Debug for NamedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clone().into_call().fmt(f)
    }
}
