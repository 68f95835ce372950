//! Providers of workers, and the configuration of worker pools that each takes.

use serde_json::{Value, json};

use crate::testing::http::answer::Refusal;
use crate::testing::http::schemas::{Problem, Schemas};

/// The provider of pools that are about to go. It takes any configuration, and provides nothing.
pub(super) const NULL_PROVIDER: &str = "null-provider";

/// A provider that a deployment has.
#[derive(Clone, Copy)]
pub(super) enum Provider {
    /// That of pools without workers.
    Null,
    Of(ProviderType),
}

impl Provider {
    /// Refuses a configuration that the provider does not understand.
    pub(super) fn check(self, config: &Value) -> Result<(), Refusal> {
        match self {
            Self::Null => Ok(()),
            Self::Of(kind) => kind.check(config),
        }
    }
}

/// A kind of provider, which decides what a worker pool's configuration looks like and who creates workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderType {
    /// Machines in Amazon's cloud.
    Aws,
    /// Machines in Microsoft's cloud.
    Azure,
    /// Machines in Google's cloud.
    Google,
    /// Machines that somebody runs and that `createWorker` makes known.
    Static,
}

impl ProviderType {
    /// All types, by the names that they have in a deployment.
    pub(super) const ALL: [Self; 4] = [Self::Aws, Self::Azure, Self::Google, Self::Static];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Google => "google",
            Self::Static => "static",
        }
    }

    fn check(self, config: &Value) -> Result<(), Refusal> {
        match Schemas::check_by(&self.schema(), config) {
            Ok(()) => Ok(()),
            Err(Problem::Misfit(why) | Problem::NoSchema(why)) => Err(Refusal::validation(
                format!("`config` is not one for {}:\n\n{why}", self.name()),
            )),
        }
    }

    fn schema(self) -> Value {
        if self == Self::Static {
            return json!({
                "type": "object", "additionalProperties": false,
                "properties": {
                    "lifecycle": lifecycle(&["reregistrationTimeout"]),
                    "workerConfig": {"type": "object"},
                },
            });
        }
        json!({
            "type": "object", "additionalProperties": false,
            "required": ["minCapacity", "maxCapacity", "launchConfigs"],
            "properties": {
                "minCapacity": {"type": "integer", "minimum": 0},
                "maxCapacity": {"type": "integer", "minimum": 0},
                "scalingRatio": {"type": "number", "minimum": 0, "maximum": 1},
                "lifecycle": lifecycle(&[
                    "registrationTimeout", "reregistrationTimeout", "queueInactivityTimeout",
                ]),
                "launchConfigs": {"type": "array", "uniqueItems": true, "items": self.launch_config()},
            },
        })
    }

    /// The schema of a launch configuration, of which most is the cloud's own business.
    fn launch_config(self) -> Value {
        let required = match self {
            Self::Aws => &["region", "launchConfig"][..],
            Self::Azure => &["workerConfig", "location"],
            Self::Google => &[
                "workerConfig",
                "region",
                "zone",
                "machineType",
                "disks",
                "networkInterfaces",
                "scheduling",
            ],
            Self::Static => &[],
        };
        let text = || json!({"type": "string"});
        let object = || json!({"type": "object"});
        let mut schema = json!({
            "type": "object", "required": required,
            "properties": {
                "workerManager": {
                    "type": "object", "additionalProperties": false,
                    "properties": {
                        "launchConfigId": {
                            "type": "string", "pattern": "^([a-zA-Z0-9-_]*)$", "minLength": 1,
                            "maxLength": 38,
                        },
                        "capacityPerInstance": {"type": "integer", "minimum": 1},
                        "initialWeight": {"type": "number", "minimum": 0, "maximum": 1},
                        "maxCapacity": {"type": "integer", "minimum": 0},
                    },
                },
                "capacityPerInstance": {"type": "integer", "minimum": 1},
                "workerConfig": object(), "region": text(), "zone": text(), "location": text(),
                "machineType": text(), "disks": {"type": "array"},
                "networkInterfaces": {"type": "array"}, "scheduling": object(),
                "launchConfig": object(), "additionalUserData": object(),
            },
        });
        if self == Self::Aws {
            schema["additionalProperties"] = json!(false);
        }
        schema
    }
}

/// The schema of a lifecycle with these parts.
fn lifecycle(parts: &[&str]) -> Value {
    let part = |name: &&str| {
        let schema = match *name {
            "reregistrationTimeout" => json!({"type": "integer", "maximum": 2_592_000}),
            "queueInactivityTimeout" => json!({"type": "integer", "minimum": 1200}),
            _ => json!({"type": "integer"}),
        };
        ((*name).to_owned(), schema)
    };
    let properties: serde_json::Map<_, _> = parts.iter().map(part).collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}
