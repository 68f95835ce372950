//! A clock that is off for some calls.

use taskcluster::reqwest::header::DATE;
use taskcluster::testing::Fault;
use taskcluster::{Auth, StatusCode};

use crate::deployment::faults::{current_scopes, once};

#[tokio::test]
async fn the_clock_can_be_off_for_one_endpoint() {
    let (fake, client) = once().await;
    let auth = Auth::new(&client);
    fake.on(current_scopes()).fault(Fault::Skew(3600));
    auth.current_scopes().await.unwrap();
    let statuses: Vec<_> = fake.calls().iter().map(|call| call.status.unwrap()).collect();
    assert_eq!(statuses, [StatusCode::UNAUTHORIZED, StatusCode::OK], "it learns the time");
    assert!(fake.calls()[0].error.as_ref().unwrap().contains("Stale timestamp"));
    let skewed = auth.current_scopes().send_raw().await.unwrap();
    let right = Auth::new(&fake.anonymous().unwrap()).ping().send_raw().await.unwrap();
    let hours = [skewed, right].map(|response| {
        let date = response.headers()[DATE].to_str().unwrap();
        let date = chrono::DateTime::parse_from_rfc2822(date).unwrap().timestamp();
        (date - chrono::Utc::now().timestamp() + 1800).div_euclid(3600)
    });
    assert_eq!(hours, [1, 0]);
}

#[tokio::test]
async fn a_skew_is_used_up_by_calls_that_it_makes_fail() {
    let (fake, client) = once().await;
    let auth = Auth::new(&client);
    fake.on(current_scopes()).times(1).fault(Fault::Skew(i64::MIN));
    // The time that the first answer gives is wrong for the second attempt, so the client does not keep it.
    let error = auth.current_scopes().await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(StatusCode::UNAUTHORIZED), 2));
    auth.current_scopes().await.unwrap();
    assert_eq!(fake.calls().len(), 3);
}
