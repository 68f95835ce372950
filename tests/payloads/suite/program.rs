// Reads every document of the suite as the type of its schema.

use serde::Serialize;
use serde::de::DeserializeOwned;
use suite::*;
use taskcluster::{Error, Value, json, serde_json};

taskcluster::taskcluster_api! {
    pub struct Suite = "suite/suite.json";
}

struct All {
    documents: Vec<Vec<Value>>,
    outcomes: Vec<Value>,
}

impl All {
    fn check<T: DeserializeOwned + Serialize>(
        &mut self,
        group: usize,
        validate: fn(&T) -> Result<(), Error>,
    ) {
        for (document, data) in self.documents[group].iter().enumerate() {
            let payload = json!({"value": data});
            let outcome = match serde_json::from_str::<T>(&payload.to_string()) {
                Err(error) => {
                    json!({"group": group, "document": document, "refused": error.to_string()})
                }
                Ok(read) => {
                    let written = serde_json::to_string(&read).unwrap();
                    let written: Value = serde_json::from_str(&written).unwrap();
                    json!({
                        "group": group,
                        "document": document,
                        "changed": (!is_same(&written, &payload)).then_some(written),
                        "invalid": validate(&read).err().map(|error| error.to_string()),
                    })
                }
            };
            self.outcomes.push(outcome);
        }
    }
}

/// Whether two values are the same, however their numbers are written.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, a)| other.get(key).is_some_and(|b| is_same(a, b)))
        }
        (one, other) => one == other,
    }
}

fn main() {
    let documents = std::fs::read_to_string("FOLDER/documents.json").unwrap();
    let documents = serde_json::from_str(&documents).unwrap();
    let mut all = All { documents, outcomes: Vec::new() };
// checks
    std::fs::write("FOLDER/outcomes.json", Value::from(all.outcomes).to_string()).unwrap();
}
