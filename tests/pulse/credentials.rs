//! Credentials: where they come from, how they are renewed, and that nobody reads them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use taskcluster::pulse::{Listener, PulseCredentials};
use taskcluster::{Error, QueueEvents, slugid};

use crate::pulse::{Cable, listener, next, number};
use crate::support::broker::{PASSWORD, broker};
use crate::support::process;

#[tokio::test]
async fn credentials_of_a_callback_are_renewed() {
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let cables = [Cable::to(broker.address()).await, Cable::to(broker.address()).await];
    let claimed: Vec<_> =
        cables.iter().map(|cable| broker.credentials_at(&cable.address)).collect();
    let claims = Arc::new(AtomicUsize::new(0));
    let counted = claims.clone();
    let mut messages = Listener::connect_with(move || {
        // The first ones are to be renewed at once, the second ones never.
        let credentials = match counted.fetch_add(1, Ordering::SeqCst) {
            0 => claimed[0].clone().renew_at(chrono::Utc::now()),
            _ => claimed[1].clone(),
        };
        std::future::ready(Ok::<_, Error>(credentials))
    })
    .bind_any(QueueEvents::task_completed().task_group_id(&group))
    .queue(&group)
    .listen()
    .await
    .unwrap();
    publisher.complete(&group, [0]).await;
    let old = next(&mut messages).await;
    assert_eq!(claims.load(Ordering::SeqCst), 1);

    // Comes by the new connection, while what came by the old one can still be settled.
    let claim = async {
        while claims.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        publisher.complete(&group, [1]).await;
    };
    let (new, ()) = tokio::join!(next(&mut messages), claim);
    assert_eq!((number(&old), number(&new)), (0, 1));
    assert!(old.ack().await.unwrap());
    assert_eq!(cables[1].cut(), 1);
    drop(new);
    let again = next(&mut messages).await;
    assert_eq!((number(&again), again.redelivered), (1, true));
    assert!(again.ack().await.unwrap());
    assert_eq!(claims.load(Ordering::SeqCst), 3);
    messages.close().await.unwrap();
    assert_eq!(publisher.waiting(&group).await, 0);
    publisher.delete(&group).await;
}

/// Listens with everything logged, lapin's part too.
#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn listens_with_everything_logged() {
    let writer = std::io::stdout;
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(writer).init();
    let broker = broker().unwrap();
    let listener = listener(broker.credentials(), "G");
    println!("{listener:?} {:?}", broker.credentials());
    let messages = listener.listen().await.unwrap();
    println!("{messages:?}");
    messages.close().await.unwrap();
    let wrong = broker.tester.replace("tester:", "nobody:");
    let refused = Listener::connect(PulseCredentials::from_url(&wrong).unwrap()).queue("q");
    println!("{:?}", refused.listen().await.unwrap_err());
}

/// Shows what comes by `log`.
struct Print;

impl log::Log for Print {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        println!("{} {} {}", record.level(), record.target(), record.args());
    }

    fn flush(&self) {}
}

/// Listens in a program that logs by `log`.
#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn listens_with_everything_in_log() {
    log::set_logger(&Print).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let messages = listener(broker().unwrap().credentials(), "G").listen().await.unwrap();
    messages.close().await.unwrap();
    tracing::info!("what the program logs after it");
}

/// Listens as the environment says, and shows what comes of it.
#[tokio::test]
#[ignore = "run by the tests below, with an environment"]
async fn listens_as_the_environment_says() {
    let credentials = PulseCredentials::from_env();
    println!("credentials: {credentials:?}");
    if let (Ok(credentials), Some(_)) = (credentials, broker()) {
        let retry = taskcluster::Retry::never();
        match listener(credentials, "G").retry(retry).listen().await {
            Ok(messages) => println!("closed: {:?}", messages.close().await),
            Err(error) => println!("error: {error:?}"),
        }
    }
}

fn with_environment(variables: &[(&str, &str)]) -> String {
    let shown =
        process::run(concat!(module_path!(), "::listens_as_the_environment_says"), variables);
    assert!(!shown.contains(PASSWORD), "{shown}");
    shown
}

#[test]
fn credentials_of_the_environment() {
    let (user, password) = (("PULSE_USERNAME", "builds"), ("PULSE_PASSWORD", PASSWORD));
    for (variables, shown) in [
        (
            vec![user, password],
            r#"Ok(PulseCredentials { user: "builds", host: "pulse.mozilla.org", port: 5671, .. })"#,
        ),
        (
            vec![user, password, ("PULSE_HOST", "localhost:7"), ("PULSE_URL", "")],
            r#"Ok(PulseCredentials { user: "builds", host: "localhost", port: 7, .. })"#,
        ),
        (
            vec![user, ("PULSE_URL", "amqp://u:no-secret@h")],
            r#"Ok(PulseCredentials { user: "u", host: "h", port: 5672, .. })"#,
        ),
        (vec![user], "Err(Config(neither PULSE_PASSWORD nor PULSE_URL is set))"),
        (vec![password], "Err(Config(neither PULSE_USERNAME nor PULSE_URL is set))"),
        (
            vec![user, password, ("PULSE_HOST", "h:x")],
            "Err(Config(the port in \"h:x\" is not a number up to 65535))",
        ),
    ] {
        let output = with_environment(&variables);
        assert!(output.contains(&format!("credentials: {shown}\n")), "{output}");
    }
}

#[tokio::test]
async fn tls_takes_the_certificates_of_the_system_and_no_others() {
    let Some(broker) = broker() else { return };
    broker.publisher().await;
    let url = std::env::var("TASKCLUSTER_TEST_BROKER_TLS").unwrap();
    let authority = std::env::var("TASKCLUSTER_TEST_BROKER_AUTHORITY").unwrap();
    let [tester, service] = broker.variables();
    let environment = [
        tester,
        service,
        ("PULSE_URL", &url),
        // What the operating system's certificates are, for this process.
        ("SSL_CERT_FILE", &authority),
    ];
    let output = with_environment(&environment);
    assert!(output.contains("closed: Ok(())"), "{output}");
    let output = with_environment(&environment[..3]);
    assert!(output.contains("error: Transport(tester cannot connect to localhost:"), "{output}");
    assert!(output.contains("certificate"), "{output}");
}

#[tokio::test]
async fn passwords_are_not_logged() {
    let Some(broker) = broker() else { return };
    // Makes the exchange.
    broker.publisher().await;
    for child in [
        concat!(module_path!(), "::listens_with_everything_logged"),
        concat!(module_path!(), "::listens_with_everything_in_log"),
    ] {
        let shown = process::run(child, &broker.variables());
        assert!(shown.contains("listening") && shown.contains("TRACE lapin"), "{shown}");
        // What holds the password otherwise.
        assert!(shown.contains("start-ok") || shown.contains("StartOk"), "{shown}");
        let bytes = format!("{:?}", PASSWORD.as_bytes());
        let bytes = bytes.trim_matches(['[', ']']);
        let secret = |line: &&str| line.contains(PASSWORD) || line.contains(bytes);
        let lines: Vec<_> = shown.lines().filter(secret).collect();
        assert!(lines.is_empty(), "{lines:#?}");
    }
}

#[tokio::test]
async fn what_is_logged_after_a_connection_still_arrives() {
    let Some(broker) = broker() else { return };
    broker.publisher().await;
    let child = concat!(module_path!(), "::listens_with_everything_in_log");
    let shown = process::run(child, &broker.variables());
    assert!(
        shown.contains("INFO taskcluster::pulse::credentials what the program logs after it"),
        "{shown}"
    );
}
