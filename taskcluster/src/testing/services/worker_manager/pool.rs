//! A worker pool, and its form in answers.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::launch_configs::{Changes, LaunchConfigs};
use super::providers::NULL_PROVIDER;
use crate::testing::http::answer::{Refusal, text, timestamp};

pub(super) struct Pool {
    pub(super) id: String,
    pub(super) provider: String,
    /// The providers that it had before and that still have workers in it.
    pub(super) previous_providers: Vec<String>,
    description: String,
    pub(super) owner: String,
    pub(super) email_on_error: bool,
    created: DateTime<Utc>,
    pub(super) modified: DateTime<Utc>,
    /// Without the launch configurations.
    config: Value,
    pub(super) launch_configs: LaunchConfigs,
}

impl Pool {
    /// Creates a pool as a call defines it.
    pub(super) fn new(
        id: &str,
        payload: &Value,
        now: DateTime<Utc>,
    ) -> Result<(Self, Changes), Refusal> {
        let mut pool = Self {
            id: id.to_owned(),
            provider: text(payload, "providerId")?,
            previous_providers: Vec::new(),
            description: text(payload, "description")?,
            owner: text(payload, "owner")?,
            email_on_error: payload["emailOnError"] == true,
            created: now,
            modified: now,
            config: Value::Null,
            launch_configs: LaunchConfigs::default(),
        };
        let changes = pool.set_config(payload["config"].clone(), now)?;
        Ok((pool, changes))
    }

    /// Changes everything that a call defines, or nothing.
    pub(super) fn update(
        &mut self,
        payload: &Value,
        now: DateTime<Utc>,
    ) -> Result<Changes, Refusal> {
        let (provider, description) = (text(payload, "providerId")?, text(payload, "description")?);
        let owner = text(payload, "owner")?;
        let changes = self.set_config(payload["config"].clone(), now)?;
        self.set_provider(provider);
        self.description = description;
        self.owner = owner;
        self.email_on_error = payload["emailOnError"] == true;
        self.modified = now;
        Ok(changes)
    }

    /// Gives it to the null provider, without launch configurations: it goes when its workers have gone.
    pub(super) fn delete(&mut self, now: DateTime<Utc>) -> Result<Changes, Refusal> {
        let changes = self.set_config(self.config.clone(), now)?;
        self.set_provider(NULL_PROVIDER.to_owned());
        self.modified = now;
        Ok(changes)
    }

    fn set_provider(&mut self, provider: String) {
        if self.provider != provider {
            let former = std::mem::replace(&mut self.provider, provider);
            self.previous_providers.retain(|known| *known != self.provider && *known != former);
            self.previous_providers.push(former);
        }
    }

    fn set_config(&mut self, mut config: Value, now: DateTime<Utc>) -> Result<Changes, Refusal> {
        let launch_configs =
            config.as_object_mut().and_then(|config| config.remove("launchConfigs"));
        let launch_configs = match launch_configs {
            Some(Value::Array(configs)) => configs,
            _ => Vec::new(),
        };
        let changes = self.launch_configs.set(&self.id, &launch_configs, now)?;
        self.config = config;
        Ok(changes)
    }

    /// The configuration with the launch configurations, if it has any.
    pub(super) fn config(&self) -> Value {
        let mut config = self.config.clone();
        let configs: Vec<_> =
            self.launch_configs.active().map(|config| config.to_config()).collect();
        if !configs.is_empty() {
            config["launchConfigs"] = json!(configs);
        }
        config
    }

    /// Whether a call would create the same pool.
    pub(super) fn is_defined_by(&self, payload: &Value) -> bool {
        let definition = json!({
            "providerId": self.provider, "description": self.description, "config": self.config(),
            "owner": self.owner, "emailOnError": self.email_on_error,
        });
        definition == *payload
    }

    /// The pool in an answer, with the counts of its workers.
    pub(super) fn to_json(&self, counts: Map<String, Value>) -> Value {
        let mut json = json!({
            "workerPoolId": self.id, "providerId": self.provider, "description": self.description,
            "created": timestamp(self.created), "lastModified": timestamp(self.modified),
            "config": self.config(), "owner": self.owner, "emailOnError": self.email_on_error,
        });
        if let Some(properties) = json.as_object_mut() {
            properties.extend(counts);
        }
        json
    }
}
