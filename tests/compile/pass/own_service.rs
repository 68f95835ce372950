//! A private service, with names that Rust keeps for itself, and a subset of it.

use taskcluster::scopes::{Expression, Params};
use taskcluster::{Client, Stability};

taskcluster::taskcluster_api! {
    /// Release builds of our company.
    pub struct Builds = "api/builds.json";
    struct OnlyOne = "api/builds.json" { list_builds }
    pub(crate) struct BuildEvents = "api/build-events.json";
}

fn main() {
    let client = Client::builder("https://tc.example.com").build().unwrap();
    let service = Builds::new(&client);
    let url = service.list_builds("a/b").limit(2).type_("x").send_(true).url().unwrap();
    assert_eq!(url.as_str(), "https://tc.example.com/api/builds/v1/builds/a%2Fb?limit=2&type=x&send=true");
    let _stream = service.list_builds("main").items();
    let call = service.new_("me", "it", &builds::Build::new("abc"));
    assert_eq!(call.url().unwrap().path(), "/api/builds/v1/build/me/it");

    let new = Builds::REFERENCE.endpoint("new");
    assert_eq!(new.stability, Stability::Stable);
    let params = Params::new().value("self", "me").list("xs", ["1", "2"]).flag("private", true);
    let all = ["x:1", "x:2", "builds:private"].map(Expression::from);
    assert_eq!(
        new.scopes.as_ref().unwrap().expand(&params).unwrap(),
        Expression::AnyOf(vec!["builds:new:me".into(), Expression::AllOf(all.into())])
    );
    let old = Builds::REFERENCE.endpoint("old");
    assert_eq!(old.scopes.as_ref().unwrap().to_string(), "any of (all of (a, b), all of (c))");

    assert_eq!(OnlyOne::REFERENCE.endpoints.len(), 1);
    let binding = BuildEvents::build_done().path("a.b").binding_("x").binding().unwrap();
    assert_eq!((binding.exchange, &*binding.routing_key_pattern), ("exchange/builds/v1/build-done", "primary.a.b.x"));
    let key = BuildEvents::build_done().parse("primary.a.b.c.x").unwrap();
    assert_eq!((&*key.path, &*key.binding_), ("a.b.c", "x"));
}
