//! What schemas say, in types and in what `validate()` checks.

use serde_json::{Value, json};
use taskcluster::{Client, Error, FreeForm};
use taskcluster_tests::{RawServer, json as json_answer};

use crate::payloads::wire::{
    Demands, DemandsLevel, Forms, FormsBeside, FormsConfig, FormsLevel, FormsLoose, FormsNested,
    FormsSeveral, FormsSwitch, FormsTyped, FormsUnited, FormsUnitedColour,
};
use crate::payloads::{Wire, read, refused};
use crate::support::typed;

/// The form that a property has, after a round trip that loses nothing.
#[track_caller]
fn form(property: &str, value: Value) -> Forms {
    let document = json!({property: value});
    let forms: Forms = typed(&document);
    assert_eq!(serde_json::to_value(&forms).unwrap(), document);
    assert_eq!(forms.clone(), forms);
    forms
}

#[test]
fn constants_of_any_type_tell_branches_apart() {
    let config = |value| form("config", value).config.unwrap();
    let old = config(json!({"version": 0, "tasks": ["a"], "more": 1}));
    assert!(matches!(old, FormsConfig::Version0(old) if old.tasks.as_ref().unwrap() == &["a"]));
    let new = config(json!({"version": 1, "policy": {"pullRequests": "public"}, "reporting": "r"}));
    let FormsConfig::Version1(new) = new else { panic!("{new:?}") };
    assert_eq!(new.policy.unwrap().pull_requests.as_deref(), Some("public"));
    // However the number is written.
    let json = r#"{"config": {"reporting": "r", "version": 1.0}}"#;
    assert!(matches!(read::<Forms>(json).config, Some(FormsConfig::Version1(_))));
    let unknown = config(json!({"version": 2, "x": [1]}));
    assert_eq!(unknown, FormsConfig::Unknown(json!({"version": 2, "x": [1]}).into()));
    assert_eq!(
        refused::<Forms>(json!({"config": {"version": 1, "tasks": []}})),
        "config: there is no property `tasks`"
    );

    let switch = |value| form("switch", value).switch.unwrap();
    assert!(
        matches!(switch(json!({"on": true, "speed": 3})), FormsSwitch::OnTrue(on) if on.speed == Some(3))
    );
    assert!(matches!(switch(json!({"on": false, "why": "w"})), FormsSwitch::OnFalse(_)));
    assert!(matches!(switch(json!({"on": null})), FormsSwitch::OnNull(_)));
    assert!(matches!(switch(json!({"on": "true"})), FormsSwitch::Unknown(_)));
}

#[test]
fn the_branch_that_holds_everything_is_chosen() {
    let nested = |value| form("nested", value).nested.unwrap();
    let only = nested(json!({"a": "x"}));
    let both = nested(json!({"a": "x", "b": 1}));
    assert!(matches!(only, FormsNested::Form1(_)), "{only:?}");
    assert!(matches!(&both, FormsNested::B(both) if both.b == Some(1)), "{both:?}");

    let typed_ = |value| form("typed", value).typed.unwrap();
    assert!(matches!(typed_(json!({"a": 1})), FormsTyped::Form1(_)));
    assert!(matches!(typed_(json!({"a": "1"})), FormsTyped::Form2(_)));
    assert!(matches!(typed_(json!({"a": [true]})), FormsTyped::Form3(_)));

    let several = |value| form("several", value).several.unwrap();
    assert!(matches!(several(json!({"a": 1, "c": 2})), FormsSeveral::A(_)));
    assert!(matches!(several(json!({"b": 1})), FormsSeveral::B(_)));
    // Each of them keeps what only the other names.
    several(json!({"a": 1, "b": 2, "c": {"d": []}}));
    several(json!({"a": 1, "b": "2"}));
}

#[test]
fn what_no_branch_holds_is_an_error_in_what_is_sent_and_kept_in_what_is_received() {
    assert_eq!(
        refused::<Forms>(json!({"nested": {"a": "x", "c": 1}})),
        "nested: there is no property `c`"
    );
    assert_eq!(
        refused::<Forms>(json!({"typed": {"a": {}}})),
        "typed: a: expected an integer, found an object"
    );
    let form = json!({"c": 12345678901234567890_u64});
    let forms: Forms = typed(json!({"several": form}));
    assert_eq!(forms.several, Some(FormsSeveral::Unknown(form.into())));
    let digits = r#"{"several":{"c":1.000000000000000000000000001}}"#;
    assert_eq!(serde_json::to_string(&read::<Forms>(digits)).unwrap(), digits);
}

/// Each of them may be read several times to find its branch, however many there are.
#[test]
fn many_alternatives_beside_each_other_are_read() {
    let all: Vec<_> = (0..1000).map(|n| json!({"typed": {"a": [n % 2 == 0]}})).collect();
    let read: Vec<Forms> = typed(Value::from(all));
    let third = |forms: &Forms| matches!(forms.typed, Some(FormsTyped::Form3(_)));
    assert!(read.len() == 1000 && read.iter().all(third));
}

/// Each could be either at every depth, so that trying all would take 2^40 times as long.
#[test]
fn alternatives_within_alternatives_take_no_endless_time() {
    let nested = |end: &str| r#"{"next":"#.repeat(40) + end + &"}".repeat(40);
    let document = |end: &str| format!(r#"{{"knot":{}}}"#, nested(end));
    let text = document(r#"{"end":"x"}"#);
    assert_eq!(serde_json::to_string(&read::<Forms>(&text)).unwrap(), text);
    let error = serde_json::from_str::<Forms>(&document(r#"{"end":true}"#)).unwrap_err();
    assert!(error.to_string().contains("has too many alternatives"), "{error}");
}

#[tokio::test]
async fn an_answer_that_no_branch_holds_is_kept() {
    let answer = json!({"typed": {"a": {"new": 1.50}}, "nested": {"a": "x", "b": 1, "new": true}});
    let server = RawServer::start([json_answer("200 OK", &answer.to_string())]).await.unwrap();
    let wire = Wire::new(&Client::builder(&server.url).build().unwrap());
    let forms: Forms = wire.put_forms(&Forms::new()).await.unwrap();
    assert_eq!(forms.typed, Some(FormsTyped::Unknown(answer["typed"].clone().into())));
    // Of two that hold it apart from what is new, the one that loses least.
    assert!(matches!(forms.nested, Some(FormsNested::B(both)) if both.b == Some(1)));
}

#[test]
fn all_of_several_records_is_one_record() {
    let united = FormsUnited::new("n", 3, FormsUnitedColour::Red);
    let mut forms = Forms::new();
    forms.united = Some(united);
    assert_eq!(json!(forms), json!({"united": {"name": "n", "size": 3, "colour": "red"}}));
    assert_eq!(problems(forms.validate()), ["united: name: is shorter than 2 characters"]);
    form("united", json!({"name": "no", "size": 3, "colour": "green", "other": [1]}));
    assert_eq!(refused::<Forms>(json!({"united": {"name": "n"}})), "united: `size` is missing");
    let large = json!({"united": {"name": "no", "size": 10, "colour": "green"}});
    assert_eq!(problems(typed::<Forms>(large).validate()), ["united: size: is more than 9"]);
    // What cannot be is free form.
    let _: &Option<FreeForm> = &forms.contrary;
}

#[test]
fn properties_beside_alternatives_belong_to_each() {
    let FormsBeside::File(file) =
        form("beside", json!({"id": "i", "kind": "file", "path": "p"})).beside.unwrap()
    else {
        panic!()
    };
    assert_eq!((&*file.id, &*file.path), ("i", "p"));
    let link = form("beside", json!({"id": "i", "kind": "link", "to": "t", "more": 1}));
    assert!(matches!(link.beside, Some(FormsBeside::Link(link)) if link.id == "i"));
    assert_eq!(
        refused::<Forms>(json!({"beside": {"kind": "file", "path": "p"}})),
        "beside: `id` is missing"
    );
}

#[test]
fn alternatives_of_one_text_each_are_an_enum() {
    assert_eq!(form("level", json!("high")).level, Some(FormsLevel::High));
    assert_eq!(form("level", json!("medium")).level, Some(FormsLevel::Medium));
    let mut forms = Forms::new();
    forms.level = Some("urgent".into());
    assert_eq!(problems(forms.validate()), ["level: is not a value that the schema has"]);
}

#[test]
fn without_a_type_anything_else_is_valid_too() {
    let loose = |value| form("loose", value).loose.unwrap();
    assert!(matches!(loose(json!({"count": 1})), FormsLoose::Object(loose) if loose.count == 1));
    for other in [json!([1]), json!("x"), json!(1.5), json!(null), json!(true)] {
        let forms = form("loose", other.clone());
        assert_eq!(forms.loose, Some(FormsLoose::Unknown(other.into())));
        assert!(forms.validate().is_ok());
    }
    let missing: Forms = typed(json!({"loose": {}}));
    assert_eq!(problems(missing.validate()), ["loose: has none of the forms that the schema has"]);
}

/// What is wrong, item by item.
#[track_caller]
fn problems(result: Result<(), Error>) -> Vec<String> {
    let error = result.unwrap_err();
    let all = error.message().strip_prefix("the payload is not valid: ").unwrap();
    all.split("; ").map(str::to_owned).collect()
}

#[test]
fn all_that_a_schema_demands_is_checked() {
    let nothing = "";
    for (property, value, problem) in [
        ("digit", json!(3), nothing),
        ("digit", json!(4), "digit: is not one of `1`, `2`, `3`"),
        ("truth", json!(false), "truth: is not one of `true`"),
        ("level", json!("unknown"), nothing),
        ("level", json!("middle"), "level: is not a value that the schema has"),
        ("object", json!({"a": [1]}), nothing),
        ("object", json!("x"), "object: is not of type `object`"),
        ("object", json!([]), "object: is not of type `object`"),
        ("above", json!(0.5), nothing),
        ("above", json!(0), "above: is not more than 0"),
        ("above", json!(1.0), "above: is not less than 1"),
        ("even", json!(4), nothing),
        ("even", json!(9_007_199_254_740_993_i64), "even: is not a multiple of 2"),
        ("tenths", json!(0.3), nothing),
        ("tenths", json!(0.35), "tenths: is not a multiple of 0.1"),
        ("short", json!("ab"), nothing),
        ("short", json!("ä"), "short: is shorter than 2 characters"),
        ("short", json!("abcde"), "short: is longer than 4 characters"),
        ("word", json!("ä\u{a0}1"), nothing),
        ("word", json!("a ٣"), r"word: does not match `^\S+\s\d$`"),
        ("letters", json!("äß"), nothing),
        ("letters", json!("a1"), "letters: does not fit its schema: its pattern"),
        ("host", json!("a.example.com"), nothing),
        ("host", json!("-a"), "host: is not the name of a host"),
        ("day", json!("2024-02-29"), nothing),
        ("day", json!("2023-02-29"), "day: does not fit its schema: not of the format `date`"),
        ("names", json!({"abc": 1}), nothing),
        ("names", json!({}), "names: has fewer than 1 properties"),
        ("names", json!({"a": 1, "b": 1, "c": 1}), "names: has more than 2 properties"),
        ("names", json!({"hush": 1}), "names: key of entry 0: is longer than 3 characters"),
        ("names", json!({"a": 0}), "names: entry 0: is less than 1"),
        ("patterned", json!({"x-a": "v"}), nothing),
        ("patterned", json!({"a": "v"}), "patterned: key of entry 0: does not match `^x-`"),
        ("numbers", json!([1, 2.5]), nothing),
        ("numbers", json!([1, 1.0]), "numbers: has duplicate items"),
        ("containing", json!([1, 5]), nothing),
        ("containing", json!([1]), "containing: does not fit its schema: too small (`/contains`)"),
        ("either", json!("ab"), nothing),
        ("either", json!("abc"), "either: fits more than one of its alternatives"),
        ("not", json!("yes"), nothing),
        ("not", json!("never"), "not: does not fit its schema: what it must not be"),
        ("pair", json!({"a": "x", "b": "y", "c": 1}), nothing),
        (
            "pair",
            json!({"a": "x"}),
            "pair: does not fit its schema: a property without another that it needs",
        ),
        (
            "pair",
            json!({"c": "x"}),
            "pair: does not fit its schema: not of type `integer` (`/additionalProperties`)",
        ),
        ("few", json!({"b": "x"}), nothing),
        ("few", json!({}), "few: has fewer than 1 properties"),
        ("conditional", json!({"kind": "big", "size": 100}), nothing),
        (
            "conditional",
            json!({"kind": "big"}),
            "conditional: does not fit its schema: `size` is missing (`/then`)",
        ),
        ("tuple", json!(["a", 1]), nothing),
        ("tuple", json!(["a", 0]), "tuple: does not fit its schema: too small (`/definitions/1`)"),
        ("unlike", json!("yx"), nothing),
        ("unlike", json!("xy"), "unlike: does not match `^(?!x)y?`"),
        // It cannot be checked, and the documentation says so.
        ("twice", json!("ab"), nothing),
    ] {
        let demands: Demands = typed(json!({property: value}));
        let found = demands.validate().err();
        let found = found.as_ref().map_or("", |error| {
            error.message().strip_prefix("the payload is not valid: ").unwrap()
        });
        assert_eq!(found, problem, "{property}: {value}");
    }
    let mut demands = Demands::new();
    demands.level = Some(DemandsLevel::from("low"));
    demands.object = Some(json!("hush").into());
    let error = demands.validate().unwrap_err();
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[tokio::test]
async fn a_list_as_payload_is_checked_too() {
    let server = RawServer::start([json_answer("200 OK", "{}")]).await.unwrap();
    let client = Client::builder(&server.url).validate(true).build().unwrap();
    let wire = Wire::new(&client);
    for (list, problem) in [
        (vec![], "has fewer than 1 items"),
        (vec!["a", "a"], "has duplicate items"),
        (vec!["a", ""], "[1]: is empty"),
    ] {
        let list: Vec<_> = list.into_iter().map(str::to_owned).collect();
        let error = wire.put_list(&list).send_raw().await.unwrap_err();
        assert_eq!(error.message(), format!("putList: the payload is not valid: {problem}"));
    }
    wire.put_list(&vec!["a".to_owned()]).send_raw().await.unwrap();
    assert!(server.requests()[0].ends_with(r#"["a"]"#));
}
