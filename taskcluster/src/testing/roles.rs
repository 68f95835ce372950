//! Roles: what `assume:` scopes stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::Deployment;
use super::answer::{Refusal, Reply, strings, text, timestamp};
use super::auth::set_of;
use super::messages::Message;
use super::paging::page;
use super::recorded::RecordedCall;
use super::state::State;
use crate::AuthEvents;
use crate::reference::Exchange;
use crate::scopes::{covers, normalize};

/// What a scope begins with that stands for a role.
const ASSUME: &str = "assume:";

/// What stands for the rest of a name in the scopes of a role whose id ends in `*`.
const PARAMETER: &str = "<..>";

/// The role that everybody has.
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
    /// In all deployments anybody may read public artifacts.
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

    /// Adds or replaces a role, if it makes sense.
    fn put(&self, id: &str, scopes: Vec<String>, now: DateTime<Utc>) -> Result<(), Refusal> {
        let description = "Added by a test".to_owned();
        let role = Role { scopes: set_of(scopes), description, created: now, modified: now };
        store(&mut self.lock(), id, role)
    }

    /// The scopes, and behind them all that roles add to them.
    pub(super) fn expand(&self, scopes: Vec<String>) -> Vec<String> {
        let roles = self.lock();
        let mut expanded = scopes;
        let mut done = 0;
        while let Some(scope) = expanded.get(done).cloned() {
            done += 1;
            for (id, role) in &*roles {
                let Some(parameter) = parameter(&scope, id) else { continue };
                for added in &role.scopes {
                    let added = fill(added, parameter);
                    if !expanded.iter().any(|known| covers(known, &added)) {
                        expanded.push(added);
                    }
                }
            }
        }
        expanded
    }

    /// What everybody may do.
    pub(super) fn anonymous(&self) -> Vec<String> {
        self.expand(vec![format!("{ASSUME}{ANONYMOUS}")])
    }

    /// Whether a role leads to itself by scopes that carry its parameter on, which could go on for ever.
    fn has_loop(roles: &BTreeMap<String, Role>, from: &str) -> bool {
        let next = |id: &str| {
            let prefix = id.strip_suffix('*');
            let scopes = prefix.and_then(|_| roles.get(id)).map(|role| role.scopes.as_slice());
            let begins: Vec<_> = scopes
                .unwrap_or_default()
                .iter()
                .filter_map(|scope| {
                    Some(scope.split_once(PARAMETER)?.0.strip_prefix(ASSUME)?.to_owned())
                })
                .collect();
            let leads_to = move |other: &&String| {
                other.strip_suffix('*').is_some_and(|prefix| {
                    begins
                        .iter()
                        .any(|begin| begin.starts_with(prefix) || prefix.starts_with(begin))
                })
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

/// What a role's parameter is for a holder of this scope: empty for a role without; `None` if the scope does not cover
/// the role.
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

/// Puts the parameter into a role's scope. What stands behind a `*` would never match and is cut off.
fn fill(scope: &str, parameter: &str) -> String {
    match scope.split_once(PARAMETER) {
        Some((before, _)) if parameter.ends_with('*') => format!("{before}{parameter}"),
        Some(_) => scope.replace(PARAMETER, parameter),
        None => scope.to_owned(),
    }
}

/// The scopes that an update of a role would add.
pub(super) fn scopes_added(state: &State, call: &RecordedCall) -> Vec<String> {
    let roles = state.roles.lock();
    let present = roles.get(call.arg("roleId")).map(|role| role.scopes.clone());
    super::auth::added(&present.unwrap_or_default(), call)
}

/// Answers what is about roles; `None` for other endpoints.
pub(super) fn answer(state: &State, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
    let id = call.arg("roleId");
    let answer = match call.endpoint.name {
        "role" => {
            let found = state.roles.lock().get(id).cloned();
            found.map(|role| to_json(state, id, &role)).ok_or_else(|| no_role(id))
        }
        "listRoles" => Ok(all(state).into_iter().map(|(_, role)| role).collect()),
        "listRoles2" => page(&state.token_key, call, "roles", all(state).into_iter()),
        "listRoleIds" => {
            let ids = all(state).into_iter().map(|(id, _)| (id.clone(), json!(id)));
            page(&state.token_key, call, "roleIds", ids)
        }
        "createRole" => create(state, call),
        "updateRole" => update(state, call),
        "deleteRole" => {
            if state.roles.lock().remove(id).is_some() {
                publish(state, AuthEvents::role_deleted().exchange(), id);
            }
            return Some(Ok(Reply::new(StatusCode::OK)));
        }
        "expandScopes" => strings(call.payload(), "scopes")
            .map(|scopes| json!({"scopes": normalize(state.roles.expand(scopes))})),
        _ => return None,
    };
    Some(answer.map(Reply::from))
}

fn to_json(state: &State, id: &str, role: &Role) -> Value {
    json!({
        "roleId": id, "description": role.description, "scopes": role.scopes,
        "expandedScopes": normalize(state.roles.expand(vec![format!("{ASSUME}{id}")])),
        "created": timestamp(role.created), "lastModified": timestamp(role.modified),
    })
}

fn all(state: &State) -> Vec<(String, Value)> {
    let roles = state.roles.lock().clone();
    roles.into_iter().map(|(id, role)| (id.clone(), to_json(state, &id, &role))).collect()
}

fn no_role(id: &str) -> Refusal {
    Refusal::not_found(format!("there is no role {id:?}"))
}

fn publish(state: &State, exchange: &'static Exchange, id: &str) {
    let payload = json!({"version": 1, "roleId": id});
    state.publish(Message::new(exchange, &[], &[], payload));
}

/// Stores a role that makes sense.
fn store(roles: &mut BTreeMap<String, Role>, id: &str, role: Role) -> Result<(), Refusal> {
    if !id.ends_with('*')
        && let Some(scope) = role.scopes.iter().find(|scope| scope.contains(PARAMETER))
    {
        return Err(Refusal::input(format!(
            "{scope} has the parameter {PARAMETER}, but the role {id:?} does not end in `*`"
        )));
    }
    let former = roles.insert(id.to_owned(), role);
    if Roles::has_loop(roles, id) {
        match former {
            Some(former) => roles.insert(id.to_owned(), former),
            None => roles.remove(id),
        };
        return Err(Refusal::input(format!(
            "the role {id:?} would lead to itself by scopes with the parameter {PARAMETER}"
        )));
    }
    Ok(())
}

/// Creates a role; the same one may be created again.
fn create(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("roleId");
    let new = Role::new(call.payload(), state.now())?;
    let (role, is_new) = {
        let mut roles = state.roles.lock();
        match roles.get(id) {
            Some(role) if (&role.scopes, &role.description) == (&new.scopes, &new.description) => {
                (role.clone(), false)
            }
            Some(_) => {
                return Err(Refusal::conflict(format!(
                    "there is a role {id:?} already, and it is another one"
                )));
            }
            None => {
                store(&mut roles, id, new.clone())?;
                (new, true)
            }
        }
    };
    if is_new {
        publish(state, AuthEvents::role_created().exchange(), id);
    }
    Ok(to_json(state, id, &role))
}

fn update(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("roleId");
    let mut new = Role::new(call.payload(), state.now())?;
    {
        let mut roles = state.roles.lock();
        new.created = roles.get(id).ok_or_else(|| no_role(id))?.created;
        store(&mut roles, id, new.clone())?;
    }
    publish(state, AuthEvents::role_updated().exchange(), id);
    Ok(to_json(state, id, &new))
}

impl Deployment {
    /// Adds a role with these scopes, or replaces the one of that name. An id ending in `*` stands for all that begin
    /// like it, and `<..>` in the scopes for what the `*` covers.
    ///
    /// There is one role from the start: `anonymous`, whose scopes everybody has. It allows to read public artifacts.
    ///
    /// ```
    /// use taskcluster::Auth;
    /// use taskcluster::testing::Deployment;
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.role("repo:*", ["auth:current-scopes", "queue:route:index.<..>.*"]);
    /// let tc = fake.connect_as("ci", ["assume:repo:gecko"])?;
    /// let scopes = tc.call(&Auth::REFERENCE, "currentScopes")?.send_blocking()?;
    /// assert_eq!(scopes["scopes"][2], "queue:route:index.gecko.*");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If it is a role that `createRole` would refuse: with `<..>` but without `*`, or leading to itself.
    #[track_caller]
    #[expect(clippy::panic, reason = "documented; without the role a test would fail elsewhere")]
    pub fn role<S: Into<String>>(
        &self,
        role_id: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) {
        let scopes = scopes.into_iter().map(Into::into).collect();
        if let Err(refusal) = self.state().roles.put(&role_id.into(), scopes, self.now()) {
            panic!("{}", refusal.message());
        }
    }
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
