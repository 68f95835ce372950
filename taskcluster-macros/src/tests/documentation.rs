//! Tests of the documentation of methods.

use serde_json::json;

use crate::tests::support::Folder;

/// A reference of two endpoints, with examples.
fn with_examples(examples: &str) -> Folder {
    let entry = |name: &str, description: &str| {
        json!({
            "type": "function", "name": name, "description": description, "method": "get",
            "route": format!("/{name}"), "args": [], "query": [], "stability": "stable",
        })
    };
    let reference = json!({
        "serviceName": "builds", "apiVersion": "v1",
        "entries": [
            entry("listBuilds", "See `lastBuild` and `status`, not `listBuild`."),
            entry("lastBuild", "```\n`listBuilds`\n```\nAn odd ` and `listBuilds`."),
            entry("status", "After `listBuilds`."),
        ],
    });
    let folder = Folder::of(&reference, &[]);
    std::fs::write(folder.0.join("api.examples.md"), examples).unwrap();
    folder
}

#[test]
fn examples_are_documentation() {
    let example = "```\n# let hidden = 1;\nf();\n```\n";
    let folder = with_examples(&format!("For authors.\n\n# lastBuild\n\n{example}"));
    let rust = folder.expansion();
    assert!(rust.contains(&format!("{:?}", format!("\n# Example\n\n\n{example}"))), "{rust}");
    assert_eq!(rust.matches("# Example").count(), 1);
    assert!(rust.contains("api.examples.md"), "the compiler watches it");
}

#[test]
fn examples_of_unknown_endpoints_are_errors() {
    let folder = with_examples("# lastBuild\n\na\n\n# lastBuilt\n\n# lastBuild\n");
    assert_eq!(
        folder.errors(),
        [
            "api.examples.md:5: no endpoint is called `lastBuilt`; did you mean `lastBuild`?",
            "api.examples.md:7: `lastBuild` has two examples",
        ]
    );
}

#[test]
fn names_of_endpoints_are_links() {
    let rust = with_examples("").expansion();
    assert!(rust.contains("See [`last_build`](Self::last_build) and `status`, not `listBuild`."));
    assert!(rust.contains("An odd ` and `listBuilds`."), "{rust}");
    assert!(rust.contains("```text\\n`listBuilds`\\n```"), "{rust}");
    assert!(rust.contains("After [`list_builds`](Self::list_builds)."), "{rust}");
}
