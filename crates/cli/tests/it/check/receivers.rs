//! Receivers with one fault each. The URLs are plain HTTP.

use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::routing::any;
use cronofy_webhook::Verifier;
use cronofy_webhook::signature::HEADER;

use super::{assert_fails, ids, line, text};
use crate::support::{Run, SECRET, answering, command, nobody, recorder, run, serve};

/// A request, as a receiver sees it.
struct Seen {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

impl Seen {
    fn is_authentic(&self) -> bool {
        let verifier = Verifier::new([SECRET]).unwrap();
        verifier.verify(&self.headers, &self.body).is_ok()
    }

    fn signatures(&self) -> Option<&[u8]> {
        self.headers.get(HEADER).map(HeaderValue::as_bytes)
    }

    fn genuine(&self) -> HeaderValue {
        Verifier::new([SECRET]).unwrap().sign(&self.body)
    }

    fn is_post(&self) -> bool {
        self.method == Method::POST
    }

    fn mentions(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(text)
    }
}

/// A receiver that reads the whole body, waits, and answers as told.
fn judging(judge: fn(&Seen) -> u16, delay: Duration) -> String {
    let app = any(async move |method, headers, body| {
        tokio::time::sleep(delay).await;
        let seen = Seen {
            method,
            headers,
            body,
        };
        let location = [("location", "/elsewhere")];
        (StatusCode::from_u16(judge(&seen)).unwrap(), location)
    });
    serve(
        Router::new()
            .fallback(app)
            .layer(DefaultBodyLimit::disable()),
    )
}

fn right(seen: &Seen) -> u16 {
    if seen.is_post() && seen.is_authentic() {
        204
    } else {
        401
    }
}

fn check(url: &str) -> Run {
    run(&["check", url, "--json"])
}

struct Fault {
    name: &'static str,
    answer: fn(&Seen) -> u16,
    fails: &'static [&'static str],
}

const FAULTS: [Fault; 9] = [
    Fault {
        name: "none",
        answer: right,
        fails: &[],
    },
    Fault {
        name: "accepts everything that is posted",
        answer: |seen| if seen.is_post() { 200 } else { 405 },
        fails: &["refuses.unsigned"],
    },
    Fault {
        name: "accepts forgeries",
        answer: |seen| {
            if seen.is_post() && seen.signatures().is_some() {
                200
            } else {
                401
            }
        },
        fails: &["refuses.forged"],
    },
    Fault {
        name: "answers a GET with 200",
        answer: |seen| if seen.is_post() { right(seen) } else { 200 },
        fails: &["refuses.get"],
    },
    Fault {
        name: "refuses everything",
        answer: |_| 401,
        fails: &["accepts.verification"],
    },
    Fault {
        name: "redirects",
        answer: |_| 307,
        fails: &["accepts.verification"],
    },
    Fault {
        name: "does not know the type",
        answer: |seen| match right(seen) {
            204 if !seen.mentions("\"verification\"") => 404,
            status => status,
        },
        fails: &["accepts.unknown-type"],
    },
    Fault {
        name: "compares the whole header",
        answer: |seen| {
            if seen.signatures() == Some(seen.genuine().as_bytes()) {
                204
            } else {
                401
            }
        },
        fails: &["accepts.rotation"],
    },
    Fault {
        name: "looks at the last signature only",
        answer: |seen| {
            let genuine = seen.genuine();
            let ends = seen
                .signatures()
                .is_some_and(|list| list.ends_with(genuine.as_bytes()));
            if ends { 204 } else { 401 }
        },
        fails: &["accepts.rotation"],
    },
];

/// Each takes ten seconds, as none of them limits the time for a body: at the same time.
#[test]
fn exactly_the_fault_of_a_receiver_fails() {
    thread::scope(|scope| {
        for Fault {
            name,
            answer,
            fails,
        } in FAULTS
        {
            scope.spawn(move || {
                println!("{name}");
                let run = check(&judging(answer, Duration::ZERO));
                assert_fails(&run, fails);
                assert_eq!(line(&run, "robust.slow")["verdict"], "warn", "{name}");
            });
        }
    });
}

#[test]
fn a_receiver_that_takes_6_seconds_fails_the_verification_only() {
    let run = check(&judging(right, Duration::from_secs(6)));
    assert_fails(&run, &["accepts.verification"]);
    assert!(text(&run, "accepts.verification").starts_with("no answer within 5 s: "));
    for unknown in [
        "refuses.unsigned",
        "accepts.unknown-type",
        "accepts.rotation",
        "robust.chunked",
    ] {
        assert_eq!(line(&run, unknown)["verdict"], "unknown", "{unknown}");
    }
    assert!(run.stderr.contains("requests\n"), "{}", run.stderr);
}

#[test]
fn a_redirect_is_told_as_that() {
    let run = check(&answering(307, ""));
    assert_fails(&run, &["accepts.verification"]);
    let text = text(&run, "accepts.verification");
    assert!(
        text.starts_with("307 ") && text.contains("only a 2xx counts"),
        "{text}"
    );
}

#[test]
fn what_is_signed_is_only_what_was_announced() {
    let (url, log) = recorder(204);
    assert_eq!(check(&url).status, 1);
    let log = log.lock().unwrap();
    assert!(log.len() >= 8, "{}", log.len());
    let verifier = Verifier::new([SECRET]).unwrap();
    for request in log.iter() {
        assert!(
            request.headers["user-agent"]
                .to_str()
                .unwrap()
                .starts_with("cronofy-webhook-check/")
        );
        if verifier.verify(&request.headers, &request.body).is_err() {
            continue;
        }
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let kind = body["notification"]["type"].as_str().unwrap();
        assert!(
            ["verification", "cronofy_webhook_check"].contains(&kind),
            "{kind}"
        );
        assert_eq!(
            body["channel"]["channel_id"],
            "chn_000000000000000000000000"
        );
        assert_eq!(body["channel"]["callback_url"], format!("{url}/"));
    }
}

#[test]
fn a_dry_run_sends_nothing_and_needs_no_secret() {
    let (url, log) = recorder(204);
    for json in [&[][..], &["--json"]] {
        let mut command = command(&["check", &url, "--dry-run"]);
        let run = Run::of(command.args(json).env_remove("CRONOFY_CLIENT_SECRET"));
        assert_eq!(
            (run.status, run.stdout.matches("accepts.rotation").count()),
            (0, 1)
        );
    }
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn a_dry_run_of_the_tls_only_lists_no_request() {
    let dry_run = ["check", "3000", "--tls-only", "--dry-run"];
    let text = run(&dry_run);
    assert_eq!(
        (text.status, text.stdout.as_str()),
        (
            0,
            "no request would be sent to http://127.0.0.1:3000/: --tls-only\n"
        )
    );
    let json = run(&[&dry_run[..], &["--json"]].concat());
    assert_eq!((json.status, json.stdout.as_str()), (0, ""));
    let run = run(&["check", "3000", "--dry-run", "--ca", "Cargo.toml"]);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{}", run.stderr);
}

#[test]
fn nobody_listening_fails_once() {
    let run = check(&nobody());
    assert_fails(&run, &["connect"]);
    assert_eq!(ids(&run, "unknown").len(), 9, "{}", run.stdout);
}

#[test]
fn an_unknown_host_fails_once() {
    let run = check("https://receiver.invalid/");
    assert_fails(&run, &["resolve"]);
    assert_eq!(ids(&run, "unknown").len(), 18, "{}", run.stdout);
}

#[test]
fn https_at_a_port_for_http_fails() {
    let run = check(&answering(200, "").replace("http:", "https:"));
    assert_fails(&run, &["tls"]);
}
