//! The address of the broker, and the user that connects to it.

use std::fmt;

use chrono::{DateTime, Utc};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};

use crate::env::variable;
use crate::error::{Error, Result};

/// Mozilla's broker.
const PULSE: &str = "pulse.mozilla.org";

/// A user and password for a broker, and the broker's address.
///
/// `Debug` shows the user, host and port, never the password.
///
/// ```
/// use taskcluster::pulse::PulseCredentials;
///
/// let credentials = PulseCredentials::new("builds", "no-secret");
/// assert_eq!(
///     format!("{credentials:?}"),
///     r#"PulseCredentials { user: "builds", host: "pulse.mozilla.org", port: 5671, .. }"#
/// );
/// ```
#[derive(Clone)]
pub struct PulseCredentials {
    pub(super) uri: AMQPUri,
    pub(super) namespace: Option<String>,
    pub(super) renew_at: Option<DateTime<Utc>>,
}

impl PulseCredentials {
    /// Creates credentials for `pulse.mozilla.org`, port 5671, with TLS, in the virtual host `/`.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        let userinfo = AMQPUserInfo { username: user.into(), password: password.into() };
        let uri = AMQPUri {
            scheme: AMQPScheme::AMQPS,
            authority: AMQPAuthority { userinfo, host: PULSE.to_owned(), port: 5671 },
            vhost: "/".to_owned(),
            query: AMQPQueryString::default(),
        };
        Self { uri, namespace: None, renew_at: None }
    }

    /// Parses an AMQP URL, `amqps://user:password@host:port/vhost`.
    ///
    /// `amqp:` means without TLS. User, password and virtual host must be percent-encoded. The virtual host defaults to
    /// `/`. RabbitMQ's query options, such as `?heartbeat=30` (in seconds), are supported.
    ///
    /// ```
    /// use taskcluster::pulse::PulseCredentials;
    ///
    /// let credentials = PulseCredentials::from_url("amqp://tester:no%2Dsecret@127.0.0.1:5672")?;
    /// assert_eq!(credentials.user(), "tester");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not such a URL, or has no user or no password. The error never quotes the text.
    pub fn from_url(url: &str) -> Result<Self> {
        let refuse = |what| Error::config(format!("invalid AMQP URL: {what}"));
        // Without a user, the connection would silently use `guest`.
        let parsed = reqwest::Url::parse(url).map_err(|_| refuse("it is not a URL"))?;
        if parsed.username().is_empty() || parsed.password().is_none() {
            return Err(refuse("it has no user or no password"));
        }
        let mut uri: AMQPUri =
            url.parse().map_err(|_| refuse("it is not `amqps://user:password@host:port/vhost`"))?;
        if uri.vhost.is_empty() {
            uri.vhost = "/".to_owned();
        }
        Ok(Self { uri, namespace: None, renew_at: None })
    }

    /// Reads credentials from the environment: `PULSE_URL` (an AMQP URL), or else `PULSE_USERNAME` and `PULSE_PASSWORD`.
    ///
    /// With the latter two, `PULSE_HOST`, with or without a port, replaces the default `pulse.mozilla.org`. An empty
    /// variable counts as unset.
    ///
    /// # Errors
    ///
    /// Returns an error if neither the URL nor user and password are set, or if the URL or the host is invalid.
    pub fn from_env() -> Result<Self> {
        if let Some(url) = variable("PULSE_URL") {
            return Self::from_url(&url);
        }
        let need = |name| {
            variable(name)
                .ok_or_else(|| Error::config(format!("neither {name} nor PULSE_URL is set")))
        };
        let credentials = Self::new(need("PULSE_USERNAME")?, need("PULSE_PASSWORD")?);
        match variable("PULSE_HOST") {
            Some(host) => credentials.host(&host),
            None => Ok(credentials),
        }
    }

    /// Sets another host, with or without a port: `rabbitmq.example.com:5671`. This does not change whether TLS is used.
    ///
    /// # Errors
    ///
    /// Returns an error if the port is not a number up to 65535.
    pub fn host(mut self, host: &str) -> Result<Self> {
        match host.rsplit_once(':') {
            Some((name, port)) if !name.ends_with(':') && !port.ends_with(']') => {
                self.uri.authority.port = port.parse().map_err(|_| {
                    // A whole URL has a password before the `@`.
                    let host = host.rsplit_once('@').map_or(host, |_| "…");
                    Error::config(format!("the port in {host:?} is not a number up to 65535"))
                })?;
                self.uri.authority.host = name.to_owned();
            }
            _ => self.uri.authority.host = host.to_owned(),
        }
        Ok(self)
    }

    /// Sets the namespace, which follows `queue/` in the names of this user's queues. It defaults to the user's name.
    ///
    /// The `pulse` service of 2017 hands out users such as `builds-1` and `builds-2` in turn for a namespace `builds`.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Sets when to ask the callback for new credentials, such as the `reclaimAt` of a claimed namespace.
    ///
    /// At this time, the listener switches to a new connection. A time in the past means one second after connecting.
    #[must_use]
    pub fn renew_at(mut self, time: DateTime<Utc>) -> Self {
        self.renew_at = Some(time);
        self
    }

    /// Returns the user's name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.uri.authority.userinfo.username
    }

    /// Host and port, for logs and errors.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.uri.authority.host, self.uri.authority.port)
    }

    /// The full name of one of this user's queues.
    pub(super) fn queue(&self, name: &str) -> Result<String> {
        let namespace = self.namespace.as_deref().unwrap_or(self.user());
        let prefix = format!("queue/{namespace}/");
        let queue = match name.strip_prefix(&prefix) {
            Some(_) => name.to_owned(),
            None if name.starts_with("queue/") => {
                return Err(Error::input(format!(
                    "the queue name {name:?} does not start with {prefix:?}"
                )));
            }
            None => format!("{prefix}{name}"),
        };
        if queue.len() == prefix.len() {
            return Err(Error::input("the queue name is empty"));
        }
        if queue.len() > 255 {
            return Err(Error::input(format!(
                "the queue name is {} bytes long; the limit is 255",
                queue.len()
            )));
        }
        Ok(queue)
    }
}

impl fmt::Debug for PulseCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PulseCredentials")
            .field("user", &self.user())
            .field("host", &self.uri.authority.host)
            .field("port", &self.uri.authority.port)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_named_as_pulse_demands() {
        let credentials = PulseCredentials::new("builds-1", "no-secret");
        assert_eq!(credentials.queue("a").unwrap(), "queue/builds-1/a");
        assert_eq!(credentials.queue("queue/builds-1/a/b").unwrap(), "queue/builds-1/a/b");
        for wrong in ["", "queue/builds-1/", "queue/else/a", &"x".repeat(241)] {
            assert!(credentials.queue(wrong).is_err(), "{wrong}");
        }
        assert!(credentials.queue(&"x".repeat(240)).is_ok());
        assert_eq!(credentials.namespace("builds").queue("a").unwrap(), "queue/builds/a");
    }

    #[test]
    fn addresses() {
        let at = |host| PulseCredentials::new("u", "p").host(host).map(|c| c.address());
        assert_eq!(at("broker.example.com").unwrap(), "broker.example.com:5671");
        assert_eq!(at("broker.example.com:1").unwrap(), "broker.example.com:1");
        assert_eq!(at("[::1]").unwrap(), "[::1]:5671");
        assert_eq!(at("[::1]:7").unwrap(), "[::1]:7");
        assert!(at("broker.example.com:x").is_err());
        assert!(at("broker.example.com:65536").is_err());
    }

    #[test]
    fn urls() {
        let of = PulseCredentials::from_url;
        let uri =
            of("amqps://a%40b:p%2Fw@broker.example.com/some%2Fwhere?heartbeat=7").unwrap().uri;
        assert_eq!(uri.authority.userinfo.username, "a@b");
        assert_eq!(uri.authority.userinfo.password, "p/w");
        assert_eq!((uri.authority.port, uri.vhost.as_str()), (5671, "some/where"));
        assert_eq!(uri.query.heartbeat, Some(7));
        for url in ["amqp://u:p@h", "amqp://u:p@h/", "amqp://u:p@h/%2f"] {
            assert_eq!(of(url).unwrap().uri.vhost, "/", "{url}");
        }
        for wrong in [
            "",
            "sesame",
            "http://u:sesame@h",
            "amqp://h",
            "amqp://u@sesame",
            "amqp://u:sesame@h:x",
        ] {
            let error = of(wrong).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("sesame"), "{error}");
        }
    }
}
