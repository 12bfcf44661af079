use std::time::Duration;

use axum::Router;
use axum::routing::{any, post};
use cronofy_webhook::{CronofyWebhookLayer, Delivery, Verifier};
use cronofy_webhook_testing::Payload;

use crate::support::{
    OTHER_SECRET, Run, SECRET, answering, command, file, nobody, receiver, recorder, run, serve,
    serve_on,
};

#[test]
fn every_sample_is_delivered() {
    let url = receiver();
    for sample in Payload::samples() {
        let run = run(&["trigger", sample.name(), "--to", &url]);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
        assert!(run.stdout.contains(": delivered"), "{}", run.stdout);
    }
}

#[test]
fn the_request_is_that_of_cronofy() {
    let (url, log) = recorder(200);
    let to = format!("{url}/cronofy/42?token=a%2Fb");
    assert_eq!(run(&["trigger", "change", "--to", &to]).status, 0);
    let log = log.lock().unwrap();
    let [request] = &log[..] else {
        panic!("{} requests", log.len());
    };
    assert_eq!(request.method, "POST");
    assert_eq!(request.uri, "/cronofy/42?token=a%2Fb");
    assert_eq!(
        request.headers["content-type"],
        "application/json; charset=utf-8"
    );
    assert_eq!(
        request.headers["host"],
        url.strip_prefix("http://").unwrap()
    );
    let verifier = Verifier::new([SECRET]).unwrap();
    let delivery = Delivery::verify(&verifier, &request.headers, request.body.clone()).unwrap();
    assert_eq!(delivery.notification().callback_url(), Some(to.as_str()));
}

#[test]
fn a_body_is_sent_byte_for_byte() {
    let (url, log) = recorder(204);
    let body = b" { \"b\": 1.0,\n \"a\" : \"\xff\" } \n";
    let (_folder, path) = file(body);
    assert_eq!(run(&["trigger", "--body", &path, "--to", &url]).status, 0);
    let mut from_stdin = command(&["trigger", "--body", "-", "--to", &url]);
    assert_eq!(Run::with_input(&mut from_stdin, body).status, 0);
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 2);
    for request in &*log {
        assert_eq!(request.body, &body[..]);
        assert_eq!(
            request.headers["cronofy-hmac-sha256"],
            Verifier::new([SECRET]).unwrap().sign(body)
        );
    }
}

#[test]
fn a_value_is_set_in_a_sample_and_in_a_body() {
    let (url, log) = recorder(204);
    let (_folder, path) = file("{ \"a\": 1 }");
    let set = [
        "--set",
        "/a=2",
        "--set",
        "/channel/callback_url=https://a.example/",
    ];
    for what in [&["change"][..], &["--body", &path]] {
        let arguments = [&["trigger", "--to", &url], what, &set].concat();
        assert_eq!(run(&arguments).status, 0);
    }
    let bodies: Vec<_> = log
        .lock()
        .unwrap()
        .iter()
        .map(|request| request.body.clone())
        .collect();
    assert_eq!(
        bodies[1],
        r#"{ "a": 2,"channel":{"callback_url":"https://a.example/"} }"#
    );
    let change: serde_json::Value = serde_json::from_slice(&bodies[0]).unwrap();
    assert_eq!(change["a"], 2);
    assert_eq!(change["channel"]["callback_url"], "https://a.example/");

    for (set, what) in [("a=1", "does not start with `/`"), ("/a", "it has no `=`")] {
        let run = run(&["trigger", "change", "--to", &url, "--set", set]);
        assert_eq!(run.status, 2);
        assert!(run.stderr.contains(what), "{}", run.stderr);
    }
}

#[test]
fn an_answer_that_has_a_usual_cause_comes_with_a_hint() {
    for (status, hint) in [
        (401, "another client secret"),
        (403, "public_url"),
        (404, "the path may be wrong"),
        (405, "no route for POST"),
        (413, "over the limit"),
        (307, "only a 2xx counts"),
    ] {
        let run = run(&[
            "trigger",
            "change",
            "--to",
            &answering(status, "the text\nof it"),
        ]);
        assert_eq!(run.status, 1);
        assert!(
            run.stdout.contains(&format!("\n{status} ")),
            "{}",
            run.stdout
        );
        assert!(
            run.stdout
                .contains(": Cronofy would retry\n  the text\n  of it\nhint: ")
        );
        assert!(
            run.stdout.lines().last().unwrap().contains(hint),
            "{}",
            run.stdout
        );
    }
    let run = run(&["trigger", "change", "--to", &answering(500, "")]);
    assert!(
        run.status == 1 && !run.stdout.contains("hint"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_receiver_with_a_public_url_takes_what_is_made_for_it() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let layer = CronofyWebhookLayer::new(SECRET).public_url(base.parse().unwrap());
    let app = Router::new().route("/cronofy", post(async || ()).layer(layer));
    let url = serve_on(listener, app) + "/cronofy";
    for (sample, pointer) in [
        ("change", "/channel/callback_url"),
        ("smart_invite", "/smart_invite/callback_url"),
    ] {
        let arguments = ["trigger", sample, "--to", &url];
        assert_eq!(run(&arguments).status, 0);
        let set = format!("{pointer}=https://receiver.example/cronofy");
        let elsewhere = run(&[&arguments[..], &["--set", &set]].concat());
        assert_eq!(elsewhere.status, 1);
        assert!(elsewhere.stdout.contains("\n403 "), "{}", elsewhere.stdout);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let (url, log) = recorder(307);
    assert_eq!(run(&["trigger", "change", "--to", &url]).status, 1);
    assert_eq!(log.lock().unwrap().len(), 1);
}

#[test]
fn nobody_listening_is_told_as_that() {
    let run = run(&["trigger", "change", "--to", &nobody()]);
    assert_eq!(run.status, 1);
    assert!(
        run.stdout.contains("hint: nothing listens there"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_host_without_an_address_is_a_failed_delivery() {
    let arguments = ["trigger", "change", "--to", "http://receiver.invalid/"];
    let text = run(&arguments);
    assert_eq!((text.status, text.stderr.as_str()), (1, ""));
    assert!(
        text.stdout.contains("\nfailed: receiver.invalid: "),
        "{}",
        text.stdout
    );
    let json = run(&[&arguments[..], &["--json"]].concat());
    assert_eq!(json.status, 1);
    let delivery = &json.records("delivery")[0];
    assert_eq!(delivery["outcome"], "failed");
    let error = delivery["error"].as_str().unwrap();
    assert!(error.starts_with("receiver.invalid: "), "{error}");
    assert_eq!(json.records("summary")[0]["delivered"], 0);
}

/// In real time, as the clock of another process cannot be paused.
#[test]
fn a_late_answer_counts_as_none() {
    let late = async || tokio::time::sleep(Duration::from_secs(6)).await;
    let url = serve(Router::new().fallback(any(late)));
    let run = run(&["trigger", "change", "--to", &url, "--json"]);
    assert_eq!(run.status, 1);
    let delivery = &run.records("delivery")[0];
    assert_eq!(delivery["outcome"], "timed_out");
    let took = delivery["took_ms"].as_f64().unwrap();
    assert!((5000.0..6000.0).contains(&took), "{took}");
    assert_eq!(run.stderr, "0 of 1 answered\n");
}

#[test]
fn an_event_trigger_may_take_7_seconds() {
    let url = receiver();
    for (sample, limit) in [("event_subscription", 7000.0), ("change", 5000.0)] {
        let run = run(&["trigger", sample, "--to", &url, "--json"]);
        assert_eq!(run.records("delivery")[0]["limit_ms"], limit);
    }
}

#[test]
fn several_secrets_sign_as_during_a_rotation() {
    let url = receiver();
    let mut both = command(&["trigger", "change", "--to", &url]);
    both.env("CRONOFY_CLIENT_SECRET", format!("{OTHER_SECRET},{SECRET}"));
    assert_eq!(Run::of(&mut both).status, 0);
    let mut other = command(&["trigger", "change", "--to", &url]);
    other.env("CRONOFY_CLIENT_SECRET", OTHER_SECRET);
    assert_eq!(Run::of(&mut other).status, 1);
}
