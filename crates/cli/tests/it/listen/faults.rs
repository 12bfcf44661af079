use super::support::{Listening, status};
use crate::support::{recorder, run};

#[test]
fn a_dropped_delivery_is_not_sent_on_and_not_answered() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &["--fault", "drop"]);
    assert_eq!(listening.send(super::support::post("/", "{}")), "");
    assert!(log.lock().unwrap().is_empty());
    let line = listening.json();
    assert_eq!(
        (&line["status"], &line["error"]),
        (&().into(), &"dropped by --fault".into())
    );
}

#[test]
fn another_status_takes_the_place_of_that_of_the_receiver() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &["--fault", "status=503"]);
    assert_eq!(listening.post("/", "{}"), "503");
    assert_eq!(log.lock().unwrap().len(), 1);
    let line = listening.json();
    assert_eq!(
        (&line["status"], &line["by"], &line["error"]),
        (
            &503.into(),
            &"fault".into(),
            &"the receiver answered 204 No Content".into()
        )
    );
}

#[test]
fn a_delay_is_part_of_the_time() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &["--fault", "delay=200ms"]);
    assert_eq!(listening.post("/", "{}"), "204");
    assert!(listening.json()["took_ms"].as_f64().unwrap() >= 200.0);
    drop(listening);
    let listening = Listening::start(&to, &["--fault", "delay=1h", "--patience", "50ms"]);
    assert_eq!(listening.post("/", "{}"), "504");
    assert_eq!(log.lock().unwrap().len(), 1);
}

#[test]
fn only_deliveries_have_faults() {
    let (to, _) = recorder(204);
    let listening = Listening::start(&to, &["--fault", "drop"]);
    let answer = listening.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&answer), "204");
}

#[test]
fn the_same_seed_draws_the_same_faults() {
    let (to, _) = recorder(204);
    let statuses = |seed: &str| {
        let listening = Listening::start(&to, &["--fault", "status=503@50%", "--seed", seed]);
        let statuses = (0..40).map(|_| listening.post("/", "{}"));
        statuses.collect::<Vec<_>>()
    };
    let drawn = statuses("1");
    assert_eq!(drawn, statuses("1"));
    assert_ne!(drawn, statuses("2"));
    let faults = drawn.iter().filter(|status| *status == "503").count();
    assert!((8..=32).contains(&faults), "{faults}");
}

#[test]
fn a_seed_is_for_faults() {
    assert_eq!(run(&["listen", "--to", "3000", "--seed", "1"]).status, 2);
}
