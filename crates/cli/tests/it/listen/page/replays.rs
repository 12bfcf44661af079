//! What the page sends.

use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{Notification, Verifier};
use serde_json::{Value, json};

use super::super::support::Listening;
use super::Page;
use crate::support::{OTHER_SECRET, SECRET, command, receiver, recorder, serve};

const BODY: &str = "{ \"a\": [1.50, \"\\u00e9\"] }\n";

#[test]
fn a_replay_is_what_came() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &[]);
    let page = Page::of(&listening);
    listening.post("/x?y=z", BODY);
    let (status, detail) = page.post("replay", &json!({"key": 1}));
    assert_eq!(status, "200", "{detail}");
    let row = &detail["row"];
    assert_eq!(
        (&row["from_page"], &row["replay_of"]),
        (&json!("replay"), &json!(1))
    );
    assert_eq!((&row["attempt"], &row["of"]), (&json!(2), &json!(1)));
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 2);
    assert_eq!(log[0].uri, log[1].uri);
    assert_eq!(log[0].body, log[1].body);
    for name in ["host", "cronofy-hmac-sha256", "content-length"] {
        assert_eq!(log[0].headers.get(name), log[1].headers.get(name), "{name}");
    }
}

#[test]
fn an_edit_is_signed_again_and_leaves_the_original() {
    let listening = Listening::start(&receiver().replace("/42", ""), &[]);
    let page = Page::of(&listening);
    assert_eq!(listening.post("/cronofy/42", BODY), "204");
    let send = |body: &str, sign: Value| {
        let draft = json!({"of": 1, "uri": "/cronofy/42", "body": body, "sign": sign});
        page.post("send", &draft)
    };
    for (sign, status, verdict) in [
        (json!({"secret": 0}), 204, "authentic"),
        (json!("all"), 204, "authentic"),
        (json!("keep"), 401, "unauthentic"),
        (json!("none"), 401, "unauthentic"),
    ] {
        let (sent, detail) = send(r#"{"a":2}"#, sign.clone());
        assert_eq!(sent, "200", "{detail}");
        assert_eq!(detail["row"]["status"], status, "{sign}");
        assert_eq!(detail["row"]["verdict"], verdict, "{sign}");
        assert_eq!(detail["row"]["from_page"], "edit");
        let change = json!([{"pointer": "/a", "before": "[1.5,\"é\"]", "after": "2"}]);
        assert_eq!(detail["differences"]["original"]["changes"], change);
    }
    assert_eq!(send("{", json!({"secret": 1})).0, "422");
    assert_eq!(page.get("deliveries/1")["row"]["length"], BODY.len());
}

#[test]
fn one_of_several_secrets_signs() {
    let (to, log) = recorder(204);
    let mut two = command(&[
        "listen", "--port", "0", "--page", "0", "--json", "--to", &to,
    ]);
    two.env("CRONOFY_CLIENT_SECRET", format!("{OTHER_SECRET},{SECRET}"));
    let listening = Listening::spawn(&mut two);
    let page = Page::of(&listening);
    let labels = json!(["client secret 1 of 2", "client secret 2 of 2"]);
    assert_eq!(page.get("state")["secrets"], labels);
    for (sign, secrets) in [
        (json!({"secret": 0}), &[OTHER_SECRET][..]),
        (json!({"secret": 1}), &[SECRET]),
        (json!("all"), &[OTHER_SECRET, SECRET]),
    ] {
        let draft = json!({"of": null, "uri": "/", "body": BODY, "sign": sign});
        assert_eq!(page.post("send", &draft).0, "200");
        let log = log.lock().unwrap();
        let signature = &log.last().unwrap().headers["cronofy-hmac-sha256"];
        let verifier = Verifier::new(secrets.to_vec()).unwrap();
        assert_eq!(*signature, verifier.sign(BODY.as_bytes()));
    }
}

#[test]
fn each_sample_can_be_triggered() {
    let listening = Listening::start(
        &receiver().replace("/42", ""),
        &["--public-url", "https://a.example"],
    );
    let page = Page::of(&listening);
    let samples = page.get("samples");
    let samples = samples.as_array().unwrap();
    assert_eq!(samples[0]["name"], "verification");
    for sample in samples {
        let wanted = json!({"name": sample["name"], "uri": "/cronofy/42", "channel": "chn_7"});
        let (status, prepared) = page.post("sample", &wanted);
        assert_eq!(status, "200");
        let body = prepared["body"].as_str().unwrap();
        let notification = Notification::from_slice(body.as_bytes());
        let url = notification.callback_url();
        assert!(
            url.is_none_or(|url| url == "https://a.example/cronofy/42"),
            "{url:?}"
        );
        let channel = notification.channel();
        assert!(channel.is_none_or(|channel| channel.channel_id == "chn_7"));
        let draft = json!({"of": null, "uri": "/cronofy/42", "body": body, "sign": "all"});
        let (_, detail) = page.post("send", &draft);
        assert_eq!(detail["row"]["status"], 204);
        assert_eq!(detail["row"]["from_page"], "trigger");
    }
    assert_eq!(page.rows().len(), samples.len());
    let unknown = json!({"name": "x", "uri": "/", "channel": ""});
    assert_eq!(page.post("sample", &unknown).0, "422");
}

#[test]
fn without_a_secret_nothing_is_signed() {
    let (to, log) = recorder(204);
    let mut none = command(&[
        "listen", "--port", "0", "--page", "0", "--json", "--to", &to,
    ]);
    none.env_remove("CRONOFY_CLIENT_SECRET");
    let listening = Listening::spawn(&mut none);
    let page = Page::of(&listening);
    let draft = |sign| json!({"of": null, "uri": "/", "body": "{}", "sign": sign});
    assert_eq!(page.post("send", &draft(json!("all"))).0, "422");
    assert_eq!(page.post("send", &draft(json!({"secret": 0}))).0, "422");
    let (status, detail) = page.post("send", &draft(json!("none")));
    assert_eq!(
        (&*status, &detail["row"]["verdict"]),
        ("200", &json!("unchecked"))
    );
    assert!(
        !log.lock().unwrap()[0]
            .headers
            .contains_key("cronofy-hmac-sha256")
    );
}

/// Waits until several replays have ended.
fn wait(listening: &Listening, number: usize) -> Vec<Value> {
    (0..number).map(|_| listening.json()).collect()
}

#[test]
fn several_replays_need_their_number_and_come_in_order() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &[]);
    let page = Page::of(&listening);
    for number in 0..20 {
        listening.post("/", &format!("{number}"));
    }
    wait(&listening, 20);
    let keys: Vec<_> = (1..=20).rev().collect();
    let (status, _) = page.post("replay-all", &json!({"keys": keys, "confirmed": 19}));
    assert_eq!(status, "409");
    let (status, _) = page.post("replay-all", &json!({"keys": keys, "confirmed": 20}));
    assert_eq!(status, "202");
    let replayed = wait(&listening, 20);
    let of: Vec<_> = replayed
        .iter()
        .map(|line| line["replay_of"].clone())
        .collect();
    assert_eq!(json!(of), json!((1..=20).collect::<Vec<_>>()));
    let log = log.lock().unwrap();
    let bodies: Vec<_> = log.iter().map(|received| received.body.clone()).collect();
    assert_eq!(bodies[..20], bodies[20..]);
}

#[test]
fn several_replays_are_one_after_the_other_and_can_be_stopped() {
    let (entered, entries) = std::sync::mpsc::channel();
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let at_gate = std::sync::Arc::clone(&gate);
    let app = Router::new().route(
        "/",
        post(async move || {
            entered.send(()).unwrap();
            at_gate.acquire().await.unwrap().forget();
            StatusCode::NO_CONTENT
        }),
    );
    let listening = Listening::start(&serve(app), &["--patience", "30s"]);
    let page = Page::of(&listening);
    gate.add_permits(3);
    for number in 0..3 {
        listening.post("/", &format!("{number}"));
    }
    wait(&listening, 3);
    let several = json!({"keys": [1, 2, 3], "confirmed": 3});
    assert_eq!(page.post("replay-all", &several).0, "202");
    assert_eq!(page.post("replay-all", &several).0, "409");
    for _ in 0..4 {
        entries.recv_timeout(Duration::from_secs(10)).unwrap();
    }
    // The second one waits for the first.
    assert!(entries.recv_timeout(Duration::from_millis(200)).is_err());
    assert_eq!(page.post("stop", &json!({})).0, "204");
    gate.add_permits(9);
    wait(&listening, 1);
    assert!(entries.recv_timeout(Duration::from_millis(200)).is_err());
    assert_eq!(page.rows().len(), 4);
}

#[test]
fn more_than_ten_replays_are_for_this_machine() {
    let listening = Listening::start("http://192.0.2.1/", &["--patience", "20ms"]);
    let page = Page::of(&listening);
    for number in 0..11 {
        listening.post("/", &format!("{number}"));
    }
    let several = |count: u64| {
        let keys: Vec<_> = (1..=count).collect();
        page.post("replay-all", &json!({"keys": keys, "confirmed": count}))
    };
    let (status, refusal) = several(11);
    assert_eq!(status, "422");
    let error = refusal["error"].as_str().unwrap();
    assert!(error.contains("replay --allow-remote"), "{error}");
    assert_eq!(several(10).0, "202");
}

#[test]
fn what_the_page_sends_does_not_count_for_until() {
    let (to, _) = recorder(204);
    let mut listening = Listening::start(&to, &["--until", "2"]);
    let page = Page::of(&listening);
    listening.post("/", "1");
    assert_eq!(page.post("replay", &json!({"key": 1})).0, "200");
    assert_eq!(listening.post("/", "2"), "204");
    let started = Instant::now();
    assert_eq!(listening.wait().status, 0);
    assert!(started.elapsed() < Duration::from_secs(9));
}

#[test]
fn a_late_answer_is_given_up_as_for_cronofy() {
    let app = Router::new().fallback(async || std::future::pending::<StatusCode>().await);
    let listening = Listening::start(&serve(app), &["--patience", "50ms"]);
    let page = Page::of(&listening);
    let draft = json!({"of": null, "uri": "/", "body": "{}", "sign": "all"});
    let (_, detail) = page.post("send", &draft);
    assert_eq!(detail["answer"]["by"], "listen");
    assert_eq!(detail["answer"]["status"], 504);
    assert_eq!(detail["outcome"]["tone"], "bad");
}

#[test]
fn what_is_sent_goes_to_the_receiver_below_its_path() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&format!("{to}/cronofy"), &[]);
    let page = Page::of(&listening);
    for uri in [
        "/admin",
        "/cronofy/../admin",
        "http://a.example/cronofy",
        "//a.example/cronofy",
        "",
        "*",
    ] {
        let body = json!({"of": null, "uri": uri, "body": "{}", "sign": "all"});
        let (status, _) = page.post("send", &body);
        assert_eq!(status, "422", "{uri}");
    }
    let body = json!({"of": null, "uri": "/cronofy/42", "body": "{}", "sign": "all"});
    assert_eq!(page.post("send", &body).0, "200");
    assert_eq!(log.lock().unwrap().len(), 1);
}
