//! Who can see the page, and what it can do.

use std::io::Write as _;
use std::net::TcpStream;

use serde_json::json;

use super::super::support::{Listening, connect, post, status};
use super::Page;
use crate::support::{SECRET, nobody, receiver, recorder};

const CALLS: [(&str, &str); 11] = [
    ("GET", "state"),
    ("GET", "stream"),
    ("GET", "deliveries"),
    ("GET", "deliveries/1"),
    ("GET", "deliveries/1/curl"),
    ("GET", "samples"),
    ("POST", "search"),
    ("POST", "sample"),
    ("POST", "replay"),
    ("POST", "replay-all"),
    ("POST", "send"),
];

fn started() -> (Listening, Page) {
    let listening = Listening::start(&recorder(204).0, &[]);
    let page = Page::of(&listening);
    (listening, page)
}

#[test]
fn the_tunnel_does_not_reach_it() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &[]);
    let page = Page::of(&listening);
    for path in ["/", "/app.js", "/api/state", "/api/deliveries"] {
        let token = &page.token;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
            page.host()
        );
        assert_eq!(status(&listening.send(request)), "204");
    }
    assert_eq!(log.lock().unwrap().len(), 4);
}

#[cfg(target_os = "linux")]
#[test]
fn it_is_on_this_machine_only() {
    let (_listening, page) = started();
    let port = page.host().rsplit_once(':').unwrap().1;
    // Each address of 127.0.0.0/8 is one of this machine; only one of them was asked for.
    assert!(TcpStream::connect(format!("127.0.0.2:{port}")).is_err());
    assert!(TcpStream::connect(format!("[::1]:{port}")).is_err());
}

#[test]
fn every_call_needs_the_token() {
    let (_listening, page) = started();
    let [host, token] = page.headers();
    let mut other = token.clone();
    let last = other.pop().unwrap();
    other.push(if last == 'A' { 'Q' } else { 'A' });
    for (method, call) in CALLS {
        let line = format!("{method} /api/{call}");
        for headers in [
            &[&*host][..],
            &[&host, &other],
            &[&host, &token[..token.len() - 1]],
            &[&host, &format!("{token}x")],
            &[&host, &token.replace("Bearer ", "")],
            &[&host, &format!("Cookie: t={}", page.token)],
        ] {
            let answer = page.request(&line, headers, "");
            assert_eq!(status(&answer), "401", "{line} {headers:?}");
            assert!(answer.contains("listen was restarted: open the link it printed"));
        }
        let in_query = format!("{line}?t={}", page.token);
        assert_eq!(status(&page.request(&in_query, &[&host], "")), "401");
    }
}

#[test]
fn the_token_is_another_each_time_and_not_in_the_output() {
    let (first, page) = started();
    let (_second, other) = started();
    assert_ne!(page.token, other.token);
    assert!(!first.first.to_string().contains(&page.token));
    assert_eq!(page.token.len(), 22);
}

#[test]
fn another_host_is_refused_on_every_request() {
    let (_listening, page) = started();
    let [host, token] = page.headers();
    let port = page.host().rsplit_once(':').unwrap().1;
    for other in [
        "Host: a.example".to_owned(),
        format!("Host: a.example:{port}"),
        format!("Host: localhost:{port}"),
        format!("Host: {}.a.example", page.host()),
        format!("Host: {}0", page.host()),
        "Host: 127.0.0.1".to_owned(),
        "Host:".to_owned(),
        format!("{host}\r\nHost: a.example"),
    ] {
        for line in ["GET /", "GET /app.js", "GET /nowhere", "GET /api/state"] {
            let answer = page.request(line, &[&other, &token], "");
            assert!(
                ["400", "403"].contains(&&*status(&answer)),
                "{line} {other}: {answer}"
            );
        }
    }
    let absolute = page.request("GET http://a.example/api/state", &[&host, &token], "");
    assert_eq!(status(&absolute), "403");
    assert_eq!(status(&page.request("GET /", &[&host], "")), "200");
}

#[test]
fn another_origin_is_refused_on_every_request() {
    let (_listening, page) = started();
    let [host, token] = page.headers();
    for origin in [
        "null",
        "http://a.example",
        "https://127.0.0.1",
        "http://127.0.0.1",
        "http://localhost:4051",
        "",
    ] {
        let origin = format!("Origin: {origin}");
        for line in ["GET /", "GET /api/state", "POST /api/search"] {
            let answer = page.request(line, &[&host, &token, &origin], "");
            assert_eq!(status(&answer), "403", "{line} {origin}");
        }
    }
    let own = format!("Origin: {}", page.url);
    assert_eq!(
        status(&page.request("GET /api/state", &[&host, &token, &own], "")),
        "200"
    );
}

#[test]
fn another_site_is_refused() {
    let (_listening, page) = started();
    let [host, token] = page.headers();
    for (site, file, call) in [
        ("same-origin", "200", "200"),
        ("none", "200", "403"),
        ("same-site", "403", "403"),
        ("cross-site", "403", "403"),
        ("x", "403", "403"),
    ] {
        let site = format!("Sec-Fetch-Site: {site}");
        let of = |line| status(&page.request(line, &[&host, &token, &site], ""));
        assert_eq!(
            (&*of("GET /"), &*of("GET /api/state")),
            (file, call),
            "{site}"
        );
    }
}

#[test]
fn a_change_is_a_post_of_json() {
    let (listening, page) = started();
    listening.post("/", "{}");
    listening.json();
    let [host, token] = page.headers();
    let body = json!({"key": 1}).to_string();
    for kind in [
        "",
        "Content-Type: text/plain",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: application/jsonp",
        "Content-Type: application/cloudevents+json",
    ] {
        let headers = [&*host, &token, kind];
        let headers = &headers[..if kind.is_empty() { 2 } else { 3 }];
        for line in ["POST /api/replay", "POST /api/stop"] {
            let answer = page.request(line, headers, &body);
            assert_eq!(status(&answer), "415", "{line} {kind}");
        }
    }
    for call in ["replay", "replay-all", "send", "stop", "search", "sample"] {
        let (status, _) = page.answer(&format!("GET /api/{call}"), "");
        assert_eq!(status, "405", "{call}");
    }
    assert_eq!(page.rows().len(), 1);
    let (status, _) = page.post("replay", &json!({"key": 1}));
    assert_eq!((&*status, page.rows().len()), ("200", 2));
}

#[test]
fn every_answer_restricts_the_browser() {
    let (_listening, page) = started();
    let [host, token] = page.headers();
    for (line, headers) in [
        ("GET /", &[&*host][..]),
        ("GET /app.js", &[&host]),
        ("GET /nowhere", &[&host]),
        ("GET /", &["Host: a.example"]),
        ("GET /api/state", &[&host, &token]),
        ("GET /api/state", &[&host]),
        ("OPTIONS /api/state", &[&host, &token]),
        ("GET /api/deliveries/7", &[&host, &token]),
    ] {
        let answer = page.request(line, headers, "").to_lowercase();
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
            "cross-origin-opener-policy: same-origin",
        ] {
            assert!(
                answer.contains(&format!("\r\n{header}\r\n")),
                "{line} {header} {answer}"
            );
        }
        assert!(!answer.contains("access-control-"), "{answer}");
        assert!(!answer.contains("set-cookie"), "{answer}");
    }
}

#[test]
fn the_files_are_public_and_hold_nothing_of_the_run() {
    let (_listening, page) = started();
    let [host, _] = page.headers();
    for (file, r#type) in [
        ("/", "text/html"),
        ("/style.css", "text/css"),
        ("/app.js", "text/javascript"),
    ] {
        let answer = page.request(&format!("GET {file}"), &[&host], "");
        assert_eq!(status(&answer), "200");
        assert!(answer.contains(&format!("content-type: {type}; charset=utf-8")));
        assert!(!answer.contains(&page.token) && !answer.contains(SECRET));
    }
}

#[test]
fn no_secret_signature_or_credential_is_in_an_answer() {
    let listening = Listening::start(&receiver().replace("/42", ""), &[]);
    let page = Page::of(&listening);
    let request = post("/cronofy/42", "{}").replacen(
        "Host",
        "Authorization: Bearer abc\r\nCookie: session=def\r\nHost",
        1,
    );
    let signature = request
        .lines()
        .find_map(|line| line.strip_prefix("Cronofy-HMAC-SHA256: "));
    let signature = signature.unwrap();
    assert_eq!(status(&listening.send(&request)), "204");
    listening.json();
    let body = json!({"of": 1, "uri": "/cronofy/42", "body": "{}", "sign": {"secret": 0}});
    let (sent, edited) = page.post("send", &body);
    assert_eq!(sent, "200");
    let mut stream = connect(&page.url);
    let [host, token] = page.headers();
    write!(
        stream,
        "GET /api/stream HTTP/1.1\r\n{host}\r\n{token}\r\n\r\n"
    )
    .unwrap();
    let answers = [
        page.get("state"),
        page.get("deliveries"),
        page.get("deliveries/1"),
        edited,
    ];
    for answer in &answers {
        let text = answer.to_string();
        for hidden in [SECRET, signature, "abc", "session=def"] {
            assert!(!text.contains(hidden), "{hidden} {text}");
        }
    }
    assert!(
        answers[2]
            .to_string()
            .contains(&format!("{}…", &signature[..4]))
    );
    let run = listening.stop();
    assert!(!run.stdout.contains(SECRET) && !run.stderr.contains(SECRET));
}

#[test]
fn a_signal_ends_it_at_once_with_the_page_open() {
    let listening = Listening::start(&nobody(), &[]);
    let page = Page::of(&listening);
    let [host, token] = page.headers();
    let mut stream = connect(&page.url);
    write!(
        stream,
        "GET /api/stream HTTP/1.1\r\n{host}\r\n{token}\r\n\r\n"
    )
    .unwrap();
    super::read_until(&mut stream, "event: replays");
    let started = std::time::Instant::now();
    assert_eq!(listening.stop().status, 0);
    assert!(started.elapsed() < std::time::Duration::from_secs(1));
    assert!(TcpStream::connect(page.host()).is_err());
}
