//! Tests that schemas become types: every schema of both generations, and some odd ones.

use std::collections::BTreeMap;

use crate::expand;
use crate::input::files::Files;
use crate::input::invocation::Invocation;
use crate::input::problems::Problems;
use crate::reference;
use crate::reference::model::Reference;
use crate::reference::payloads::Payloads;
use crate::schema::types::{Definition, Kind, Types};

/// An invocation with every reference of both generations.
fn everything() -> Invocation {
    let mut items = String::new();
    for generation in ["current", "2017"] {
        let folder = format!("../references/{generation}");
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files.extend(["v1/api.json", "v1/exchanges.json"].map(|file| path.join(file)));
            } else {
                files.push(path);
            }
        }
        files.retain(|file| file.is_file() && !file.ends_with("patterns.json"));
        files.sort();
        for file in files {
            let number = items.lines().count();
            items.push_str(&format!("pub struct Service{number} = {file:?};\n"));
        }
    }
    syn::parse_str(&items).unwrap()
}

/// The fields that are free-form JSON although their schemas ask for more, with the reason.
fn exceptions(types: &Types) -> BTreeMap<String, String> {
    let mut exceptions = BTreeMap::new();
    for kind in &types.all {
        let Definition::Record(record) = &kind.definition else { continue };
        for field in &record.fields {
            if let Some(why) = field.kind.not_understood() {
                let place = format!("{}#{}", kind.place.path, kind.place.pointer);
                let why = why.trim_start_matches("is not supported: ");
                exceptions.insert(format!("{place}: {}", field.name.wire), why.to_owned());
            }
        }
    }
    exceptions
}

fn understood(invocation: &Invocation) -> (Vec<Reference>, Payloads) {
    let mut problems = Problems::default();
    let mut files = Files::in_this_crate();
    let (references, payloads) = reference::all(invocation, &mut files, &mut problems);
    let problems = problems.into_compile_errors().map(|errors| errors.to_string());
    assert_eq!(problems, None);
    (references, payloads)
}

fn names(types: &Types) -> Vec<&str> {
    let types = types.all.iter().filter(|kind| kind.same_as.is_none());
    types.map(|kind| kind.name.as_str()).collect()
}

#[test]
fn only_what_kept_entries_need_is_made() {
    let queue = "pub struct Reader = \"../references/current/queue/v1/api.json\" { status };";
    let (_, payloads) = understood(&syn::parse_str(queue).unwrap());
    let mut names = names(payloads.of(0));
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "TaskPriority",
            "TaskState",
            "TaskStatus",
            "TaskStatusResponse",
            "TaskStatusRun",
            "TaskStatusRunReasonCreated",
            "TaskStatusRunReasonResolved",
            "TaskStatusRunState",
        ]
    );
}

#[test]
fn one_schema_is_one_type_for_items_that_are_equally_visible() {
    let of = |visibility: &str| {
        let items = format!(
            "pub struct Queue = \"../references/current/queue/v1/api.json\";
            {visibility} struct Events = \"../references/current/queue/v1/exchanges.json\";"
        );
        let (_, payloads) = understood(&syn::parse_str(&items).unwrap());
        let own = |item| payloads.of(item).all.iter().filter(move |kind| kind.item == item);
        (0..2).flat_map(own).filter(|kind| kind.name == "TaskStatus").count()
    };
    assert_eq!((of("pub"), of("")), (1, 2));
}

#[test]
fn every_schema_of_both_generations_is_understood() {
    let invocation = everything();
    let (references, payloads) = understood(&invocation);
    assert!(references.len() > 30);

    let types = payloads.of(0);
    assert!(types.all.len() > 300, "{}", types.all.len());
    assert_eq!(exceptions(types), BTreeMap::new());
    let mut free_form = Vec::new();
    let mut without_items = Vec::new();
    for (item, reference) in invocation.items.iter().zip(&references) {
        for endpoint in &reference.endpoints {
            let name = format!("{}: {}", item.path.value(), endpoint.name.wire);
            for kind in [&endpoint.payload, &endpoint.answer].into_iter().flatten() {
                if kind.not_understood().is_some() {
                    free_form.push(name.clone());
                }
            }
            // A page of something has items of a type.
            let pages = endpoint.query.iter().any(|option| option.wire == "continuationToken");
            if pages && !matches!(&endpoint.item, Some(Kind::Named(_) | Kind::Text)) {
                without_items.push(name);
            }
        }
        for exchange in &reference.exchanges {
            if !matches!(&exchange.message, Some(Kind::Named(_))) {
                free_form.push(format!("{}: {}", item.path.value(), exchange.name.wire));
            }
        }
    }
    assert_eq!(free_form, [""; 0]);
    assert_eq!(without_items, [""; 0]);
    // Almost all that they demand, generated types check by themselves.
    let docs = expand::all(&invocation, &references, &payloads).to_string();
    assert_eq!(docs.matches("checks its whole schema only with").count(), 2);
    assert_eq!(docs.matches("does not check its whole schema").count(), 0);
}

#[test]
fn documentation_says_what_schemas_say_and_what_is_not_checked() {
    let invocation =
        syn::parse_str("pub struct Wire = \"../tests/payloads/api/wire.json\";").unwrap();
    let (references, payloads) = understood(&invocation);
    let docs = expand::all(&invocation, &references, &payloads).to_string();
    for doc in [
        // Of a pattern.
        r"`twice`, `validate` does not check its whole schema: `^(.)\\1$` has a back-reference.",
        r"`letters`, `validate` checks its whole schema only with the feature `validation`.",
        r"`unlike`, matches `^(?!x)y?`.",
        // Of a record.
        r"`validate` checks its whole schema only with the feature `validation`.\n\nDefined in `schemas/wire/v1/demands.json#/properties/conditional`, line 46.",
        // Of a value.
        r"It can wait.\n\n`low`.",
        // Of a contradiction.
        r", free-form JSON because its schema is not supported: `b` is required and not allowed",
    ] {
        assert!(docs.contains(doc), "{doc}");
    }
}

#[test]
fn odd_shapes_are_free_form_json_for_a_reason() {
    let invocation =
        syn::parse_str("pub struct Shapes = \"../tests/compile/api/shapes.json\";").unwrap();
    let (references, payloads) = understood(&invocation);
    let place = "../tests/compile/api/schemas/shapes/v1/";
    let found: Vec<_> = exceptions(payloads.of(0))
        .into_iter()
        .map(|(field, why)| format!("{}: {why}", field.strip_prefix(place).unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            "loop.json#: next: a required field of its own type",
            "odd.json#: always: a value that is always `null`",
            "odd.json#: byPattern: `patternProperties` for some of the names only",
            "odd.json#: byPatternToo: `patternProperties` next to other properties",
            "odd.json#: listOrText: alternatives of different shapes",
            "odd.json#: mixedEnum: values of several types",
            "odd.json#: no: a schema that allows nothing",
            "odd.json#: textOrNumber: values of several types",
            "odd.json#: tuple: a tuple, which lists a schema for each item",
            "odd.json#: tuples: a tuple, which lists a schema for each item",
        ]
    );
    let docs = expand::all(&invocation, &references, &payloads).to_string();
    let reasons = docs.matches("free-form JSON because its schema is not supported").count();
    // Those of fields, and of two payloads that are answers, too.
    assert_eq!(reasons, found.len());
    assert_eq!(docs.matches("free-form JSON because the schema is not supported").count(), 6);
}
