//! Routing keys: patterns to bind with, whole keys, and typed parts back from them.

use proptest::prelude::*;
use taskcluster::{ErrorKind, GithubEvents, HooksEvents, QueueEvents, route};

const TASK: &str = "fN1SbArXTPSVFNUvaOlinQ";

#[test]
fn a_binding_names_exchange_and_pattern() {
    let binding =
        QueueEvents::task_completed().provisioner_id("p").worker_type("w").binding().unwrap();
    assert_eq!(binding.exchange, "exchange/taskcluster-queue/v1/task-completed");
    assert_eq!(binding.routing_key_pattern, "primary.*.*.*.*.p.w.*.*.#");
    let binding = QueueEvents::task_completed().run_id(0).reserved("a.b").binding().unwrap();
    assert_eq!(binding.routing_key_pattern, "primary.*.0.*.*.*.*.*.*.a.b");
}

#[test]
fn parts_that_would_shift_the_others_are_refused() {
    let keys = QueueEvents::task_completed;
    for (binding, what) in [
        (
            keys().task_id("a.b").binding(),
            "part `taskId` of the routing key of taskCompleted has a dot",
        ),
        (
            keys().worker_type("").binding(),
            "part `workerType` of the routing key of taskCompleted has an empty word",
        ),
        (
            keys().reserved("a..b").binding(),
            "part `reserved` of the routing key of taskCompleted has an empty word",
        ),
        (keys().worker_id("x".repeat(300)).binding(), "the routing key of taskCompleted is"),
    ] {
        let error = binding.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.message().starts_with(what), "{error}");
    }
    // 255 bytes are still good.
    let rest = "primary.*.*.*..*.*.*.*.#".len();
    assert!(keys().worker_id("x".repeat(255 - rest)).binding().is_ok());
    assert!(keys().worker_id("x".repeat(256 - rest)).binding().is_err());
}

#[test]
fn a_whole_key_wants_its_required_parts() {
    let keys = QueueEvents::task_pending()
        .task_id(TASK)
        .run_id(2)
        .provisioner_id("p")
        .worker_type("w")
        .scheduler_id("-");
    let error = keys.routing_key().unwrap_err();
    assert!(error.message().starts_with(
        "part `taskGroupId` of the routing key of taskPending is required but not set"
    ));
    let key = keys.task_group_id("G").routing_key().unwrap();
    assert_eq!(key, format!("primary.{TASK}.2._._.p.w.-.G"));

    let parts = QueueEvents::task_pending().parse(&key).unwrap();
    assert_eq!((parts.task_id.as_str(), parts.run_id.as_str()), (TASK, "2"));
    assert_eq!((parts.worker_group, parts.worker_id), (None, None));
    assert_eq!((parts.scheduler_id.as_str(), parts.task_group_id.as_str()), ("-", "G"));
    assert_eq!(parts.reserved, None);
}

#[test]
fn wildcards_are_of_patterns_only() {
    let keys = || QueueEvents::task_group_resolved().scheduler_id("s").task_group_id("G");
    assert_eq!(keys().routing_key().unwrap(), "primary.G.s");
    for wildcard in ["*", "#"] {
        for keys in [keys().scheduler_id(wildcard), keys().reserved(format!("a.{wildcard}"))] {
            let error = keys.routing_key().unwrap_err();
            assert!(error.message().contains("has a wildcard"), "{error}");
        }
    }
    // In a pattern they stand for words. `#` stands for any number of them, which would shift the others.
    let pattern =
        |keys: taskcluster::Result<taskcluster::Binding>| keys.unwrap().routing_key_pattern;
    assert_eq!(pattern(keys().scheduler_id("*").reserved("a.#").binding()), "primary.G.*.a.#");
    let error = keys().scheduler_id("#").binding().unwrap_err();
    assert!(error.message().starts_with("part `schedulerId` of the routing key"), "{error}");
}

#[test]
fn routes_are_told_from_routing_keys() {
    assert_eq!(route("route.index.foo"), Some("index.foo"));
    for key in ["primary.index.foo", "route", "route.", "routes.index"] {
        assert_eq!(route(key), None, "{key}");
    }
    let error = QueueEvents::task_completed().parse("route.index.foo").unwrap_err();
    assert!(error.message().contains("it is the route `index.foo`"), "{error}");

    let bind = |route: &str| QueueEvents::task_completed().route_binding(route);
    assert_eq!(bind("index.*.v2.#").unwrap().routing_key_pattern, "route.index.*.v2.#");
    for wrong in ["", "index..foo", "index.", &"x".repeat(250)] {
        assert_eq!(bind(wrong).unwrap_err().kind(), ErrorKind::Input, "{wrong}");
    }
    assert!(bind(&"x".repeat(249)).is_ok());
}

#[test]
fn every_exchange_of_both_generations_can_be_bound() {
    let mut exchanges = 0;
    let current = crate::references::PREBUILT.iter().copied();
    for reference in current.chain(crate::references::of_2017()) {
        for exchange in reference.exchanges {
            exchanges += 1;
            let all: [(&str, &str); 0] = [];
            let pattern = exchange.binding(all).unwrap().routing_key_pattern;
            let words: Vec<_> = pattern.split('.').collect();
            assert_eq!(words.len(), exchange.routing_key.len(), "{}", exchange.exchange);
            for (word, part) in words.into_iter().zip(exchange.routing_key) {
                let any = if part.multiple_words { "#" } else { "*" };
                assert_eq!(word, part.constant.unwrap_or(any), "{}", exchange.exchange);
                let given = exchange.binding([(part.name, 7)]);
                match part.constant {
                    // Constants are not for the caller to set.
                    Some(_) => assert!(given.is_err()),
                    None => assert!(given.unwrap().routing_key_pattern.contains('7')),
                }
            }
        }
    }
    assert_eq!(exchanges, crate::references::count_in_files("exchanges") + 22);
}

#[test]
fn keys_are_taken_apart_from_both_ends() {
    let key = format!("primary.{TASK}.0.wg.wi.p.w.s.G.more.words");
    let parts = QueueEvents::task_completed().parse(&key).unwrap();
    assert_eq!(parts.worker_group, "wg");
    assert_eq!(parts.reserved.as_deref(), Some("more.words"));

    let parts = GithubEvents::push().parse("primary.mozilla.repo").unwrap();
    assert_eq!((parts.organization.as_str(), parts.repository.as_str()), ("mozilla", "repo"));
}

#[test]
fn keys_of_something_else_are_refused() {
    for (key, why) in [
        ("primary.T.0", "too few words"),
        ("", "too few words"),
        ("primary..0.a.b.c.d.e.f", "`taskId` has an empty word"),
        ("other.T.0.a.b.c.d.e.f", "`routingKeyKind` is not `primary`"),
    ] {
        let error = QueueEvents::task_completed().parse(key).unwrap_err();
        assert!(error.message().contains(why), "{key}: {error}");
    }
    let error = GithubEvents::push().parse("primary.a.b.c").unwrap_err();
    assert!(error.message().contains("too many words"), "{error}");
}

#[test]
fn an_exchange_without_parts_but_room_takes_everything() {
    let binding = HooksEvents::hook_created().binding().unwrap();
    assert_eq!(binding.routing_key_pattern, "#");
    assert_eq!(HooksEvents::hook_created().parse("").unwrap().reserved, None);
    assert_eq!(HooksEvents::hook_created().parse("a.b").unwrap().reserved.as_deref(), Some("a.b"));
}

proptest! {
    #[test]
    fn what_is_built_is_parsed_back(
        words in proptest::collection::vec("[a-zA-Z0-9-]{1,20}", 8),
        reserved in proptest::option::of("[a-z]{1,5}(\\.[a-z]{1,5}){0,3}"),
    ) {
        let mut keys = QueueEvents::task_completed()
            .task_id(&words[0]).run_id(&words[1]).worker_group(&words[2]).worker_id(&words[3])
            .provisioner_id(&words[4]).worker_type(&words[5]).scheduler_id(&words[6]).task_group_id(&words[7]);
        if let Some(reserved) = &reserved {
            keys = keys.reserved(reserved);
        }
        let parts = QueueEvents::task_completed().parse(&keys.routing_key().unwrap()).unwrap();
        prop_assert_eq!(
            [parts.task_id, parts.run_id, parts.worker_group, parts.worker_id,
             parts.provisioner_id, parts.worker_type, parts.scheduler_id, parts.task_group_id],
            <[String; 8]>::try_from(words).unwrap()
        );
        prop_assert_eq!(parts.reserved, reserved);
    }

    #[test]
    fn no_key_makes_it_panic(key in ".{0,60}") {
        let _ = QueueEvents::task_completed().parse(&key);
        let _ = GithubEvents::push().parse(&key);
    }
}
