//! What the calls of the page tell.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::support::{Listening, connect, post};
use super::{Page, read_until};
use crate::support::{OTHER_SECRET, SECRET, command, nobody, receiver, recorder};

const CHANGE: &str = r#"{"notification":{"type":"change","changes_since":"2026-01-01T00:00:00Z"},"channel":{"channel_id":"chn_1","callback_url":"https://a.example/x","filters":7},"email":"Ada@example.com"}"#;

fn started() -> (Listening, Page) {
    let listening = Listening::start(&recorder(204).0, &[]);
    let page = Page::of(&listening);
    (listening, page)
}

#[test]
fn a_delivery_is_a_row() {
    let (listening, page) = started();
    listening.post("/x?y=z", CHANGE);
    listening.send("GET /favicon.ico HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let rows = page.rows();
    let row = &rows[0];
    for (field, value) in [
        ("key", json!(1)),
        ("id", json!(1)),
        ("uri", json!("/x?y=z")),
        ("kind", json!("change")),
        ("channel", json!("chn_1")),
        ("verdict", json!("authentic")),
        ("status", json!(204)),
        ("by", json!("receiver")),
        ("limit_ms", json!(5000.0)),
        ("from_page", Value::Null),
        ("length", json!(CHANGE.len())),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    assert_eq!((&rows[1]["key"], &rows[1]["id"]), (&json!(2), &Value::Null));
}

#[test]
fn a_detail_tells_everything() {
    let (listening, page) = started();
    listening.post("/", CHANGE);
    let detail = page.get("deliveries/1");
    assert_eq!(detail["body_b64"], STANDARD.encode(CHANGE));
    assert_eq!(detail["typed"]["unknown"], Value::Null);
    assert_eq!(detail["typed"]["invalid"], json!(["channel.filters"]));
    let text = detail["typed"]["text"].as_str().unwrap();
    assert!(text.starts_with("Change("), "{text}");
    let signature = &detail["signature"];
    assert_eq!(signature["secret"], "client secret 1 of 1");
    assert_eq!(
        (&signature["listed"], &signature["unknown"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(detail["outcome"]["tone"], "good");
    assert_eq!(detail["answer"]["reason"], "No Content");
    assert_eq!(page.answer("GET /api/deliveries/2", "").0, "404");
}

#[test]
fn an_unknown_kind_says_why() {
    let (listening, page) = started();
    listening.post("/", r#"{"notification":{"type":"change"}}"#);
    listening.post("/", "not JSON");
    let unknown = |key| page.get(&format!("deliveries/{key}"))["typed"]["unknown"].clone();
    assert_eq!(unknown(1), "`notification.changes_since` is missing");
    assert!(
        unknown(2)
            .as_str()
            .unwrap()
            .starts_with("the body is not a JSON object")
    );
}

#[test]
fn a_signature_that_does_not_match_is_explained() {
    let (to, _) = recorder(204);
    let mut quoted = command(&[
        "listen", "--port", "0", "--page", "0", "--json", "--to", &to,
    ]);
    quoted.env(
        "CRONOFY_CLIENT_SECRET",
        format!("{OTHER_SECRET},\"{SECRET}\""),
    );
    let listening = Listening::spawn(&mut quoted);
    let page = Page::of(&listening);
    listening.post("/", CHANGE);
    let detail = page.get("deliveries/1");
    let finding = &detail["signature"]["findings"][0];
    assert_eq!(
        (&finding["certainty"], &finding["secret"]),
        (&json!("proven"), &json!("client secret 2 of 2"))
    );
    assert_eq!(detail["outcome"]["tone"], "warning");
}

#[test]
fn a_body_that_is_not_authentic_is_kept_up_to_64_kib() {
    let (listening, page) = started();
    let body = "x".repeat(70_000);
    let request = post("/", &body);
    assert!(listening.send(&request).starts_with("HTTP/1.1 204"));
    let forged = request.replacen("HMAC-SHA256: ", "HMAC-SHA256: x", 1);
    listening.send(&forged);
    let kept = |key| {
        let detail = page.get(&format!("deliveries/{key}"));
        let body = detail["body_b64"].as_str().unwrap().to_owned();
        (STANDARD.decode(body).unwrap().len(), detail["row"].clone())
    };
    assert_eq!(kept(1).0, 70_000);
    let (length, row) = kept(2);
    assert_eq!((length, &row["length"]), (64 * 1024, &json!(70_000)));
    assert_eq!(
        (&row["verdict"], &row["is_cut"]),
        (&json!("unauthentic"), &json!(true))
    );
    let (status, refusal) = page.post("replay", &json!({"key": 2}));
    assert_eq!(status, "422", "{refusal}");
}

#[test]
fn a_search_looks_into_bodies() {
    let (listening, page) = started();
    listening.post("/one", CHANGE);
    listening.post("/two", "{}");
    let found = |text: &str| page.post("search", &json!({"text": text})).1;
    assert_eq!(found("ada@EXAMPLE"), json!([1]));
    assert_eq!(found("/two"), json!([2]));
    assert_eq!(found("chn_1"), json!([1]));
    assert_eq!(found("nowhere"), json!([]));
}

#[test]
fn a_difference_is_by_json_pointer() {
    let (listening, page) = started();
    listening.post("/", CHANGE);
    listening.post("/", "{}");
    listening.post("/", &CHANGE.replace("chn_1", "chn_2"));
    let differences = &page.get("deliveries/3")["differences"];
    assert_eq!(
        differences["previous"]["changes"],
        json!([{"pointer": "/channel/channel_id", "before": "\"chn_1\"", "after": "\"chn_2\""}])
    );
    assert_eq!(differences["previous"]["key"], 1);
    assert!(
        !differences["sample"]["changes"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        page.get("deliveries/1")["differences"]["previous"],
        Value::Null
    );
}

#[test]
fn what_is_new_is_streamed() {
    let (listening, page) = started();
    let [host, token] = page.headers();
    let mut stream = connect(&page.url);
    write!(
        stream,
        "GET /api/stream HTTP/1.1\r\n{host}\r\n{token}\r\n\r\n"
    )
    .unwrap();
    read_until(&mut stream, "event: replays");
    listening.post("/", CHANGE);
    read_until(&mut stream, "}\n\n");
    let text = read_until(&mut stream, "}\n\n");
    assert!(text.contains("event: row\ndata: {\"key\":1,"), "{text}");
}

#[test]
fn the_state_tells_how_it_was_started() {
    let folder = tempfile::TempDir::new().unwrap();
    let record = folder.path().join("deliveries.ndjson");
    let record = record.to_str().unwrap();
    let url = receiver();
    let to = url.strip_suffix("/42").unwrap();
    let arguments = ["--record", record, "--public-url", "https://a.example"];
    let listening = Listening::start(to, &arguments);
    let page = Page::of(&listening);
    let state = page.get("state");
    for (field, value) in [
        ("to", json!(to)),
        ("url", json!(listening.url)),
        ("prefix", json!("/cronofy")),
        ("listens", json!(true)),
        ("secrets", json!(["client secret 1 of 1"])),
        ("public_url", json!("https://a.example")),
        ("recording", json!({"path": record, "is_written": true})),
    ] {
        assert_eq!(state[field], value, "{field}");
    }
    let command = state["channel_command"].as_str().unwrap();
    assert!(command.contains("https://a.example/cronofy"), "{command}");
    let down = Listening::start(&nobody(), &[]);
    assert_eq!(Page::of(&down).get("state")["listens"], false);
}

#[test]
fn a_record_is_shown_again() {
    let folder = tempfile::TempDir::new().unwrap();
    let record = folder.path().join("deliveries.ndjson");
    let arguments = ["--record", record.to_str().unwrap()];
    let (to, _) = recorder(204);
    let first = Listening::start(&to, &arguments);
    let page = Page::of(&first);
    first.post("/", CHANGE);
    assert_eq!(page.post("replay", &json!({"key": 1})).0, "200");
    let before = page.rows();
    first.stop();
    let second = Listening::start(&to, &arguments);
    let page = Page::of(&second);
    let after = page.rows();
    assert_eq!(after.len(), 2);
    for field in [
        "id",
        "kind",
        "channel",
        "verdict",
        "status",
        "of",
        "from_page",
        "replay_of",
    ] {
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before[field], after[field], "{field}");
        }
    }
    assert_eq!(after[1]["from_page"], "replay");
    assert_eq!(
        page.get("deliveries/2")["signature"]["verdict"],
        "authentic"
    );
}
