//! Dates, as services of all ages write them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use taskcluster::{Client, from_now};
use taskcluster_tests::{RawServer, json as json_answer};

use crate::payloads::wire::Measurement;
use crate::payloads::{Wire, read, refused};

fn measurement(at: &str) -> String {
    json!({"count": 1, "rank": 1, "at": at}).to_string()
}

#[test]
fn dates_keep_all_their_digits() {
    for (text, again) in [
        ("2026-01-02T03:04:05.678901Z", "2026-01-02T03:04:05.678901Z"),
        ("2026-01-02T03:04:05.678901234Z", "2026-01-02T03:04:05.678901234Z"),
        ("2026-01-02T04:04:05.6789+01:00", "2026-01-02T03:04:05.678900Z"),
        ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
    ] {
        let value = serde_json::to_value(read::<Measurement>(&measurement(text))).unwrap();
        assert_eq!(value["at"], again);
    }
}

#[test]
fn dates_of_a_program_are_sent_in_milliseconds() {
    let mut measurement = Measurement::new(1, 1);
    measurement.at = Some(from_now("1 hour").unwrap());
    let value = serde_json::to_value(&measurement).unwrap();
    assert_eq!(value["at"].as_str().unwrap().len(), "2026-01-02T03:04:05.678Z".len());
    assert_eq!(serde_json::from_value::<Measurement>(value).unwrap(), measurement);
}

#[tokio::test]
async fn a_date_without_zone_is_utc_in_an_answer() {
    let date = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    for (text, expected) in [
        ("2026-01-02T03:04:05.678", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
    ] {
        let answer = json_answer("200 OK", &measurement(text));
        let server = RawServer::start([answer]).await.unwrap();
        let wire = Wire::new(&Client::builder(&server.url).build().unwrap());
        let answer = wire.measure(&Measurement::new(1, 1)).await.unwrap();
        assert_eq!(answer.at, Some(date(expected)));
        // What a program is about to send should say which zone it means.
        assert_eq!(
            refused::<Measurement>(measurement(text)),
            "at: expected a date, found other text"
        );
        let _: Value = wire.measure(&Measurement::new(1, 1)).send_as().await.unwrap();
    }
}
