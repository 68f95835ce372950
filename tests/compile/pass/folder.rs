//! A folder of references, as a deployment serves them and as people had them in 2017: each is a struct in a module.

use taskcluster::{Client, Value, json};

taskcluster::taskcluster_api! {
    /// What runs at our company.
    pub mod company = "api/company/";
    pub struct Builds = "api/builds.json";
}

mod elsewhere {
    use taskcluster as client;

    taskcluster::taskcluster_api! {
        crate = client;
        pub(crate) mod r#mod = "api/company" { Builds, People };
    }
}

fn main() {
    let client = Client::builder("https://tc.example.com").build().unwrap();
    let builds = company::Builds::new(&client);
    let call: taskcluster::Call<company::builds::Build> = builds.build("a");
    assert_eq!(call.url().unwrap().path(), "/api/builds/v1/build/a");
    let log: Value = json!(builds.log("a").format("x").url().unwrap().as_str());
    assert_eq!(log, "https://tc.example.com/api/builds/v1/build/a/log?format=x");

    // A schema that several of them name is one type.
    let build = company::builds::Build::new("a");
    let begin = company::BuildsV2::new(&client).begin(&build);
    assert_eq!(begin.url().unwrap().path(), "/api/builds/v2/builds");
    let binding = company::BuildsEvents::build_done().build_id("a").binding().unwrap();
    assert_eq!(binding.exchange, "exchange/builds/v1/build-done");
    let person = company::People::new(&Client::legacy().build().unwrap()).person("me");
    assert_eq!(person.url().unwrap().as_str(), "https://people.example.net/v1/person/me");
    assert_eq!(company::Builds::REFERENCE.version_of_taskcluster(), None);

    let same = elsewhere::r#mod::Builds::new(&client).build("a");
    assert_eq!(same.url().unwrap(), call.url().unwrap());
    let _ = elsewhere::r#mod::People::REFERENCE;
    assert_eq!(Builds::REFERENCE.endpoints.len(), 3);
}
