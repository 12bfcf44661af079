//! `public_url`: a delivery that was made for another URL is rejected.

use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::{
    CronofyWebhookLayer, Notification, PublicUrl, Rejection, RejectionKind, Verifier,
};
use cronofy_webhook_testing::{Cronofy, Outcome, Payload, Sender};
use http::{Request, StatusCode};
use http_body_util::Full;
use proptest::prelude::*;
use tokio::time::advance;
use tower::{Layer as _, ServiceExt as _};
use tracing::Level;

use crate::log::Log;
use crate::support::{Calls, OTHER_SECRET, Reply, SECRET, handler, layer};

const BASE: &str = "https://receiver.example";

fn at(public_url: &str) -> CronofyWebhookLayer {
    layer().public_url(public_url.parse().unwrap())
}

/// The response to a `change` with this `callback_url`, in a request for `target`.
fn send(public_url: &str, callback_url: &str, target: &str) -> Reply {
    let body = Payload::sample("change").channel("chn_1", callback_url);
    send_body(public_url, body, target)
}

fn send_body(public_url: &str, body: Payload, target: &str) -> Reply {
    let calls = Calls::default();
    let service = at(public_url).layer(handler(&calls));
    let request: Request<Full<Bytes>> = Sender::new(SECRET).to(target).request(body);
    let response = tokio_test::block_on(service.oneshot(request)).unwrap();
    assert_eq!(calls.count(), usize::from(response.status().is_success()));
    response
}

/// Each line has a `callback_url`, the target of the request, and `same` or the parts that the log names; before them a public URL
/// other than `BASE`. Two spaces separate them.
#[track_caller]
fn compare(lines: &str) {
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let columns = line.split("  ").map(str::trim);
        let columns: Vec<_> = columns.filter(|text| !text.is_empty()).collect();
        let (public_url, callback_url, target, expected) = match columns[..] {
            [callback_url, target, expected] => (BASE, callback_url, target, expected),
            [public_url, callback_url, target, expected] => {
                (public_url, callback_url, target, expected)
            }
            _ => panic!("three or four columns: {line}"),
        };
        let response = send(public_url, callback_url, target);
        if expected == "same" {
            assert_eq!(response.status(), StatusCode::OK, "{line}");
            continue;
        }
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{line}");
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert_eq!(rejection.kind(), RejectionKind::CallbackUrlMismatch);
        let cause = std::error::Error::source(rejection).unwrap().to_string();
        assert_eq!(cause.rsplit(": ").next(), Some(expected), "{line}");
    }
}

#[test]
fn a_delivery_for_staging_is_rejected_in_production() {
    compare(
        "
        https://receiver.example/cronofy/42          /cronofy/42  same
        https://staging.receiver.example/cronofy/42  /cronofy/42  host
        http://receiver.example/cronofy/42           /cronofy/42  scheme
        https://receiver.example:8443/cronofy/42     /cronofy/42  port
        http://localhost:3000/cronofy/7?a=1          /cronofy/42  scheme, host, port, path, query
        ",
    );
}

#[test]
fn a_delivery_for_one_account_is_rejected_for_another() {
    compare(
        "
        https://receiver.example/cronofy/A          /cronofy/A          same
        https://receiver.example/cronofy/A          /cronofy/B          path
        https://receiver.example/cronofy/A          /cronofy/A/         path
        https://receiver.example/cronofy?account=A  /cronofy?account=A  same
        https://receiver.example/cronofy?account=A  /cronofy?account=B  query
        https://receiver.example/cronofy?account=A  /cronofy            query
        https://receiver.example/cronofy            /cronofy?           query
        ",
    );
}

#[test]
fn scheme_and_host_are_case_insensitive_and_path_and_query_are_not() {
    compare(
        "
        HTTPS://Receiver.EXAMPLE/Cronofy     /Cronofy     same
        https://receiver.example/Cronofy     /cronofy     path
        https://receiver.example/?Account=1  /?account=1  query
        hTTps://RECEIVER.example  https://receiver.example/A  /A  same
        ",
    );
}

#[test]
fn the_port_defaults_to_that_of_the_scheme() {
    compare(
        "
        https://receiver.example:443/a    /a  same
        https://receiver.example:/a       /a  same
        https://receiver.example:80/a     /a  port
        https://receiver.example:99999/a  /a  port
        https://receiver.example:443   https://receiver.example/a      /a  same
        http://receiver.example        http://receiver.example:80/a    /a  same
        http://receiver.example:3000/  http://receiver.example:3000/a  /a  same
        https://receiver.example:80    http://receiver.example/a       /a  scheme
        http://receiver.example:443    http://receiver.example/a       /a  port
        ",
    );
}

#[test]
fn ipv6_addresses_are_compared_as_addresses() {
    compare(
        "
        http://[::1]:3000      http://[0:0::1]:3000/a       /a  same
        http://[::1]:3000      http://[::2]:3000/a          /a  host
        http://[::1]:3000      http://[::1]:3001/a          /a  port
        http://[::1]:3000      http://127.0.0.1/a           /a  host, port
        https://[2001:DB8::1]  https://[2001:db8::1]:443/a  /a  same
        ",
    );
}

/// The body has the URL as it was registered, and a client encodes what it may not send.
#[test]
fn an_unencoded_callback_url_matches_the_encoded_request() {
    compare(
        "
        https://receiver.example/caf\u{e9}?q=\u{e9}  /caf%C3%A9?q=%C3%A9  same
        https://receiver.example/caf\u{e9}         /cafe                path
        https://receiver.example/a b?c d           /a%20b?c%20d         same
        https://receiver.example/a b               /a+b                 path
        https://receiver.example/a|b\"c             /a%7Cb%22c           same
        https://receiver.example/a|b               /a|b                 same
        https://receiver.example/42?a[]=1          /42?a%5B%5D=1        same
        https://receiver.example/42?a[]=1          /42?a[]=1            same
        https://receiver.example/o'neil?o'neil     /o%27neil?o%27neil   same
        https://receiver.example/o%27neil          /o'neil              same
        https://receiver.example/a<b>`\\^{}         /a%3cb%3E%60%5C%5e%7B%7d  same
        ",
    );
}

#[test]
fn percent_escapes_are_compared_without_case_and_not_decoded() {
    compare(
        "
        https://receiver.example/caf%C3%A9?q=%20+  /caf%C3%A9?q=%20+  same
        https://receiver.example/caf%c3%a9?q=%c3   /caf%C3%A9?q=%C3   same
        https://receiver.example/caf%C3%A9?q=%C3   /caf%c3%a9?q=%c3   same
        https://receiver.example/%7Euser           /~user             path
        https://receiver.example/a%2Fb             /a/b               path
        https://receiver.example/100%              /100%              same
        https://receiver.example/100%              /100%25            path
        https://receiver.example/%c                /%C                path
        https://receiver.example/a/../b            /b                 path
        https://receiver.example/caf%c3%a9  https://receiver.example/caf\u{e9}/42  /42  same
        https://receiver.example/caf%C3%A9  https://receiver.example/caf\u{e9}/42  /42  same
        ",
    );
}

#[test]
fn a_url_without_a_path_is_that_of_the_root() {
    compare(
        "
        https://receiver.example            /            same
        https://receiver.example?account=1  /?account=1  same
        https://receiver.example/           https://receiver.example/  /  same
        ",
    );
}

/// Neither is part of the URL of a request.
#[test]
fn user_information_and_fragment_are_ignored() {
    compare(
        "
        https://user:secret@receiver.example/a#fragment       /a  same
        https://receiver.example/a#?b                         /a  same
        https://receiver.example@attacker.example/a           /a  host
        https://receiver.example:443@attacker.example/a       /a  host
        https://attacker.example#@receiver.example/a          /a  host, path
        https://attacker.example?@receiver.example/a          /a  host, path, query
        https://attacker.example\\@receiver.example/a          /a  the `callback_url` is not a valid absolute URL
        ",
    );
}

#[test]
fn a_request_in_absolute_form_is_compared_by_path_and_query() {
    let target = "http://10.0.0.7:8080/a?b";
    let mut request: Request<Full<Bytes>> = Sender::new(SECRET)
        .request(Payload::sample("change").channel("chn_1", "https://receiver.example/a?b"));
    *request.uri_mut() = target.parse().unwrap();
    let service = at(BASE).layer(handler(&Calls::default()));
    let response = tokio_test::block_on(service.oneshot(request)).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[test]
fn a_prefix_that_a_proxy_strips_belongs_to_the_public_url() {
    compare(
        "
        https://receiver.example/hooks   https://receiver.example/hooks/cronofy/42  /cronofy/42        same
        https://receiver.example/hooks/  https://receiver.example/hooks/cronofy/42  /cronofy/42        same
        https://receiver.example/hooks   https://receiver.example/hooks/            /                  same
        https://receiver.example/hooks   https://receiver.example/hooks             /                  same
        https://receiver.example/hooks/  https://receiver.example/hooks             /                  same
        https://receiver.example/hooks   https://receiver.example/cronofy/42        /cronofy/42        path
        https://receiver.example/hooks   https://receiver.example/hooks/cronofy/42  /hooks/cronofy/42  path
        https://receiver.example/hooks/  https://receiver.example/hookscronofy      /cronofy           path
        https://receiver.example/hooks   https://receiver.example/hooks             /a                 path
        ",
    );
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn nested_routers_need_their_prefix_in_the_public_url() {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::post;

    let app = |base: &str| {
        let layer = at(base);
        let routes = Router::new()
            .route("/{account}", post(async || {}))
            .route("/", post(async || {}))
            .layer(layer);
        Router::new().nest("/api/cronofy", routes)
    };
    for (base, path, status) in [
        (
            "https://receiver.example/api/cronofy",
            "/api/cronofy/42",
            200,
        ),
        ("https://receiver.example/api/cronofy", "/api/cronofy", 200),
        ("https://receiver.example", "/api/cronofy/42", 403),
    ] {
        let url = format!("https://receiver.example{path}");
        let body = Payload::sample("change").channel("chn_1", &url);
        let request = Sender::new(SECRET).to(&url).request::<Body>(body);
        let response = app(base).oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{base} {path}");
    }
}

/// What a router removes is not compared.
#[cfg(feature = "axum")]
#[tokio::test]
async fn the_layer_around_a_nested_router_compares_the_whole_path() {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::post;

    let inside = |public_url: &str| {
        let layer = at(public_url);
        Router::new().route("/cronofy", post(async || {}).layer(layer))
    };
    let routes = Router::new().route("/cronofy", post(async || {}));
    let around = Router::new()
        .nest("/accounts/{account}", routes)
        .layer(at(BASE));
    let one_layer = inside("https://receiver.example/production");
    let twice = Router::new()
        .nest("/production", one_layer.clone())
        .nest("/staging", one_layer);
    let parameter = Router::new().nest("/accounts/{account}", inside(BASE));

    for (app, made_for, sent_to, status) in [
        (&around, "/accounts/A/cronofy", "/accounts/A/cronofy", 200),
        (&around, "/accounts/A/cronofy", "/accounts/B/cronofy", 403),
        (
            &parameter,
            "/accounts/A/cronofy",
            "/accounts/A/cronofy",
            403,
        ),
        (&twice, "/production/cronofy", "/production/cronofy", 200),
        (&twice, "/production/cronofy", "/staging/cronofy", 200),
    ] {
        let body = Payload::sample("change").channel("chn_1", &format!("{BASE}{made_for}"));
        let request = Sender::new(SECRET).to(sent_to).request::<Body>(body);
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{made_for} {sent_to}");
    }
}

#[test]
fn the_debug_output_shows_no_path() {
    let layer = at("https://receiver.example/a-token");
    let text = format!("{layer:?}");
    assert!(
        text.contains("receiver.example") && !text.contains("a-token"),
        "{text}"
    );
}

/// An authentic delivery says what it says about a rotation, also if it is for another URL.
#[tokio::test]
async fn an_unknown_secret_is_logged_for_a_delivery_to_another_url() {
    let (log, _guard) = Log::start();
    let service = at(BASE).layer(handler(&Calls::default()));
    let cronofy = Verifier::new([SECRET, OTHER_SECRET]).unwrap();
    let body = Payload::sample("change").channel("chn_1", "https://another.example/a");
    let request: Request<Full<Bytes>> = Sender::from_verifier(cronofy).request(body);
    service.oneshot(request).await.unwrap();
    let events = log.events();
    assert_eq!(events.len(), 2);
    events[0].is(Level::WARN, &[("unknown_signatures", "1")]);
    events[1].is(Level::WARN, &[("reason", "callback_url_mismatch")]);
}

#[test]
fn the_url_of_an_unknown_notification_is_compared() {
    let unknown = Payload::unknown("future_type").channel("chn_1", "https://receiver.example/a");
    let malformed = Payload::sample("change")
        .channel("chn_1", "https://receiver.example/a")
        .set("/notification/changes_since", "yesterday");
    for body in [unknown, malformed] {
        let notification = Notification::from_slice(body.as_str().as_bytes());
        assert!(matches!(notification, Notification::Unknown(_)));
        assert_eq!(send_body(BASE, body.clone(), "/a").status(), StatusCode::OK);
        assert_eq!(send_body(BASE, body, "/b").status(), StatusCode::FORBIDDEN);
    }
}

/// There is nothing to compare.
#[test]
fn a_body_without_a_valid_callback_url_passes() {
    let without_id = Payload::sample("change")
        .channel("chn_1", "https://receiver.example/a")
        .remove("/channel/channel_id");
    let malformed = Payload::sample("smart_invite").set("/smart_invite/reply", 1);
    for body in [without_id, malformed, Payload::new("bonjour")] {
        let notification = Notification::from_slice(body.as_str().as_bytes());
        assert!(matches!(notification, Notification::Unknown(_)));
        assert_eq!(send_body(BASE, body, "/b").status(), StatusCode::OK);
    }
}

#[test]
fn kinds_without_a_url_pass() {
    let (mut with, mut without) = (0, 0);
    for sample in Payload::samples() {
        let body = sample.payload();
        let notification = Notification::from_slice(body.as_str().as_bytes());
        let status = send_body("https://another.example", body, "/a").status();
        if notification.callback_url().is_some() {
            assert_eq!(status, StatusCode::FORBIDDEN, "{}", sample.name());
            with += 1;
        } else {
            assert_eq!(status, StatusCode::OK, "{}", sample.name());
            without += 1;
        }
    }
    assert!(with > 5 && without > 5, "{with} {without}");
}

#[test]
fn smart_invites_are_compared() {
    let body = Payload::sample("smart_invite:accepted");
    let url = Notification::from_slice(body.as_str().as_bytes());
    let url: http::Uri = url.callback_url().unwrap().parse().unwrap();
    let base = format!("{}://{}", url.scheme().unwrap(), url.authority().unwrap());
    let target = url.path_and_query().unwrap().as_str();
    assert_eq!(
        send_body(&base, body.clone(), target).status(),
        StatusCode::OK
    );
    assert_eq!(
        send_body(&base, body, "/another").status(),
        StatusCode::FORBIDDEN
    );
}

#[test]
fn an_invalid_callback_url_is_rejected() {
    for callback_url in [
        "",
        "/a",
        "receiver.example/a",
        "mailto:a@receiver.example",
        "https://",
        "https:///a",
        "https://receiver example/a",
        "https://b\u{fc}cher.example/a",
    ] {
        let response = send(BASE, callback_url, "/a");
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{callback_url:?}");
    }
    compare(
        "
        https://b\u{fc}cher.example/a  /a  the `callback_url` is not a valid absolute URL
        ftp://receiver.example/a  /a  scheme
        ",
    );
}

#[test]
fn an_invalid_public_url_is_an_error_that_never_shows_it() {
    let port = "has a port that is not a number from 1 to 65535";
    for (url, problem) in [
        ("", "is not a URL"),
        ("https://receiver example", "is not a URL"),
        ("https://receiver.example/a b", "is not a URL"),
        ("https://receiver.example\n", "is not a URL"),
        ("https://receiver.example/\n", "is not a URL"),
        ("CRN_a_secret", "is not absolute"),
        ("/cronofy", "is not absolute"),
        ("ftp://receiver.example", "is neither http nor https"),
        (
            "https://user:a_secret@receiver.example",
            "has user information",
        ),
        ("https://:443", "has no host"),
        ("https://receiver.example:99999", port),
        ("https://receiver.example:0", port),
        (
            "https://[::zz]",
            "has brackets around what is no IPv6 address",
        ),
        (
            "https://receiver.example?a_secret",
            "has a query or a fragment",
        ),
        ("https://receiver.example/?", "has a query or a fragment"),
        ("https://receiver.example/#", "has a query or a fragment"),
    ] {
        let error = PublicUrl::try_from(url).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the public URL {problem}: set scheme and host of the callback URLs, such as https://receiver.example"
            ),
        );
        assert_eq!(
            format!("{error:?}"),
            format!("PublicUrlError {{ problem: {problem:?} }}")
        );
    }
}

#[test]
fn a_forgery_is_rejected_for_its_signature() {
    let service = at(BASE).layer(handler(&Calls::default()));
    let body = Payload::sample("change").channel("chn_1", "https://another.example/a");
    let request: Request<Full<Bytes>> = Sender::new("CRN_another").to("/a").request(body);
    let response = tokio_test::block_on(service.oneshot(request)).unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn the_log_names_the_parts_and_no_url() {
    let (log, _guard) = Log::start();
    for callback_url in ["https://staging.example/a-token", "token-without-scheme"] {
        let response = send(BASE, callback_url, "/cronofy/another-token");
        let text = tokio_test::block_on(crate::support::text(response));
        assert!(!text.contains("token"), "{text}");
    }
    let events = log.events();
    let event = &events[0];
    event.is(
        Level::WARN,
        &[
            ("kind", "change"),
            ("channel", "chn_1"),
            ("reason", "callback_url_mismatch"),
            ("status", "403"),
            ("suppressed", "0"),
        ],
    );
    let error = event.field("error").unwrap();
    assert!(error.ends_with("in: host, path"), "{error}");
    for event in &events {
        let text = format!("{event:?}");
        assert!(
            !text.contains("token") && !text.contains("staging"),
            "{text}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn replays_do_not_fill_the_log() {
    let (log, _guard) = Log::start();
    let service = at(BASE).layer(handler(&Calls::default()));
    let replay = async || {
        let body = Payload::sample("change").channel("chn_1", "https://another.example/a");
        let request: Request<Full<Bytes>> = Sender::new(SECRET).to("/a").request(body);
        service.clone().oneshot(request).await.unwrap();
    };
    for _ in 0..50 {
        replay().await;
    }
    advance(Duration::from_secs(60)).await;
    replay().await;

    let warnings = log
        .events()
        .into_iter()
        .filter(|event| event.level == Level::WARN);
    let suppressed: Vec<_> = warnings
        .map(|event| event.fields["suppressed"].clone())
        .collect();
    assert_eq!(suppressed, ["0", "49"]);
}

/// What the documentation says first.
#[tokio::test(start_paused = true)]
async fn a_wrong_public_url_costs_the_channel() {
    let layer = at("https://old.example");
    let service = layer.layer(handler::<Full<Bytes>>(&Calls::default()));
    let cronofy = Cronofy::new(Sender::new(SECRET), service);
    let channel = cronofy
        .open_channel("https://receiver.example/cronofy/42")
        .await;
    assert!(matches!(
        channel.notify(Payload::sample("change")).await,
        Outcome::ChannelClosed { .. }
    ));
    assert!(channel.attempts().len() > 20);
}

proptest! {
    #[test]
    fn no_callback_url_panics(callback_url in ".{0,40}|https?://[a-z@:\\[\\]0-9.]{0,12}[/?#]?.{0,8}") {
        send(BASE, &callback_url, "/a");
    }

    #[test]
    fn no_public_url_panics(url in ".{0,40}|https?://[a-z@:\\[\\]0-9.]{0,12}[/?#]?.{0,8}") {
        let _ = url.parse::<PublicUrl>();
    }

    #[test]
    fn a_delivery_passes_at_its_own_url_only(
        path in "(/([a-zA-Z0-9._~-]|%2F){0,6}){0,3}", query in "(\\?[a-z=&0-9]{0,6})?",
        other in "(/([a-zA-Z0-9._~-]|%2F){0,6}){1,3}(\\?[a-z=&0-9]{0,6})?",
        prefix in "(/[a-z]{1,4}){0,2}",
    ) {
        let base = format!("{BASE}{prefix}");
        let target = if path.is_empty() { format!("/{query}") } else { format!("{path}{query}") };
        let url = format!("{base}{target}");
        prop_assert_eq!(send(&base, &url, &target).status(), StatusCode::OK);
        let expected = if other == target { StatusCode::OK } else { StatusCode::FORBIDDEN };
        prop_assert_eq!(send(&base, &url, &other).status(), expected);
    }
}
