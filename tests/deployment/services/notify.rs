//! Notifications are kept for the test, and sent to nobody.

use serde_json::json;
use taskcluster::{Notify, NotifyEvents, StatusCode};

use crate::deployment::services::{all, call, connected};
use crate::support::assert_api_error;

#[tokio::test]
async fn notifications_are_kept() {
    let (fake, tc) = connected().await;
    let notify = |name| call(&tc, &Notify::REFERENCE, name);
    let mut messages = fake.listen(NotifyEvents::notify().topic("a.#")).unwrap();
    let mail = json!({"address": "a@example.com", "subject": "s", "content": "c"});
    notify("email").payload(&mail).await.unwrap();
    notify("pulse").payload(json!({"routingKey": "a.b", "message": {"x": 1}})).await.unwrap();
    notify("matrix").payload(json!({"roomId": "!r:example.com", "body": "b"})).await.unwrap();
    notify("slack").payload(json!({"channelId": "C1", "text": "t"})).await.unwrap();
    let sent: Vec<_> =
        fake.notifications().into_iter().map(|sent| (sent.kind, sent.address)).collect();
    let expected = [
        ("email", "a@example.com"),
        ("pulse", "a.b"),
        ("matrix-room", "!r:example.com"),
        ("slack-channel", "C1"),
    ];
    assert_eq!(sent, expected.map(|(kind, address)| (kind, address.to_owned())));
    let message = messages.next().await.unwrap();
    assert_eq!(message.routing_key, "primary.a.b");
    assert_eq!(message.routes().collect::<Vec<_>>(), ["a.b"]);
    assert_eq!(message.payload["message"], json!({"x": 1}));

    let address = json!({"notificationType": "email", "notificationAddress": "a@example.com"});
    notify("addDenylistAddress").payload(&address).await.unwrap();
    assert_eq!(json!(all(notify("listDenylist")).await), json!([address]));
    let error = notify("email").payload(&mail).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "DenylistedAddress", "a@example.com");
    assert_eq!(fake.notifications().len(), 4);
    notify("deleteDenylistAddress").payload(&address).await.unwrap();
    let other = json!({"address": "a@example.com", "subject": "t", "content": "c"});
    notify("email").payload(&other).await.unwrap();
    assert_eq!(fake.notifications().len(), 5);
}

#[tokio::test]
async fn a_notification_is_sent_once_and_both_times_a_success() {
    let (fake, tc) = connected().await;
    let address = json!({"notificationType": "pulse", "notificationAddress": "z"});
    for (name, payload, again) in [
        ("email", json!({"address": "a@example.com", "subject": "s", "content": "c"}), 204),
        ("pulse", json!({"routingKey": "a.b", "message": {"x": 1}}), 204),
        ("matrix", json!({"roomId": "!r:example.com", "body": "b"}), 204),
        ("slack", json!({"channelId": "C1", "text": "t"}), 204),
        ("addDenylistAddress", address.clone(), 200),
        ("deleteDenylistAddress", address, 200),
    ] {
        let sent = || call(&tc, &Notify::REFERENCE, name).payload(&payload);
        let first = sent().into_call().send_raw().await.unwrap();
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(first.text().await.unwrap(), "OK");
        let second = sent().into_call().send_raw().await.unwrap();
        assert_eq!(second.status(), again, "{name}");
        assert_eq!(sent().await.unwrap(), json!(null), "{name}");
    }
    assert_eq!(fake.notifications().len(), 4);
    // It is the content that counts.
    let mail = json!({"address": "a@example.com", "subject": "s", "content": "c", "template": "fullscreen"});
    call(&tc, &Notify::REFERENCE, "email").payload(&mail).await.unwrap();
    assert_eq!(fake.notifications().len(), 4);
}
