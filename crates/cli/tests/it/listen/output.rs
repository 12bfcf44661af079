//! Lines, and what is told at the start.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use cronofy_webhook_testing::Payload;

use super::support::{self, Listening, post, status};
use crate::support::{OTHER_SECRET, command, recorder};

const CHANGE: &str = r#"{"notification":{"type":"change","changes_since":"2026-01-01T00:00:00Z"},"channel":{"channel_id":"chn_1","callback_url":"https://a.example/x"}}"#;

/// Runs it as text while `f` sends requests to its URL, and returns its lines and what it said on standard error.
fn text(
    to: &str,
    arguments: &[&str],
    secret: Option<&str>,
    f: impl FnOnce(&str),
) -> (String, String) {
    let start = ["listen", "--port", "0", "--page", "0", "--to", to];
    let mut command = command(&[&start, arguments].concat());
    match secret {
        Some(secret) => command.env("CRONOFY_CLIENT_SECRET", secret),
        None => command.env_remove("CRONOFY_CLIENT_SECRET"),
    };
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut lines = String::new();
    stdout.read_line(&mut lines).unwrap();
    let rest = lines.strip_prefix("listening on ").unwrap();
    let url = rest.split(' ').next().unwrap().to_owned();
    f(&url);
    let id = child.id().to_string();
    assert!(Command::new("kill").arg(id).status().unwrap().success());
    lines.clear();
    stdout.read_to_string(&mut lines).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    (lines, said)
}

fn send(url: &str, request: &str) -> String {
    status(&support::send(url, request))
}

#[test]
fn each_request_is_a_line() {
    let (to, _) = recorder(204);
    let (lines, _) = text(
        &format!("{to}/x"),
        &[],
        Some(crate::support::SECRET),
        |url| {
            send(url, &post("/x", CHANGE));
            send(url, &post("/x", CHANGE));
            send(url, &post("/x", CHANGE).replace("chn_1", "chn_2"));
            send(
                url,
                "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            );
            send(
                url,
                "GET /y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            );
        },
    );
    let lines: Vec<_> = lines
        .lines()
        .map(|line| {
            let (time, line) = line.split_once(' ').unwrap();
            assert_eq!(time.len(), "12:34:56".len(), "{time}");
            let (line, end) = line.rsplit_once(" after ").unwrap();
            (line.to_owned(), end.split_once(" ms").unwrap().1.to_owned())
        })
        .collect();
    let lines: Vec<_> = lines
        .iter()
        .map(|(line, end)| (line.as_str(), end.as_str()))
        .collect();
    assert_eq!(lines[0], ("1 change chn_1, authentic: 204", ""));
    assert_eq!(
        lines[1],
        (
            "2 change chn_1, authentic, attempt 2 of delivery 1: 204",
            ""
        )
    );
    let (unauthentic, _) = lines[2];
    assert!(
        unauthentic.starts_with("3 change chn_2, not authentic ("),
        "{unauthentic}"
    );
    assert_eq!(lines[3], ("GET /x, not a delivery: 204", ""));
    assert_eq!(
        lines[4],
        (
            "GET /y, not a delivery: 404",
            ": the path is not below /x, which is that of --to"
        )
    );
}

#[test]
fn a_mistake_is_told_in_the_line() {
    let (to, _) = recorder(204);
    let quoted = format!("\"{OTHER_SECRET}\"");
    let signature = cronofy_webhook::Verifier::new([OTHER_SECRET])
        .unwrap()
        .sign(b"{}");
    let (lines, _) = text(&to, &[], Some(&quoted), |url| {
        let signature = signature.to_str().unwrap();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\nCronofy-HMAC-SHA256: {signature}\r\n\r\n{{}}"
        );
        send(url, &request);
    });
    assert!(
        lines.contains("1 unknown, not authentic (proven: "),
        "{lines}"
    );
}

#[test]
fn without_a_secret_nothing_is_checked() {
    let (to, _) = recorder(204);
    let (lines, said) = text(&to, &[], None, |url| {
        send(url, &post("/", CHANGE));
    });
    assert!(
        lines.contains("1 change chn_1, unchecked: 204 after "),
        "{lines}"
    );
    assert!(
        said.contains("no client secret was given: signatures are not checked"),
        "{said}"
    );
}

#[test]
fn tunnels_and_the_channel_are_told() {
    let (to, _) = recorder(204);
    let told = "\n  curl https://api.cronofy.com/v1/channels -H \"Authorization: Bearer $CRONOFY_ACCESS_TOKEN\" -H 'Content-Type: application/json' -d '{\"callback_url\":\"https://a.example/x\"}'\n";
    let (_, said) = text(&format!("{to}/x"), &[], None, |url| {
        send(url, &post("/x", "{}").replace("a.example", url));
        send(
            url,
            &post("/x", "{}").replace("a.example", "a'$(id).example"),
        );
        send(url, &post("/x", "{}"));
        send(url, &post("/x", "{}").replace("a.example", "b.example"));
    });
    assert_eq!(said.matches(told).count(), 1, "{said}");
    assert_eq!(said.matches("curl ").count(), 1, "{said}");
    for tunnel in [
        "ngrok http ",
        "cloudflared tunnel --url http://127.0.0.1:",
        "tailscale funnel ",
    ] {
        assert!(said.contains(&format!("\n  {tunnel}")), "{said}");
    }
    let (_, said) = text(
        &format!("{to}/x"),
        &["--public-url", "https://a.example/"],
        None,
        |_| (),
    );
    assert_eq!(said.matches(told).count(), 1, "{said}");
}

#[test]
fn a_delivery_for_another_host_comes_with_a_hint() {
    let (to, _) = recorder(204);
    let hint = "hint: this delivery is for a.example and came to b.example";
    let (_, said) = text(&to, &[], Some(crate::support::SECRET), |url| {
        send(
            url,
            &post("/", CHANGE).replace("Host: a.example", "Host: A.EXAMPLE:443"),
        );
        assert_eq!(
            send(
                url,
                &post("/", CHANGE).replace("Host: a.example", "Host: b.example")
            ),
            "204"
        );
    });
    assert!(
        !said.contains("hint: "),
        "the first host is that of the tunnel: {said}"
    );
    let (_, said) = text(&to, &[], Some(crate::support::SECRET), |url| {
        for _ in 0..2 {
            send(
                url,
                &post("/", CHANGE).replace("Host: a.example", "Host: b.example"),
            );
        }
    });
    assert_eq!(said.matches(hint).count(), 1, "{said}");
}

#[test]
fn hostile_text_is_escaped() {
    let (to, _) = recorder(204);
    let kind = "\u{1b}]52;c;aGk=\u{7}\u{202e}";
    let body = serde_json::json!({"notification": {"type": kind}}).to_string();
    let (lines, _) = text(&to, &[], None, |url| {
        send(url, &post("/", &body));
    });
    assert!(
        lines.contains(r"1 \u{1b}]52;c;aGk=\u{7}\u{202e}, unchecked"),
        "{lines}"
    );
    let listening = Listening::start(&to, &[]);
    listening.post("/", &body);
    assert_eq!(listening.json()["kind"], kind);
}

#[test]
fn every_sample_is_shown_by_its_kind() {
    let (to, _) = recorder(204);
    let listening = Listening::start(&to, &[]);
    for sample in Payload::samples() {
        assert_eq!(listening.post("/", sample.payload().as_str()), "204");
        assert_eq!(listening.json()["kind"], sample.kind());
    }
}
