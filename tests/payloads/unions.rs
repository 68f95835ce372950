//! Payloads that have one of several forms.

use serde_json::json;
use taskcluster::FreeForm;
use taskcluster::hooks::{HookLastFire, HookStatus, TriggerHookResponse};
use taskcluster::queue::PostArtifactRequest;
use taskcluster::worker_manager::RegisterWorkerIdentityProof;

use crate::payloads::wire::Tree;
use crate::payloads::{EXPIRES, read, refused};
use crate::support::typed;

#[test]
fn the_tag_of_a_union_may_stand_anywhere() {
    for text in [
        format!(r#"{{"storageType": "s3", "contentType": "text/plain", "expires": "{EXPIRES}"}}"#),
        format!(r#"{{"contentType": "text/plain", "expires": "{EXPIRES}", "storageType": "s3"}}"#),
        format!(
            r#"{{"contentType": "text/plain", "storage\u0054ype": "\u00733", "expires": "{EXPIRES}"}}"#
        ),
    ] {
        let PostArtifactRequest::S3(artifact) = read(&text) else { panic!("{text}") };
        assert_eq!(artifact.content_type, "text/plain");
        let again = serde_json::to_value(PostArtifactRequest::from(artifact)).unwrap();
        assert_eq!(
            again,
            json!({"storageType": "s3", "contentType": "text/plain", "expires": EXPIRES})
        );
    }
    // The tag alone decides, so that the error is about what the branch lacks.
    let message = refused::<PostArtifactRequest>(r#"{"storageType": "s3"}"#);
    assert_eq!(message, "`contentType` is missing");
    let twice = format!(
        r#"{{"storageType": "s3", "contentType": "x", "expires": "{EXPIRES}", "storageType": "link"}}"#
    );
    assert_eq!(refused::<PostArtifactRequest>(twice), "`storageType` appears twice");
}

#[test]
fn errors_inside_unions_say_where() {
    let status = json!({"lastFire": {"result": "success", "taskId": 7, "time": EXPIRES}});
    assert_eq!(refused::<HookStatus>(status), "lastFire: taskId: expected text, found a number");
    let status = json!({"lastFire": {"result": "success", "taskId": "T"}});
    assert_eq!(refused::<HookStatus>(status), "lastFire: `time` is missing");
}

#[test]
fn a_form_that_is_not_known_is_kept_whole() {
    let form = json!({"result": "postponed", "until": EXPIRES, "why": {"code": [1, 2.5, null]}});
    let status: HookStatus = typed(json!({"lastFire": form}));
    assert_eq!(status.last_fire, HookLastFire::Unknown(FreeForm::from(form.clone())));
    assert_eq!(serde_json::to_value(&status).unwrap()["lastFire"], form);
    assert_eq!(status.clone(), status);

    for untagged in [json!({}), json!({"result": 1}), json!({"result": null})] {
        let status: HookStatus = typed(json!({"lastFire": untagged}));
        assert_eq!(status.last_fire, HookLastFire::Unknown(FreeForm::from(untagged)));
    }
}

#[test]
fn overlapping_branches_are_told_by_what_they_require() {
    let both = json!({"document": "d", "signature": "s"});
    let read: RegisterWorkerIdentityProof = typed(&both);
    let RegisterWorkerIdentityProof::DocumentSignature(proof) = &read else { panic!("{read:?}") };
    assert_eq!((&*proof.document, &*proof.signature), ("d", "s"));
    assert_eq!(serde_json::to_value(&read).unwrap(), both);

    let read: RegisterWorkerIdentityProof = typed(json!({"document": "d"}));
    assert!(matches!(&read, RegisterWorkerIdentityProof::Document(proof) if proof.document == "d"));
    let message = refused::<RegisterWorkerIdentityProof>(json!({"document": "d", "more": 1}));
    assert_eq!(message, "there is no property `more`");
    // A signature alone is none of them.
    let read: RegisterWorkerIdentityProof = typed(json!({"signature": "s"}));
    assert_eq!(
        read,
        RegisterWorkerIdentityProof::Unknown(FreeForm::from(json!({"signature": "s"})))
    );
    // What belongs to a branch and has the wrong type is an error, not an unknown form.
    let message = refused::<RegisterWorkerIdentityProof>(json!({"document": 1}));
    assert_eq!(message, "document: expected text, found a number");
}

#[test]
fn an_object_or_nothing_is_an_object_with_nothing_that_must_be() {
    let nothing: TriggerHookResponse = typed(json!({}));
    assert!(nothing.task_id.is_none() && nothing.status.is_none());
    assert_eq!(serde_json::to_string(&nothing).unwrap(), "{}");
    let fired: TriggerHookResponse = typed(json!({"taskId": "T", "status": {"taskId": "T"}}));
    assert_eq!(fired.task_id.as_deref(), Some("T"));
    assert_eq!(fired.status.unwrap().task_id.as_deref(), Some("T"));
}

/// A program may read in threads with small stacks. Each union is parsed from its own text, and lists count between them.
#[test]
fn one_depth_holds_for_the_whole_value() {
    let deep = |levels: usize| {
        let open = r#"{"kind": "fork", "deep": [["#.repeat(levels);
        open + r#"{"kind": "leaf", "name": "a"}"# + &"]]}".repeat(levels)
    };
    let read = |text: String| {
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        let reading = move || serde_json::from_str::<Tree>(&text).map_err(|e| e.to_string());
        thread.spawn(reading).unwrap().join().unwrap()
    };
    // A fork is three levels, a leaf one.
    let Tree::Fork(fork) = read(deep(42)).unwrap() else { panic!() };
    assert_eq!(serde_json::to_string(&fork.deep).unwrap().matches("fork").count(), 41);
    for levels in [43, 60, 300, 30_000] {
        let error = read(deep(levels)).unwrap_err();
        assert!(error.contains("is nested too deeply"), "{error}");
    }
    // An unknown form is kept as it is, and not looked into.
    let unknown = |levels: usize| {
        let inner = r#"{"a": "#.repeat(levels) + "1" + &"}".repeat(levels);
        format!(r#"{{"kind": "fork", "left": {{"kind": "new", "of": {inner}}}}}"#)
    };
    let Tree::Fork(fork) = read(unknown(100_000)).unwrap() else { panic!() };
    assert!(serde_json::to_string(&fork.left).unwrap().len() > 500_000);
}
