//! The same with nothing but an HTTP client and serde's derives.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

macro_rules! answers {
    ($($name:ident { $field:ident: $type:ty })*) => {$(
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct $name {
            $field: $type,
        }
    )*};
}

answers! {
    Scopes { scopes: Vec<String> }
    Builds { builds: Vec<Value> }
    Groups { groups: Vec<String> }
    Indexed { task_id: String }
    Denylist { addresses: Vec<Value> }
    Object { expires: String }
    Requests { requests: Vec<Value> }
    Status { status: TaskStatus }
    TaskStatus { state: String }
    Secrets { secrets: Vec<String> }
    Providers { providers: Vec<Value> }
}

type Error = Box<dyn std::error::Error>;

struct Client {
    http: reqwest::Client,
    root_url: String,
}

impl Client {
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let url = format!("{}/api/{path}", self.root_url);
        Ok(serde_json::from_slice(&self.http.get(url).send().await?.bytes().await?)?)
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root_url = std::env::var("TASKCLUSTER_ROOT_URL")?;
    let client = Client { http: reqwest::Client::new(), root_url };
    println!("{:?}", client.get::<Scopes>("auth/v1/scopes/current").await?.scopes);
    println!("{}", client.get::<Builds>("github/v1/builds").await?.builds.len());
    println!("{:?}", client.get::<Groups>("hooks/v1/hooks").await?.groups);
    println!("{}", client.get::<Indexed>("index/v1/task/a.b").await?.task_id);
    println!("{}", client.get::<Denylist>("notify/v1/denylist/list").await?.addresses.len());
    println!("{}", client.get::<Object>("object/v1/metadata/a%2Fb").await?.expires);
    println!("{}", client.get::<Requests>("purge-cache/v1/purge-cache/list").await?.requests.len());
    let path = "queue/v1/task/fN1SbArXTPSVFNUvaOlinQ/status";
    println!("{}", client.get::<Status>(path).await?.status.state);
    println!("{:?}", client.get::<Secrets>("secrets/v1/secrets").await?.secrets);
    client.get::<Value>("web-server/v1/ping").await?;
    println!("{}", client.get::<Providers>("worker-manager/v1/providers").await?.providers.len());
    println!("change 0");
    Ok(())
}
