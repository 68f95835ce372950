//! Schemas of odd shapes: all become types; what is not understood is free form.

use std::collections::BTreeMap;
use std::fmt::Debug;

use taskcluster::serde_json::{self, Value, json};
use taskcluster::{Call, Client, FreeForm, Nullable};

taskcluster::taskcluster_api! {
    pub struct Shapes = "api/shapes.json";
}

// Not all of them: some are called as what every program has.
use shapes::{
    Expression, Kinds, ListItem, Loop, Most, Odd, OddAllOfSeveral, OddBesideOneOf, OddConstrained, OddEmpty,
    OddNullableEnum, OddOneBranch, OddPlace, OddRecordOrMap, OddUnion, PropertyNames, Tree, Values, ValuesValue,
};

/// The type of an endpoint's answer.
fn answer<T>(_: impl FnOnce() -> Call<T>) {}

#[track_caller]
fn again<T>(json: Value) -> T
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + Clone + Debug,
{
    let text = json.to_string();
    let read: T = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let written = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), json);
    assert_eq!(serde_json::from_str::<T>(&written).unwrap(), read);
    // A tree takes keys that stand there twice; a record does not.
    assert_eq!(written.len(), text.len(), "{written}");
    assert_eq!(read.clone(), read);
    read
}

fn refused<T: serde::de::DeserializeOwned + Debug>(json: Value) -> String {
    let error = serde_json::from_str::<T>(&json.to_string()).unwrap_err().to_string();
    error.split(" at line ").next().unwrap().to_owned()
}

fn odd() {
    let mut odd = Odd::new();
    odd.all_of_one = Some(Tree::new("root"));
    let mut several = OddAllOfSeveral::new();
    (several.a, several.b) = (Some("a".to_owned()), Some("b".to_owned()));
    odd.all_of_several = Some(several);
    odd.by_pattern = Some(json!({"a": 0, "1": "any"}).into());
    let _: &Option<FreeForm> = &odd.by_pattern_too;
    let _: &Option<FreeForm> = &odd.tuple;
    let _: &Option<Vec<FreeForm>> = &odd.tuples;
    let _: (&Option<FreeForm>, &Option<FreeForm>, &Option<FreeForm>) = (&odd.anything, &odd.yes, &odd.no);
    odd.form = Some("localhost".to_owned());
    odd.form_of_itself = Some("long enough".to_owned());
    odd.one_branch = Some(OddOneBranch::new("a"));
    let _: &Option<FreeForm> = &odd.mixed_enum;
    odd.nullable_enum = OddNullableEnum::A.into();
    odd.numbers = Some(2);
    let _: &Option<FreeForm> = &odd.always;
    odd.nullable.set("x");
    let _: &Option<i64> = &odd.nullable_required;
    let _: &Nullable<OddPlace> = &odd.nullable_record;
    let _: &Nullable<OddPlace> = &odd.nullable_record_again;
    let _: &Nullable<Kinds> = &odd.nullable_union;
    let _: &Option<FreeForm> = &odd.text_or_number;
    odd.empty = Some(OddEmpty::new());
    let _: &Option<FreeForm> = &odd.open;
    let _: &Option<OddBesideOneOf> = &odd.beside_one_of;
    odd.constrained = Some(OddConstrained::default());
    let _: (&Option<OddRecordOrMap>, &Option<OddUnion>) = (&odd.record_or_map, &odd.union);
    let _: &Option<FreeForm> = &odd.list_or_text;

    // `null` where it must be there, nothing elsewhere.
    let least = serde_json::to_value(Odd::new()).unwrap();
    assert_eq!(least, json!({"nullableRequired": null}));
    assert_eq!(refused::<Odd>(json!({})), "`nullableRequired` is missing");
    // What came as `null` goes out as `null`, and a program can send it.
    let nulls: Odd = again(json!({
        "nullableRequired": null, "nullable": null, "nullableEnum": null, "nullableRecord": null,
        "nullableRecordAgain": null, "nullableUnion": null, "anything": null,
    }));
    assert_ne!(nulls, Odd::new());
    let mut same = Odd::new();
    (same.nullable, same.nullable_enum) = (Nullable::Null, Nullable::Null);
    (same.nullable_record, same.nullable_record_again) = (Nullable::Null, Nullable::Null);
    (same.nullable_union, same.anything) = (Nullable::Null, Some(FreeForm::default()));
    assert_eq!(same, nulls);
    assert!(format!("{same:?}").contains("nullable: Null"), "{same:?}");
    let with: Odd = again(json!({
        "nullableRequired": 1, "nullable": "x", "nullableEnum": "b", "nullableUnion": {"kind": "new"},
    }));
    assert_eq!(with.nullable.value().unwrap(), "x");
    // Where a schema does not allow `null`, it counts as left out.
    let lenient: Odd = serde_json::from_value(json!({"nullableRequired": null, "numbers": null})).unwrap();
    assert_eq!(lenient, Odd::new());
    let place: Odd = again(json!({"nullableRecordAgain": {"x": 1}, "nullableRequired": 3}));
    assert_eq!(place.nullable_record_again.value().unwrap().x, 1);

    // What is not understood is kept whole.
    let full = json!({
        "allOfSeveral": {"a": "x", "b": "y", "c": 1}, "besideOneOf": {"a": "x", "c": "y"},
        "recordOrMap": {"z": "kept"}, "union": {"kind": "b", "y": "kept"}, "tuple": ["a", 1],
        "tuples": [["a", 1], []], "byPatternToo": {"a": "x", "x-b": "y"}, "no": [false],
        "mixedEnum": true, "always": [null], "textOrNumber": 7, "listOrText": ["x"], "nullableRequired": 1,
    });
    again::<Odd>(full);

    let error = odd.validate().unwrap_err().to_string();
    assert!(error.contains("byPattern: does not fit its schema: too small (`/patternProperties/"), "{error}");
    assert!(error.contains("form: is not an IPv4 address, or is not an IPv6 address"), "{error}");
    assert!(!error.contains("formOfItself"), "{error}");
}

fn recursion() {
    let mut tree = Tree::new("root");
    tree.left = Some(Box::new(Tree::new("leaf")));
    tree.children = Some(vec![Tree::new("a"), Tree::new("b")]);
    tree.by_name = Some(BTreeMap::from([("c".to_owned(), Tree::new("c"))]));
    assert_eq!(again::<Tree>(serde_json::to_value(&tree).unwrap()), tree);
    let wrong = json!({"name": "a", "left": {"name": "b", "byName": {"k": {"name": 1}}}});
    assert_eq!(refused::<Tree>(wrong), "left: byName: entry 0: name: expected text, found a number");

    // Nothing could ever hold one.
    let chain: Loop = again(json!({"name": "a", "next": {"name": "b"}}));
    let _: &FreeForm = &chain.next;
    let _: Vec<FreeForm> = serde_json::from_str("[[], [[]]]").unwrap();
    answer::<Vec<FreeForm>>(|| unreachable!());

    let sum: Expression = again(json!({
        "op": "sum", "of": [{"op": "minus", "of": {"op": "number", "value": 1}}, {"op": "number", "value": 2}],
    }));
    let Expression::Sum(sum) = sum else { panic!("{sum:?}") };
    assert_eq!(sum.of.len(), 2);
    // Each union is parsed by itself; that does not make it endless.
    let deep = |levels: usize| {
        let inner = r#"{"op": "number", "value": 1}"#;
        r#"{"op": "minus", "of": "#.repeat(levels) + inner + &"}".repeat(levels)
    };
    assert!(serde_json::from_str::<Expression>(&deep(20)).is_ok());
    for levels in [200, 10_000] {
        let error = serde_json::from_str::<Expression>(&deep(levels)).unwrap_err().to_string();
        assert!(error.ends_with("is nested too deeply"), "{error}");
    }
}

fn names() {
    let document = json!({
        "type": "1", "a.b": "2", "a b": "3", "aB": "4", "a_b": "5", "$ref": "6", "1x": "7", "": "8", "ü": "9",
        "_": "10", "other": "11", "new": "12", "self": "13", "crate": "14", "Self": "15", "validate": "16",
        "gen": "17", "fields": "18", "{}": "19", "\"\\": "20", "none of them": [1],
    });
    let names: PropertyNames = again(document);
    assert_eq!((&*names.type_, &*names.n1x, &*names.ref_), ("1", "7", "6"));
    assert_eq!(names.other.as_deref(), Some("11"));
    assert_eq!(names.other_.len(), 1);
    assert_eq!(names.new.as_deref(), Some("12"));
    let made = PropertyNames::new("type", "ref", "1x");
    assert_eq!(serde_json::to_value(&made).unwrap(), json!({"$ref": "ref", "1x": "1x", "type": "type"}));
    assert!(format!("{made:?}").starts_with("PropertyNames { "), "{made:?}");

    for (text, value) in [
        ("", ValuesValue::Empty),
        ("1x", ValuesValue::N1x),
        ("a-b", ValuesValue::AB),
        ("unknown", ValuesValue::Unknown("unknown".to_owned())),
        ("Unknown", ValuesValue::Unknown("Unknown".to_owned())),
        ("self", ValuesValue::Self_),
        ("Clone", ValuesValue::Clone),
    ] {
        assert_eq!(again::<Values>(json!({"value": text, "fixed": "x"})).value, value);
        assert_eq!(value.as_str(), text);
    }
    for text in ["a_b", "aB", "ü"] {
        let value = again::<Values>(json!({"value": text, "fixed": "x"})).value;
        assert!(!matches!(value, ValuesValue::Unknown(_) | ValuesValue::AB), "{text}");
    }
    let error = Values::new(ValuesValue::Clone, "y").validate().unwrap_err().to_string();
    assert!(error.contains("fixed: is not one of"), "{error}");
}

fn open() {
    // The tag is no property that is kept beside it.
    let Kinds::Tag(tag) = again::<Kinds>(json!({"kind": "tag", "name": "x", "more": 1})) else { panic!() };
    assert_eq!(tag.other.keys().collect::<Vec<_>>(), ["more"]);
    let Kinds::Branch(mut branch) = again::<Kinds>(json!({"kind": "head", "more": "x"})) else { panic!() };
    assert_eq!(branch.kind.as_str(), "head");
    branch.other.insert("kind".to_owned(), FreeForm::from(json!("tag")));
    assert_eq!(serde_json::to_string(&Kinds::from(branch)).unwrap().matches("kind").count(), 1);
    let mut tag = tag;
    tag.other.insert("kind".to_owned(), FreeForm::from(json!("head")));
    assert_eq!(serde_json::to_string(&Kinds::from(tag)).unwrap().matches("kind").count(), 1);

    let mut most = serde_json::to_value(Most::new(1, 2)).unwrap();
    most["p254"] = json!(3);
    most["p256"] = json!(4);
    let read: Most = again(most.clone());
    assert_eq!((read.p255, read.p254, read.other.len()), (2, Some(3), 1));
    most.as_object_mut().unwrap().remove("p255");
    assert_eq!(refused::<Most>(most), "`p255` is missing");
}

fn roots(service: &Shapes) {
    answer::<FreeForm>(|| service.take_many(json!({})));
    answer::<Vec<ListItem>>(|| service.take_list(&vec![ListItem::new("a")]));
    answer::<BTreeMap<String, Vec<i64>>>(|| service.take_map(&BTreeMap::new()));
    answer::<String>(|| service.take_text(&"x".to_owned()));
    answer::<FreeForm>(|| service.take_anything(json!(null)));
    answer::<FreeForm>(|| service.take_yes(json!(1)));
    answer::<FreeForm>(|| service.take_mixture(json!("x")));
    answer::<Vec<FreeForm>>(|| service.take_forest(&vec![]));
    answer::<Expression>(|| service.take_expression(&Expression::Unknown(json!({}).into())));
}

fn clashes(service: &Shapes) {
    use shapes::*;

    let mut option: Option = Option::new("x");
    option.at = std::option::Option::Some("2026-01-02T03:04:05Z".parse().unwrap());
    option.next = std::option::Option::Some(std::boxed::Box::new(Option::new("y")));
    let _ = service.take_option(&option);
    let _ = service.take_string(&String::new("x"));
    let _ = service.take_vec(&Vec::new("x"));
    let _ = service.take_result(&Result::new("x"));
    let _ = service.take_box(&Box::new("x"));
    let _ = service.take_clone(&Clone::new("x"));
    let _ = service.take_field(&Field::new("x"));
    let _ = service.take_utc(&Utc::new("x"));
    let _ = service.take_date_time(&DateTime::new("x"));
    let _ = service.selves(&Self_::new("x"));
}

fn main() {
    let service = Shapes::new(&Client::builder("https://tc.example.com").build().unwrap());
    odd();
    recursion();
    names();
    open();
    roots(&service);
    clashes(&service);
}
