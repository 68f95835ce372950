//! Renders `.taskcluster.yml` files, as the service does before it creates the tasks of an event.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::events::{Place, event};
use super::{labels, yaml};
use crate::slugid;
use crate::testing::http::answer::Refusal;
use crate::testing::http::call::RecordedCall;
use crate::testing::http::schemas::{Problem, Schemas};
use crate::testing::services::context::{Context, template};

const SCHEDULER: &str = "taskcluster-github";

/// Answers `renderTaskclusterYml`. Returns `None` for a file of version 0, which is rendered otherwise.
pub(super) fn answer(context: &Context, call: &RecordedCall) -> Option<Result<Value, Refusal>> {
    let payload = call.payload();
    if labels::has_marks(&payload.to_string()) {
        return Some(Err(Refusal::input("the characters U+FDD0 to U+FDD2 cannot be used")));
    }
    let file = yaml::parse(payload["body"].as_str().unwrap_or_default());
    if file.as_ref().is_ok_and(|file| file["version"] == 0) {
        return None;
    }
    let rendered = file
        .map_err(|why| format!("the file is not YAML: {why}"))
        .and_then(|file| render(context, file, &Occasion::of(payload)));
    Some(rendered.map_err(Refusal::input))
}

/// What the tasks are for.
struct Occasion(Map<String, Value>);

impl Occasion {
    fn of(payload: &Value) -> Self {
        let fake = &payload["fakeEvent"];
        let overrides = fake["overrides"].as_object().cloned().unwrap_or_default();
        let text = |value: Option<&Value>, default: &str| {
            value.and_then(Value::as_str).unwrap_or(default).to_owned()
        };
        let organization = text(payload.get("organization"), "taskcluster");
        let repository = text(payload.get("repository"), "testing");
        let branch = text(overrides.get("branch"), "main");
        let tasks_for = text(fake.get("type"), "");
        let place = Place { organization: &organization, repository: &repository, branch: &branch };
        let mut body = event(&tasks_for, &fake["action"], &place);
        body.extend(overrides.clone());
        if tasks_for == "github-issue-comment"
            && let Some(command) = body["comment"]["body"].as_str().and_then(command)
        {
            body.insert("taskcluster_comment".to_owned(), json!(command));
        }
        let occasion = json!({
            "organization": organization, "repository": repository, "branch": branch,
            "tasks_for": tasks_for, "body": body,
        });
        let mut occasion = occasion.as_object().cloned().unwrap_or_default();
        // What is meant for the event also replaces what was said about it.
        occasion.extend(overrides);
        Self(occasion)
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The roles that create the tasks.
    fn roles(&self) -> Result<Option<String>, String> {
        let body = self.0.get("body").unwrap_or(&Value::Null);
        let role = match self.text("tasks_for") {
            "github-pull-request" | "github-issue-comment" => "pull-request".to_owned(),
            "github-pull-request-untrusted" => "pull-request-untrusted".to_owned(),
            "github-push" => {
                let pushed = body["ref"].as_str().ok_or("the event's `ref` is not text")?;
                let mut parts = pushed.splitn(3, '/').skip(1);
                match (parts.next(), parts.next().unwrap_or_default()) {
                    (Some("tags"), tag) => format!("tag:{tag}"),
                    (_, branch) => format!("branch:{branch}"),
                }
            }
            "github-release" => {
                format!("release:{}", body["action"].as_str().unwrap_or("published"))
            }
            _ => return Ok(None),
        };
        let (organization, repository) = (self.text("organization"), self.text("repository"));
        Ok(Some(format!("assume:repo:github.com/{organization}/{repository}:{role}")))
    }
}

/// The command in a comment: what follows `/taskcluster` at the begin of a line.
fn command(comment: &str) -> Option<&str> {
    let rests = comment.lines().filter_map(|line| line.trim_start().strip_prefix("/taskcluster"));
    let mut commands = rests.filter(|rest| rest.starts_with(char::is_whitespace)).map(str::trim);
    commands.find(|command| !command.is_empty())
}

fn render(context: &Context, mut file: Value, occasion: &Occasion) -> Result<Value, String> {
    Schemas::check_by(&schema(), &file).map_err(|problem| match problem {
        Problem::Misfit(places) => format!("the file does not fit its schema:\n\n{places}"),
        Problem::NoSchema(why) => why,
    })?;
    if let Some(file) = file.as_object_mut() {
        file.retain(|name, _| !matches!(name.as_str(), "version" | "hooks"));
    }
    if occasion.text("branch").contains(|c: char| !matches!(c, ' '..='~')) {
        return Err("the name of the branch is not printable ASCII".to_owned());
    }
    labels::mark(&mut file);
    let values = json!({
        "taskcluster_root_url": context.root_url(),
        "tasks_for": occasion.0.get("tasks_for"), "event": occasion.0.get("body"),
    });
    let mut rendered = template::render(&file, &values, context.now())
        .map_err(|why| format!("the file cannot be rendered: {why}"))?;
    labels::resolve(&mut rendered).ok_or("the result of `as_slugid` cannot be cut")?;

    let has_checks = rendered.get("reporting").is_some_and(|reporting| !reporting.is_null());
    let route = if has_checks { "checks" } else { "statuses" };
    let tasks = match rendered.get_mut("tasks").map(Value::take) {
        None => Vec::new(),
        Some(Value::Array(tasks)) => complete(tasks, route)?,
        Some(_) => return Err("`tasks` does not render to a list".to_owned()),
    };
    let scopes = occasion
        .roles()?
        .into_iter()
        .chain([format!("queue:route:{route}"), format!("queue:scheduler-id:{SCHEDULER}")]);
    Ok(json!({"tasks": tasks, "scopes": scopes.collect::<Vec<_>>()}))
}

/// Adds what tasks may leave out, and sorts them so that each comes after those that it depends on.
fn complete(tasks: Vec<Value>, route: &str) -> Result<Vec<Value>, String> {
    let tasks = tasks.into_iter().map(|task| match task {
        Value::Object(task) => Ok(task),
        _ => Err("a task does not render to an object"),
    });
    let mut tasks: Vec<_> = tasks.collect::<Result<_, _>>()?;
    let text =
        |task: &Map<String, Value>, name| task.get(name).and_then(Value::as_str).map(str::to_owned);
    // A single task is a decision task, whose group has its id; of several, none is.
    let group = match &tasks[..] {
        [task] => {
            let id = text(task, "taskId").or_else(|| text(task, "taskGroupId"));
            let id = id.unwrap_or_else(slugid::nice);
            tasks[0].entry("taskId").or_insert_with(|| json!(id));
            id
        }
        _ => slugid::nice(),
    };
    let mut sorted = Sorted::default();
    for mut task in tasks {
        let routes = task.entry("routes").or_insert_with(|| json!([]));
        let routes = routes.as_array_mut().ok_or("the `routes` of a task are not a list")?;
        routes.push(json!(route));
        let mut distinct = Vec::new();
        for route in routes.drain(..) {
            if !distinct.contains(&route) {
                distinct.push(route);
            }
        }
        *routes = distinct;
        task.entry("taskGroupId").or_insert_with(|| json!(group));
        task.entry("schedulerId").or_insert_with(|| json!(SCHEDULER));
        let id = match task.remove("taskId") {
            None => slugid::nice(),
            Some(Value::String(id)) => id,
            Some(_) => return Err("the `taskId` of a task is not text".to_owned()),
        };
        let dependencies = match task.get("dependencies") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(ids)) => {
                ids.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            Some(_) => return Err("the `dependencies` of a task are not a list".to_owned()),
        };
        sorted.add(id, task, dependencies);
    }
    sorted.finish()
}

/// Tasks, each after those that it depends on, and otherwise in the order of the file.
#[derive(Default)]
struct Sorted {
    ids: Vec<String>,
    tasks: HashMap<String, Map<String, Value>>,
    dependencies: HashMap<String, Vec<String>>,
    /// How many dependencies name each.
    dependents: HashMap<String, usize>,
}

impl Sorted {
    fn add(&mut self, id: String, task: Map<String, Value>, dependencies: Vec<String>) {
        for known in std::iter::once(&id).chain(&dependencies) {
            if !self.dependents.contains_key(known) {
                self.dependents.insert(known.clone(), 0);
                self.ids.push(known.clone());
            }
        }
        for dependency in &dependencies {
            *self.dependents.entry(dependency.clone()).or_default() += 1;
        }
        self.dependencies.entry(id.clone()).or_default().extend(dependencies);
        self.tasks.insert(id, task);
    }

    fn finish(mut self) -> Result<Vec<Value>, String> {
        let mut free: Vec<_> =
            self.ids.iter().filter(|id| self.dependents[*id] == 0).cloned().collect();
        let (mut sorted, mut count) = (Vec::new(), 0);
        while let Some(id) = free.pop() {
            count += 1;
            for dependency in self.dependencies.remove(&id).unwrap_or_default() {
                let left = self.dependents.entry(dependency.clone()).or_default();
                *left = left.saturating_sub(1);
                if *left == 0 {
                    free.push(dependency);
                }
            }
            // Those of other files have no task.
            sorted.extend(self.tasks.remove(&id).map(|task| json!({"taskId": id, "task": task})));
        }
        if count < self.ids.len() {
            return Err("tasks depend on each other in a circle".to_owned());
        }
        sorted.reverse();
        Ok(sorted)
    }
}

/// The schema of files of version 1.
fn schema() -> Value {
    let one_of = |values: Value| json!({"type": "string", "enum": values});
    json!({
        "type": "object",
        "properties": {
            "version": {"type": "integer", "enum": [1]},
            "policy": {
                "type": "object",
                "properties": {
                    "pullRequests": one_of(json!([
                        "public", "public_restricted", "collaborators", "collaborators_quiet",
                    ])),
                    "allowComments": one_of(json!(["collaborators"])),
                },
                "additionalProperties": false,
            },
            "reporting": one_of(json!(["checks-v1"])),
            "autoCancelPreviousChecks": {"type": "boolean"},
            "hooks": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "context": {"type": "object"}},
                    "required": ["name"],
                    "additionalProperties": false,
                },
            },
            "tasks": {
                "oneOf": [{"type": "array", "items": {"type": "object"}}, {"type": "object"}],
            },
        },
        "required": ["version"],
        "additionalProperties": false,
    })
}
