//! Where the broker is and who connects to it.

use std::fmt;

use chrono::{DateTime, Utc};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};

use crate::env::variable;
use crate::error::{Error, Result};

/// Mozilla's broker.
const PULSE: &str = "pulse.mozilla.org";

/// A user of a broker, with the password and the broker's address.
///
/// `Debug` shows user, host and port, never the password.
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
    /// A user of `pulse.mozilla.org`, port 5671, with TLS, in the virtual host `/`.
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

    /// Reads an AMQP URL, `amqps://user:password@host:port/vhost`. `amqp:` is without TLS. User, password and virtual host
    /// are percent-encoded; without a virtual host it is `/`. The options of RabbitMQ's URLs, such as `?heartbeat=30` in
    /// seconds, are understood.
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
    /// Anything else, also an URL without user or password. The error shows nothing of the text.
    pub fn from_url(url: &str) -> Result<Self> {
        let refuse = |what| Error::config(format!("the AMQP URL is not right: {what}"));
        // Whoever leaves the user out would silently be `guest`.
        let parsed = reqwest::Url::parse(url).map_err(|_| refuse("it is not an URL"))?;
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

    /// Reads `PULSE_URL`, an AMQP URL, or else `PULSE_USERNAME`, `PULSE_PASSWORD` and, if it is not `pulse.mozilla.org`,
    /// `PULSE_HOST`, with or without a port. An empty variable counts as unset.
    ///
    /// # Errors
    ///
    /// If there is neither an URL nor user and password; if the URL or the host is not one.
    pub fn from_env() -> Result<Self> {
        if let Some(url) = variable("PULSE_URL") {
            return Self::from_url(&url);
        }
        let need = |name| {
            variable(name)
                .ok_or_else(|| Error::config(format!("{name} is not set, nor is PULSE_URL")))
        };
        let credentials = Self::new(need("PULSE_USERNAME")?, need("PULSE_PASSWORD")?);
        match variable("PULSE_HOST") {
            Some(host) => credentials.host(&host),
            None => Ok(credentials),
        }
    }

    /// Another host, with or without a port: `rabbitmq.example.com:5671`. TLS stays.
    ///
    /// # Errors
    ///
    /// If the port is not a number up to 65535.
    pub fn host(mut self, host: &str) -> Result<Self> {
        match host.rsplit_once(':') {
            Some((name, port)) if !name.ends_with(':') && !port.ends_with(']') => {
                self.uri.authority.port = port
                    .parse()
                    .map_err(|_| Error::config(format!("{host:?} is not a host with a port")))?;
                self.uri.authority.host = name.to_owned();
            }
            _ => self.uri.authority.host = host.to_owned(),
        }
        Ok(self)
    }

    /// What stands behind `queue/` in the names of this user's queues, where it is not the user's name.
    ///
    /// The `pulse` service of 2017 hands out users such as `builds-1` and `builds-2` in turn for a namespace `builds`.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// When to ask for new credentials, if they come from a callback: the `reclaimAt` of a claimed namespace. The listener
    /// then changes to a new connection. A time in the past means a second from when they are used.
    #[must_use]
    pub fn renew_at(mut self, time: DateTime<Utc>) -> Self {
        self.renew_at = Some(time);
        self
    }

    /// The user's name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.uri.authority.userinfo.username
    }

    /// Host and port, for logs and errors.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.uri.authority.host, self.uri.authority.port)
    }

    /// The whole name of a queue of this user.
    pub(super) fn queue(&self, name: &str) -> Result<String> {
        let namespace = self.namespace.as_deref().unwrap_or(self.user());
        let prefix = format!("queue/{namespace}/");
        let queue = match name.strip_prefix(&prefix) {
            Some(_) => name.to_owned(),
            None if name.starts_with("queue/") => {
                return Err(Error::input(format!(
                    "the queue {name:?} does not begin with {prefix:?}"
                )));
            }
            None => format!("{prefix}{name}"),
        };
        if queue.len() == prefix.len() {
            return Err(Error::input("the queue's name is empty"));
        }
        if queue.len() > 255 {
            return Err(Error::input(format!(
                "the queue's name has {} bytes, over 255",
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
