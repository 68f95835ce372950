//! Roles: expands `assume:` scopes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scope_sets::set_of;
use crate::scopes::{covers, normalize};
use crate::testing::http::answer::{Refusal, Reply, strings, text, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::{has_foreign_token, page};
use crate::testing::services::context::Context;
use crate::testing::services::context::message::Message;
use crate::{AuthEvents, Exchange};

/// The prefix of a scope that grants a role.
const ASSUME: &str = "assume:";

/// The parameter in the scopes of a role whose id ends in `*`: the part of the name that `*` matched.
const PARAMETER: &str = "<..>";

/// The role that all callers have.
const ANONYMOUS: &str = "anonymous";

/// All roles by id.
pub(super) struct Roles(Mutex<BTreeMap<String, Role>>);

#[derive(Clone)]
struct Role {
    scopes: Vec<String>,
    description: String,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
}

impl Default for Roles {
    /// In every deployment, anyone may read public artifacts.
    fn default() -> Self {
        let now = Utc::now();
        let anonymous = Role {
            scopes: vec!["queue:get-artifact:public/*".to_owned()],
            description: "What anybody may do".to_owned(),
            created: now,
            modified: now,
        };
        Self(Mutex::new(BTreeMap::from([(ANONYMOUS.to_owned(), anonymous)])))
    }
}

impl Role {
    fn new(payload: &Value, now: DateTime<Utc>) -> Result<Self, Refusal> {
        Ok(Self {
            scopes: set_of(strings(payload, "scopes")?),
            description: text(payload, "description")?,
            created: now,
            modified: now,
        })
    }
}

impl Roles {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Role>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds or replaces a role, if it is valid.
    pub(super) fn put(
        &self,
        id: &str,
        scopes: Vec<String>,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let description = "Added by a test".to_owned();
        let role = Role { scopes: set_of(scopes), description, created: now, modified: now };
        store(&mut self.lock(), id, role)
    }

    /// Returns the scopes, followed by those that roles add.
    pub(super) fn expand(&self, scopes: Vec<String>) -> Vec<String> {
        let roles = self.lock();
        let mut expanded = scopes;
        let mut done = 0;
        while let Some(scope) = expanded.get(done).cloned() {
            done += 1;
            for (id, role) in &*roles {
                let Some(parameter) = parameter(&scope, id) else { continue };
                for added in &role.scopes {
                    let added =
                        if id.ends_with('*') { fill(added, parameter) } else { added.clone() };
                    if !expanded.iter().any(|known| covers(known, &added)) {
                        expanded.push(added);
                    }
                }
            }
        }
        expanded
    }

    pub(super) fn check_exists(&self, id: &str) -> Result<(), Refusal> {
        self.lock().get(id).map(|_| ()).ok_or_else(|| no_role(id))
    }

    /// Whether a role leads to itself, if its parameter may be anything.
    fn has_loop(roles: &BTreeMap<String, Role>, from: &str) -> bool {
        let next = |id: &str| {
            let scopes = roles.get(id).map(|role| role.scopes.as_slice()).unwrap_or_default();
            let scopes: Vec<_> = scopes
                .iter()
                .map(|scope| match scope.split_once(PARAMETER).filter(|_| id.ends_with('*')) {
                    Some((before, _)) => format!("{before}*"),
                    None => scope.clone(),
                })
                .collect();
            let leads_to = move |other: &&String| {
                let role = format!("{ASSUME}{other}");
                scopes.iter().any(|scope| covers(scope, &role) || covers(&role, scope))
            };
            roles.keys().filter(leads_to).cloned().collect::<Vec<_>>()
        };
        let (mut open, mut seen) = (next(from), BTreeSet::new());
        while let Some(id) = open.pop() {
            if id == from {
                return true;
            }
            if seen.insert(id.clone()) {
                open.extend(next(&id));
            }
        }
        false
    }
}

/// Returns a role's parameter for a holder of this scope: empty if the role has none, `None` if the scope does not cover the
/// role.
fn parameter<'s>(scope: &'s str, role: &str) -> Option<&'s str> {
    let Some(prefix) = role.strip_suffix('*') else {
        return covers(scope, &format!("{ASSUME}{role}")).then_some("");
    };
    if let Some(name) = scope.strip_prefix(ASSUME)
        && let Some(rest) = name.strip_prefix(prefix)
    {
        return Some(rest);
    }
    let start = scope.strip_suffix('*')?;
    format!("{ASSUME}{prefix}").starts_with(start).then_some("*")
}

/// Puts the parameter into a role's scope, and removes anything after a `*`, which would never match.
fn fill(scope: &str, parameter: &str) -> String {
    match scope.split_once(PARAMETER) {
        Some((before, _)) if parameter.ends_with('*') => format!("{before}{parameter}"),
        Some(_) => scope.replace(PARAMETER, parameter),
        None => scope.to_owned(),
    }
}

/// Returns the scopes that an update of a role would add.
pub(super) fn scopes_added(roles: &Roles, call: &RecordedCall) -> Vec<String> {
    let present = roles.lock().get(call.arg("roleId")).map(|role| role.scopes.clone());
    let held = roles.expand(present.unwrap_or_default());
    let wanted = strings(call.payload(), "scopes").unwrap_or_default();
    wanted.into_iter().filter(|scope| !held.iter().any(|held| covers(held, scope))).collect()
}

/// Answers calls about roles. Returns `None` for other endpoints.
pub(super) fn answer(
    roles: &Roles,
    context: &Context,
    call: &RecordedCall,
) -> Option<Result<Reply, Refusal>> {
    let id = call.arg("roleId");
    let answer = match call.endpoint.name {
        "role" => {
            let found = roles.lock().get(id).cloned();
            found.map(|role| to_json(roles, id, &role)).ok_or_else(|| no_role(id))
        }
        "listRoles" => Ok(all(roles).into_iter().map(|(_, role)| role).collect()),
        "listRoles2" | "listRoleIds" if has_foreign_token(&context.token_key, call) => {
            Err(Refusal::input("`continuationToken` does not belong to this list"))
        }
        "listRoles2" => page(&context.token_key, call, "roles", all(roles).into_iter()),
        "listRoleIds" => {
            let ids = all(roles).into_iter().map(|(id, _)| (id.clone(), json!(id)));
            page(&context.token_key, call, "roleIds", ids)
        }
        "createRole" => create(roles, context, call),
        "updateRole" => update(roles, context, call),
        "deleteRole" => {
            roles.lock().remove(id);
            publish(context, AuthEvents::role_deleted().exchange(), id);
            return Some(Ok(Reply::new(StatusCode::NO_CONTENT)));
        }
        "expandScopes" => strings(call.payload(), "scopes")
            .map(|scopes| json!({"scopes": normalize(roles.expand(scopes))})),
        _ => return None,
    };
    Some(answer.map(Reply::from))
}

fn to_json(roles: &Roles, id: &str, role: &Role) -> Value {
    json!({
        "roleId": id, "description": role.description, "scopes": role.scopes,
        "expandedScopes": normalize(roles.expand(vec![format!("{ASSUME}{id}")])),
        "created": timestamp(role.created), "lastModified": timestamp(role.modified),
    })
}

fn all(roles: &Roles) -> Vec<(String, Value)> {
    let known = roles.lock().clone();
    known.into_iter().map(|(id, role)| (id.clone(), to_json(roles, &id, &role))).collect()
}

fn no_role(id: &str) -> Refusal {
    Refusal::not_found(format!("role {id:?} does not exist"))
}

fn publish(context: &Context, exchange: &'static Exchange, id: &str) {
    let payload = json!({"version": 1, "roleId": id});
    context.publish(&Message::new(exchange, &[], &[], payload));
}

/// Stores a role, if it is valid.
fn store(roles: &mut BTreeMap<String, Role>, id: &str, role: Role) -> Result<(), Refusal> {
    if id.ends_with('*') {
        for scope in role.scopes.iter().filter(|scope| scope.contains(PARAMETER)) {
            if scope.matches(PARAMETER).count() > 1 {
                return Err(Refusal::input(format!("{scope} has the parameter {PARAMETER} twice")));
            }
            if scope.ends_with(&format!("*{PARAMETER}")) {
                return Err(Refusal::input(format!("{scope} has a `*` before {PARAMETER}")));
            }
        }
    }
    let former = roles.insert(id.to_owned(), role);
    if Roles::has_loop(roles, id) {
        match former {
            Some(former) => roles.insert(id.to_owned(), former),
            None => roles.remove(id),
        };
        return Err(Refusal::input(format!("the role {id:?} would lead to itself")));
    }
    Ok(())
}

/// Creates a role. Creating the same role again is not an error.
fn create(roles: &Roles, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("roleId");
    let new = Role::new(call.payload(), context.now())?;
    let role = {
        let mut all = roles.lock();
        match all.get(id) {
            Some(role) if (&role.scopes, &role.description) == (&new.scopes, &new.description) => {
                role.clone()
            }
            Some(_) => {
                return Err(Refusal::conflict(format!("a different role {id:?} already exists")));
            }
            None => {
                store(&mut all, id, new.clone())?;
                new
            }
        }
    };
    publish(context, AuthEvents::role_created().exchange(), id);
    Ok(to_json(roles, id, &role))
}

fn update(roles: &Roles, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("roleId");
    let mut new = Role::new(call.payload(), context.now())?;
    {
        let mut all = roles.lock();
        new.created = all.get(id).ok_or_else(|| no_role(id))?.created;
        store(&mut all, id, new.clone())?;
    }
    publish(context, AuthEvents::role_updated().exchange(), id);
    Ok(to_json(roles, id, &new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(roles: &[(&str, &[&str])], scopes: &[&str]) -> Vec<String> {
        let all = Roles(Mutex::default());
        for (id, scopes) in roles {
            let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
            all.put(id, scopes, Utc::now()).unwrap();
        }
        normalize(all.expand(scopes.iter().map(|&scope| scope.to_owned()).collect()))
    }

    #[test]
    fn roles_add_their_scopes() {
        let roles: &[(&str, &[&str])] = &[
            ("a", &["x:1"]),
            ("a:b", &["assume:a", "x:2"]),
            ("repo:*", &["push:<..>", "assume:project:<..>:level", "fixed"]),
            ("project:*", &["in:<..>:x"]),
        ];
        for (scopes, added) in [
            (&["assume:a"][..], &["x:1"][..]),
            (&["assume:a:b"], &["assume:a", "x:1", "x:2"]),
            (&["assume:a*"], &["x:1", "x:2"]),
            (&["assume:b"], &[]),
            (
                &["assume:repo:gecko"],
                &["assume:project:gecko:level", "fixed", "in:gecko:level:x", "push:gecko"],
            ),
            (&["assume:repo:gec*"], &["assume:project:gec*", "fixed", "in:gec*", "push:gec*"]),
            (&["assume:rep*"], &["assume:project:*", "fixed", "in:*", "push:*"]),
            (&["assume:repo"], &[]),
        ] {
            let mut all: Vec<_> =
                scopes.iter().chain(added).map(|&scope| scope.to_owned()).collect();
            all.sort();
            assert_eq!(expanded(roles, scopes), all, "{scopes:?}");
        }
        assert_eq!(expanded(roles, &["*"]), ["*"]);
    }
}
