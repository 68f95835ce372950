//! Caches are purged.

use serde_json::json;
use taskcluster::dates::to_json;
use taskcluster::{PurgeCache, StatusCode};

use crate::deployment::HOUR;
use crate::deployment::services::{all, call, connected};
use crate::support::assert_api_error;

#[tokio::test]
async fn workers_learn_which_caches_to_purge() {
    let (fake, tc) = connected().await;
    let purge = |cache: &str| {
        let purge = call(&tc, &PurgeCache::REFERENCE, "purgeCache").param("workerPoolId", "p/w");
        purge.payload(json!({"cacheName": cache}))
    };
    let of_pool =
        || call(&tc, &PurgeCache::REFERENCE, "purgeRequests").param("workerPoolId", "p/w");
    purge("old").await.unwrap();
    fake.advance(HOUR);
    let since = to_json(fake.now());
    purge("new").await.unwrap();
    let requests = of_pool().await.unwrap()["requests"].clone();
    let names: Vec<_> =
        requests.as_array().unwrap().iter().map(|request| &request["cacheName"]).collect();
    assert_eq!(names, ["new", "old"]);
    let newer = of_pool().query("since", &since).await.unwrap();
    assert_eq!(newer["requests"].as_array().unwrap().len(), 1);
    assert_eq!(newer["requests"][0]["cacheName"], "new");
    assert_eq!(all(call(&tc, &PurgeCache::REFERENCE, "allPurgeRequests")).await.len(), 2);
    let other = call(&tc, &PurgeCache::REFERENCE, "purgeRequests").param("workerPoolId", "p/x");
    assert_eq!(other.await.unwrap(), json!({"requests": []}));
    // Asking again moves the time forward.
    purge("old").await.unwrap();
    let newer = of_pool().query("since", &since).await.unwrap();
    assert_eq!(newer["requests"].as_array().unwrap().len(), 2);
    let error = of_pool().query("since", "yesterday").await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InvalidRequestArguments", "yesterday");
}
