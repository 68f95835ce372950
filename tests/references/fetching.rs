//! What a deployment serves becomes files for the macro, whatever it serves.

use std::fs;
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use taskcluster::references::{Fetch, Progress};
use taskcluster::testing::Deployment;
use taskcluster::*;
use taskcluster_tests::{answer, json as json_answer};

use crate::support::documents::{Documents, Folder, api, deployment, lines, names};

const OF_CARS: [&str; 6] = [
    "cars/v1/api.json",
    "cars/v1/exchanges.json",
    "schemas/cars/v1/crash.json",
    "schemas/cars/v1/place.json",
    "schemas/cars/v1/trip.json",
    "schemas/roads/v1/road.json",
];

#[tokio::test]
async fn all_forms_in_which_a_deployment_lists_its_references_yield_the_same_files() {
    let documents = deployment();
    let whole = Documents::default();
    whole.put_whole(&documents);

    let with_manifest = Documents::default();
    with_manifest.put_each(&documents);
    let urls: Vec<_> = documents
        .iter()
        .filter(|(path, _)| path.starts_with("references/"))
        .map(|(path, _)| format!("ROOT/{path}"))
        .collect();
    let manifest = json!({"$schema": "ROOT/schemas/common/manifest-v3.json#", "references": urls});
    with_manifest.put("references/manifest.json", &manifest);

    let with_older_manifest = Documents::default();
    with_older_manifest.put_each(&documents);
    // A web server that has a page for everything, and a deployment that calls itself by another name.
    let page = answer(
        "200 OK",
        &["Content-Type: text/html"],
        "\n<!doctype html><title>Taskcluster</title>",
    );
    with_older_manifest.put_raw("references/references.json", page);
    let url = |path: &str| json!({"version": "v1", "reference": format!("https://tc.example.com/references/{path}")});
    with_older_manifest.put("references/manifest.json", &json!({
        "$schema": "https://tc.example.com/schemas/common/manifest-v2.json#",
        "services": [
            {"serviceName": "cars", "apis": [url("cars/v1/api.json")], "pulse": [url("cars/v1/exchanges.json")]},
            {"serviceName": "roads", "apis": [url("roads/v1/api.json")]},
        ],
    }));

    let mut results = Vec::new();
    for served in [&whole, &with_manifest, &with_older_manifest] {
        let folder = Folder::new();
        let client = served.start().await;
        let changes = Fetch::new(&client).services(["cars"]).write_to(&folder).await.unwrap();
        assert_eq!(
            lines(&changes),
            [
                "cars v1: all endpoints added",
                "cars v1: all exchanges added",
                "roads v1: schema road.json added"
            ]
        );
        assert_eq!(names(&folder), OF_CARS);
        results.push(folder.files());
        assert!(Fetch::new(&client).services(["cars"]).write_to(&folder).await.unwrap().is_empty());
        assert_eq!(folder.files(), results[0]);
    }
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
    let text = &results[0]["schemas/cars/v1/place.json"];
    assert!(text.starts_with("{\n  \"$id\": \"/schemas/cars/v1/place.json#\",\n"), "{text}");
    assert!(text.ends_with("\n}\n"), "{text}");

    assert_eq!(whole.asked().len(), 2, "everything is one document");
    let asked = with_manifest.asked();
    let other =
        asked.iter().find(|path| path.starts_with("references/roads") || path.contains("unused"));
    assert_eq!(other, None, "nothing is fetched that is not needed");
}

#[tokio::test]
async fn a_fetch_tells_how_far_it_has_come() {
    let served = Documents::default();
    served.put_whole(&deployment());
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = told.clone();
    let fetch = Fetch::new(&served.start().await).on_progress(move |progress: Progress| {
        teller.lock().unwrap().push((progress.fetched, progress.needed));
    });
    fetch.write_to(&Folder::new()).await.unwrap();
    let told = told.lock().unwrap();
    assert_eq!(told.first(), Some(&(3, 7)));
    assert_eq!(told.last(), Some(&(7, 7)));
}

#[tokio::test]
async fn what_was_not_fetched_is_left_alone_and_what_is_gone_is_removed() {
    let served = Documents::default();
    let mut documents = deployment();
    served.put_whole(&documents);
    let client = served.start().await;
    let folder = Folder::new();
    Fetch::new(&client).write_to(&folder).await.unwrap();

    // Hand-written, and in the way of nothing.
    let own = api("bikes", json!([{"name": "ride", "output": "v1/ride.json"}]));
    folder.write("bikes.json", &own.to_string());
    folder.write("schemas/bikes/v1/ride.json", r#"{"$ref": "../../cars/v1/place.json"}"#);
    folder.write("cars/notes.txt", "mine");
    folder.write("cars/v1/broken.json", "{");
    folder.write("schemas/cars/v1/old.json", "{}");

    // No entry of cars names a schema any more.
    for (path, document) in &mut documents {
        if path.starts_with("references/cars/v1/api") {
            *document = api("cars", json!([]));
        }
    }
    documents.retain(|(path, _)| !path.ends_with("exchanges.json"));
    served.put_whole(&documents);
    let before = folder.files();
    let diff = Fetch::new(&client).services(["cars"]).diff(&folder).await.unwrap();
    assert_eq!(folder.files(), before, "a comparison writes nothing");
    let changes = Fetch::new(&client).services(["cars"]).write_to(&folder).await.unwrap();
    assert_eq!(diff, changes);
    assert_eq!(
        lines(&changes),
        [
            "cars v1: endpoint drive removed (can break callers)",
            "cars v1: endpoint park removed (can break callers)",
            "cars v1: all exchanges removed (can break callers)",
            "cars v1: schema crash.json removed (can break callers)",
            "cars v1: schema old.json removed (can break callers)",
            "cars v1: schema trip.json removed (can break callers)",
        ]
    );
    assert_eq!(
        names(&folder),
        [
            "bikes.json",
            "cars/notes.txt",
            "cars/v1/api.json",
            "cars/v1/broken.json",
            "roads/v1/api.json",
            "schemas/bikes/v1/ride.json",
            // Which the hand-written one needs.
            "schemas/cars/v1/place.json",
            "schemas/roads/v1/road.json",
        ]
    );
    assert_eq!(folder.json("bikes.json"), own);
}

#[tokio::test]
async fn patterns_that_no_deployment_serves_are_added_for_services_that_have_none() {
    let fake = Deployment::start().await.unwrap();
    let fetch = Fetch::new(&fake.anonymous().unwrap());
    let folder = Folder::new();
    fetch.clone().services(["queue"]).write_to(&folder).await.unwrap();
    let patterns = folder.json("patterns.json");
    assert_eq!(patterns["queue"]["args"]["runId"], "^[1-9]*[0-9]+$");
    assert_eq!(patterns.as_object().unwrap().len(), 1);

    // What is there stays.
    let own = json!({"queue": {"args": {"runId": null}}, "builds": {}});
    folder.write("patterns.json", &own.to_string());
    fetch.clone().services(["queue"]).write_to(&folder).await.unwrap();
    assert_eq!(folder.json("patterns.json"), own);
    fetch.clone().services(["queue", "hooks"]).write_to(&folder).await.unwrap();
    let patterns = folder.json("patterns.json");
    assert_eq!((&patterns["queue"], &patterns["builds"]), (&own["queue"], &own["builds"]));
    assert!(patterns["hooks"]["args"]["hookId"].is_string());

    // So does what is no JSON, and a file in a folder above is not hidden.
    folder.write("patterns.json", "{");
    fetch.clone().services(["queue"]).write_to(&folder).await.unwrap();
    assert_eq!(folder.files()["patterns.json"], "{");
    fetch.services(["queue"]).write_to(folder.as_ref().join("below")).await.unwrap();
    assert!(!folder.files().contains_key("below/patterns.json"));
}

#[tokio::test]
async fn no_name_that_a_server_sends_leads_out_of_the_folder() {
    let served = Documents::default();
    let client = served.start().await;
    let place = Folder::new();
    let folder = place.0.join("api");
    let everything = |name: &str| {
        vec![
            ("references/cars/v1/api.json", api("cars", json!([{"name": "a", "output": name}]))),
            ("../../evil.json", json!({})),
            ("/etc/evil.json", json!({})),
            ("schemas/../../evil.json", json!({})),
        ]
    };
    for name in [
        "../../../evil.json",
        "../../../../schemas/../evil.json",
        "/etc/evil.json",
        "/schemas/../evil.json",
        "v1/../../../evil.json",
        "v1/evil\u{0}.json",
        "v1\\..\\..\\..\\evil.json",
        "C:/evil.json",
        "v1/evil",
        "v1/.evil.json",
    ] {
        served.put_whole(&everything(name));
        let error = Fetch::new(&client).write_to(&folder).await.unwrap_err();
        assert!(error.message().contains("unsafe path"), "{name}: {error}");
        assert_eq!(names(&place), [""; 0], "{name}");
    }
    for service in ["..", "../x", "/etc", "a/b", "schemas", "", ".git", "a\u{1b}[31m"] {
        served.put_whole(&[("references/x/v1/api.json", api(service, json!([])))]);
        let error = Fetch::new(&client).write_to(&folder).await.unwrap_err();
        assert!(error.message().contains("unsafe path"), "{service}: {error}");
        assert!(!error.to_string().contains('\u{1b}'));
        let mut reference = api("x", json!([]));
        reference["apiVersion"] = json!(service);
        served.put_whole(&[("references/x/v1/api.json", reference)]);
        if service != "schemas" {
            Fetch::new(&client).write_to(&folder).await.unwrap_err();
        }
    }
    served.remove("references/references.json");
    for url in [
        "ROOT/references/../../evil.json",
        "ROOT/references/%2e%2e/evil.json",
        "ROOT/references/a.json?b",
        "ROOT/evil.json",
    ] {
        served.put("references/manifest.json", &json!({"references": [url]}));
        Fetch::new(&client).write_to(&folder).await.unwrap_err();
    }
    // What is not reached is not even looked at.
    served.put_whole(
        &everything("v1/good.json")
            .into_iter()
            .chain([("schemas/cars/v1/good.json", json!({}))])
            .collect::<Vec<_>>(),
    );
    Fetch::new(&client).write_to(&folder).await.unwrap();
    assert_eq!(names(&place), ["api/cars/v1/api.json", "api/schemas/cars/v1/good.json"]);
}

#[cfg(unix)]
#[tokio::test]
async fn no_link_in_the_folder_leads_out_of_it() {
    let served = Documents::default();
    served.put_whole(&deployment());
    let client = served.start().await;
    for link in ["cars", "schemas", "schemas/cars/v1"] {
        let (folder, outside) = (Folder::new(), Folder::new());
        outside.write("v1/api.json", "mine");
        let link = folder.0.join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        let error = Fetch::new(&client).write_to(&folder).await.unwrap_err();
        assert!(error.message().contains("is a link"), "{error}");
        assert_eq!(names(&outside), ["v1/api.json"]);
        assert_eq!(outside.files()["v1/api.json"], "mine");
    }
    // A link in a file's place is replaced; what it leads to stays as it is.
    let (folder, outside) = (Folder::new(), Folder::new());
    outside.write("mine.json", "mine");
    fs::create_dir_all(folder.0.join("cars/v1")).unwrap();
    std::os::unix::fs::symlink(outside.0.join("mine.json"), folder.0.join("cars/v1/api.json"))
        .unwrap();
    Fetch::new(&client).write_to(&folder).await.unwrap();
    assert_eq!(outside.files()["mine.json"], "mine");
    assert_eq!(folder.json("cars/v1/api.json")["serviceName"], "cars");
}

#[tokio::test]
async fn an_interrupted_fetch_leaves_the_old_files_whole() {
    let served = Documents::default();
    let mut documents = deployment();
    served.put_each(&documents);
    served.put("references/manifest.json", &json!({"references": ["ROOT/references/cars/v1/api.json", "ROOT/references/roads/v1/api.json"]}));
    let client = served.start().await;
    let folder = Folder::new();
    Fetch::new(&client).write_to(&folder).await.unwrap();
    let before = folder.files();

    for (_, document) in &mut documents {
        document["description"] = json!("Of a newer version.");
    }
    served.put_each(&documents);
    // The last document that is needed: gone, cut off, not JSON, an error.
    let cut_off = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"type\":".to_owned();
    for answer in [
        json_answer("404 Not Found", "{}"),
        cut_off,
        json_answer("200 OK", "{"),
        json_answer("503 No", "{}"),
    ] {
        served.put_raw("schemas/roads/v1/road.json", answer);
        let error = Fetch::new(&client).write_to(&folder).await.unwrap_err();
        assert!(error.to_string().contains("/schemas/roads/v1/road.json: "), "{error}");
        assert_eq!(folder.files(), before);
    }
    served.put_each(&documents);

    // A file that cannot be put in its place: the ones before it go back.
    fs::remove_file(folder.0.join("roads/v1/api.json")).unwrap();
    fs::create_dir_all(folder.0.join("roads/v1/api.json/in-the-way")).unwrap();
    let before = folder.files();
    Fetch::new(&client).write_to(&folder).await.unwrap_err();
    assert_eq!(folder.files(), before);

    fs::remove_dir_all(folder.0.join("roads/v1/api.json")).unwrap();
    // Dropped on the way.
    let fetch = Fetch::new(&client);
    assert!(fetch.write_to(&folder).now_or_never().is_none());
    assert_eq!(folder.files(), before);

    Fetch::new(&client).write_to(&folder).await.unwrap();
    assert_eq!(folder.json("schemas/roads/v1/road.json")["description"], "Of a newer version.");
    assert!(names(&folder).iter().all(|name| !name.contains("fetching")), "{:?}", names(&folder));
}

#[tokio::test]
async fn a_server_cannot_send_without_end() {
    let served = Documents::default();
    let client = served.start().await;
    served.put_raw(
        "references/references.json",
        answer("200 OK", &[], &" ".repeat(65 * 1024 * 1024)),
    );
    let error = Fetch::new(&client).write_to(&Folder::new()).await.unwrap_err();
    assert!(error.message().contains("the deployment serves more than 67108864 bytes"), "{error}");
    assert_eq!(served.asked().len(), 1, "that is not worth a repetition");

    let many: Vec<_> = (0..10_001)
        .map(|n| json!({"name": n.to_string(), "output": format!("v1/{n}.json")}))
        .collect();
    served.put_whole(&[("references/a/v1/api.json", api("a", json!(many)))]);
    let error = Fetch::new(&client).write_to(&Folder::new()).await.unwrap_err();
    assert!(error.message().contains("more than 10000 documents"), "{error}");
}

#[tokio::test]
async fn what_is_wrong_with_a_deployment_is_said() {
    let served = Documents::default();
    let client = served.start().await;
    let error = |fetch: Fetch| async move { fetch.write_to(&Folder::new()).await.unwrap_err() };
    let missing = error(Fetch::new(&client)).await;
    assert_eq!(missing.status(), Some(StatusCode::NOT_FOUND));
    assert!(missing.to_string().contains("/tc/references/manifest.json: 404"), "{missing}");

    served.put_whole(&deployment());
    let unknown = error(Fetch::new(&client).services(["car"])).await;
    assert_eq!(
        unknown.to_string(),
        "the deployment has no reference of `car`; did you mean `cars`?"
    );

    for (content, message) in [
        (json!({}), "is not a list of documents"),
        (json!([{"content": {}}]), "a document without a name"),
        (json!([]), "no references of endpoints or exchanges"),
    ] {
        served.put("references/references.json", &content);
        let error = error(Fetch::new(&client)).await;
        assert!(error.message().contains(message), "{error}");
    }
    let reference = |name: &str| api("a", json!([{"name": "x", "output": name}]));
    for (documents, message) in [
        (
            vec![("references/a/v1/api.json", reference("v1/gone.json"))],
            "does not serve `schemas/a/v1/gone.json`, which `a/v1/api.json` needs",
        ),
        (
            vec![("references/a", api("a", json!([]))), ("references/b", api("a", json!([])))],
            "serves `a/v1/api.json` twice",
        ),
        (
            vec![("references/a", api("a", json!([]))), ("references/b", api("A", json!([])))],
            "would be the same file on systems that ignore case",
        ),
        (
            vec![(
                "references/a",
                json!({"$schema": "/schemas/common/api-reference-v0.json#", "apiVersion": "v1"}),
            )],
            "lacks `serviceName`",
        ),
    ] {
        served.put_whole(&documents);
        let error = error(Fetch::new(&client)).await;
        assert!(error.message().contains(message), "{error}");
    }
    let error = error(Fetch::new(&Client::legacy().build().unwrap())).await;
    assert!(error.message().contains("without a root URL"), "{error}");
}

#[test]
fn a_program_without_async_has_it_all() {
    let fake = Deployment::start_blocking().unwrap();
    let client = fake.anonymous().unwrap();
    let folder = Folder::new();
    let fetch = Fetch::new(&client).services(["secrets"]);
    assert_eq!(fetch.write_to_blocking(&folder).unwrap().len(), 1);
    assert!(fetch.diff_blocking(&folder).unwrap().is_empty());
    assert!(client.check_blocking(&Secrets::REFERENCE).unwrap().is_empty());
}
