//! Tests that methods are where readers look for them.

use crate::expansion;

/// The methods of a service, in the order in which rustdoc shows them, and the lines of the struct's docs that link to them.
fn methods_and_lists(item: &str) -> (Vec<String>, Vec<String>) {
    let rust = expansion(syn::parse_str(item).unwrap()).to_string();
    let (before, after) = rust.split_once("pub const REFERENCE").unwrap();
    let (methods, _) = after.split_once("pub mod ").unwrap();
    let methods = methods.split("pub fn ").skip(1).filter_map(|method| method.split(' ').next());
    // Names on the wire are hidden.
    let methods = methods.filter(|name| !name.contains(char::is_uppercase));
    let (docs, _) = before.split_once("pub struct ").unwrap();
    let lists = docs.split("\\n").filter_map(|line| line.strip_prefix("- **"));
    let lists = lists.map(|line| line.split('"').next().unwrap_or_default());
    (methods.map(str::to_owned).collect(), lists.map(str::to_owned).collect())
}

#[test]
fn methods_come_by_category_and_monitoring_comes_last() {
    let (methods, lists) = methods_and_lists(
        "pub struct Queue = \"../references/current/queue/v1/api.json\" {
            ping, status, claim_work, list_task_group, create_task, change_task_group_priority,
            heartbeat
        };",
    );
    assert_eq!(
        methods,
        [
            "status",
            "create_task",
            "list_task_group",
            "change_task_group_priority",
            "claim_work",
            "ping",
            "heartbeat"
        ]
    );
    assert_eq!(
        lists,
        [
            "Tasks**: [`status`](Self::status), [`create_task`](Self::create_task)",
            "Task Groups**: [`list_task_group`](Self::list_task_group), \
                [`change_task_group_priority`](Self::change_task_group_priority)",
            "Worker Interface**: [`claim_work`](Self::claim_work)",
            "Monitoring**: [`ping`](Self::ping), [`heartbeat`](Self::heartbeat)",
        ]
    );
}

#[test]
fn methods_are_listed_without_categories_too() {
    let (methods, lists) =
        methods_and_lists("pub struct Queue = \"../references/2017/queue.json\" { ping, status };");
    assert_eq!(methods, ["status", "ping"]);
    assert_eq!(
        lists,
        ["Endpoints**: [`status`](Self::status)", "Monitoring**: [`ping`](Self::ping)"]
    );
}

#[test]
fn every_method_is_listed_once() {
    for service in ["auth", "queue", "worker-manager"] {
        let path = format!("../references/current/{service}/v1/api.json");
        let (methods, lists) = methods_and_lists(&format!("pub struct Service = {path:?};"));
        let listed: Vec<_> = lists
            .iter()
            .flat_map(|list| list.split("(Self::").skip(1))
            .filter_map(|link| link.split(')').next())
            .collect();
        assert_eq!(methods, listed);
        assert!(methods.len() > 20, "{methods:?}");
    }
}
