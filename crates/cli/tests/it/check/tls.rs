//! Servers of rustls, each with one fault.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;

use super::certificates::{Authority, Host, days, issuer_is_at, must_staple, root, self_signed};
use super::server::serve;
use super::{assert_fails, ids, line, text};
use crate::support::{Calls, Run, command, file, receiver_app};

fn check(url: &str, ca: &Authority, more: &[&str]) -> Run {
    let (_folder, path) = file(&ca.pem);
    Run::of(command(&["check", url, "--ca", &path, "--json"]).args(more))
}

/// Checks a server that sends these certificates, and asserts that no request has reached it if something fails.
fn check_chain(host: &Host, others: &[&Authority], ca: &Authority) -> Run {
    let requests = Calls::default();
    let count = requests.clone();
    let app = Router::new().fallback(any(async move || {
        count.add();
        StatusCode::UNAUTHORIZED
    }));
    let url = serve(app, host, others, Vec::new());
    let run = check(&url, ca, &[]);
    let failed_in_tls = ids(&run, "fail").iter().any(|id| id.starts_with("tls"));
    assert_eq!(requests.count() == 0, failed_in_tls, "{}", run.stdout);
    if failed_in_tls {
        assert_eq!(ids(&run, "fail").len(), 1, "{}", run.stdout);
        assert_eq!(line(&run, "accepts.verification")["verdict"], "unknown");
    }
    run
}

#[test]
fn a_good_chain_passes_everything() {
    let root = root("Root");
    let intermediate = root.intermediate("Intermediate");
    let url = serve(
        receiver_app(),
        &intermediate.host(),
        &[&intermediate],
        Vec::new(),
    );
    let run = check(&url, &root, &[]);
    assert_fails(&run, &[]);
    assert_eq!(
        (ids(&run, "warn"), ids(&run, "unknown")),
        (vec![], vec![]),
        "{}",
        run.stdout
    );
    assert_eq!(run.records("check").len(), 19, "{}", run.stdout);
    assert_eq!(text(&run, "tls.versions"), "1.3 and 1.2");
    assert!(
        run.records("summary")[0]["not_checked"]
            .as_str()
            .unwrap()
            .contains("ssllabs.com")
    );
}

#[test]
fn tls_only_needs_no_secret_and_sends_nothing() {
    let requests = Calls::default();
    let count = requests.clone();
    let app = Router::new().fallback(any(async move || count.add().to_string()));
    let root = root("Root");
    let url = serve(app, &root.host(), &[], Vec::new());
    let (_folder, path) = file(&root.pem);
    let mut command = command(&["check", &url, "--ca", &path, "--tls-only", "--json"]);
    let run = Run::of(command.env_remove("CRONOFY_CLIENT_SECRET"));
    assert_fails(&run, &[]);
    assert_eq!((run.records("check").len(), requests.count()), (10, 0));
}

#[test]
fn a_self_signed_certificate_fails_as_that() {
    let run = check_chain(&self_signed(), &[], &root("Another"));
    assert_fails(&run, &["tls.root"]);
    assert!(
        text(&run, "tls.root")
            .starts_with("self-signed, as issuer and subject are both CN=the receiver: ")
    );
}

#[test]
fn a_missing_intermediate_fails_and_is_named() {
    const AT: &str = "http://authority.example/i.der";
    let root = root("Root");
    let intermediate = root.intermediate("Intermediate");
    let host = intermediate.host_with(|params| params.custom_extensions.push(issuer_is_at(AT)));
    let run = check_chain(&host, &[], &root);
    assert_fails(&run, &["tls.chain"]);
    let text = text(&run, "tls.chain");
    assert!(
        text.contains("CN=Intermediate, is not sent") && text.contains(AT),
        "{text}"
    );
    assert_fails(
        &check_chain(&host, &[&intermediate], &root),
        &["accepts.verification"],
    );
}

#[test]
fn a_missing_second_intermediate_fails_and_is_named() {
    const AT: &str = "http://authority.example/upper.der";
    let root = root("Root");
    let upper = root.intermediate("Upper");
    let lower = upper.intermediate_with("Lower", |params| {
        params.custom_extensions.push(issuer_is_at(AT));
    });
    let run = check_chain(&lower.host(), &[&lower], &root);
    assert_fails(&run, &["tls.chain"]);
    let text = text(&run, "tls.chain");
    assert!(
        text.contains("CN=Upper, is not sent") && text.contains(AT),
        "{text}"
    );
    assert!(text.contains("if it is a root"), "{text}");
}

#[test]
fn an_unknown_root_fails_whether_sent_or_not() {
    let unknown = root("Unknown");
    let intermediate = unknown.intermediate("Intermediate");
    for (host, others) in [
        (intermediate.host(), &[&intermediate][..]),
        (intermediate.host(), &[&intermediate, &unknown]),
        (unknown.host(), &[]),
        (unknown.host(), &[&unknown]),
    ] {
        let run = check_chain(&host, others, &root("Root"));
        assert_fails(&run, &["tls.root"]);
        let text = text(&run, "tls.root");
        let is_sent =
            others.len() == 2 || others.first().is_some_and(|other| other.der == unknown.der);
        assert!(text.contains("CN=Unknown"), "{text}");
        assert!(
            text.contains("get a certificate of a public authority"),
            "{text}"
        );
        assert_eq!(text.contains("fullchain.pem"), !is_sent, "{text}");
    }
}

#[test]
fn an_expired_certificate_fails_wherever_it_is() {
    let root = root("Root");
    let of_host =
        root.host_with(|params| (params.not_before, params.not_after) = (days(-30), days(-2)));
    let run = check_chain(&of_host, &[], &root);
    assert_fails(&run, &["tls.validity"]);
    assert!(text(&run, "tls.validity").starts_with("CN=the receiver expired on "));

    let expired = root.expired_intermediate("Intermediate");
    let run = check_chain(&expired.host(), &[&expired], &root);
    assert_fails(&run, &["tls.validity"]);
    assert!(text(&run, "tls.validity").starts_with("CN=Intermediate expired on "));

    let of_tomorrow = root.host_with(|params| params.not_before = days(1));
    assert_fails(&check_chain(&of_tomorrow, &[], &root), &["tls.validity"]);
}

#[test]
fn a_certificate_that_expires_soon_warns() {
    let root = root("Root");
    for (left, warned) in [(13, vec!["tls.validity"]), (15, vec![])] {
        let host = root.host_with(|params| params.not_after = days(left) + time::Duration::HOUR);
        let url = serve(Router::new(), &host, &[], Vec::new());
        let run = check(&url, &root, &["--tls-only"]);
        assert_eq!(
            (run.status, ids(&run, "warn")),
            (0, warned.iter().map(ToString::to_string).collect())
        );
    }
}

#[test]
fn a_wrong_name_fails_and_both_are_named() {
    let root = root("Root");
    let host = root.host_with(|params| {
        params.subject_alt_names = ["a.example", "b.example"]
            .map(|name| rcgen::SanType::DnsName(name.try_into().unwrap()))
            .to_vec();
    });
    let run = check_chain(&host, &[], &root);
    assert_fails(&run, &["tls.name"]);
    assert!(
        text(&run, "tls.name")
            .starts_with("the certificate is for a.example, b.example, not for localhost")
    );
}

#[test]
fn a_chain_in_the_wrong_order_warns() {
    let root = root("Root");
    let upper = root.intermediate("Upper");
    let lower = upper.intermediate("Lower");
    let url = serve(Router::new(), &lower.host(), &[&upper, &lower], Vec::new());
    let run = check(&url, &root, &["--tls-only"]);
    assert_eq!(
        (run.status, ids(&run, "warn")),
        (0, vec!["tls.chain".to_owned()]),
        "{}",
        run.stdout
    );
}

#[test]
fn a_chain_that_only_looks_like_one_fails() {
    let (known, namesake) = (root("Root"), root("Root"));
    let run = check_chain(&namesake.host(), &[], &known);
    assert_fails(&run, &["tls.chain"]);
    assert!(text(&run, "tls.chain").starts_with("the chain does not hold: "));
}

#[test]
fn a_key_that_few_clients_know_warns() {
    let root = root("Root");
    let url = serve(Router::new(), &root.ed25519_host(), &[], Vec::new());
    let run = check(&url, &root, &["--tls-only"]);
    assert_eq!(
        (run.status, ids(&run, "warn")),
        (0, vec!["tls.key".to_owned()]),
        "{}",
        run.stdout
    );
}

#[test]
fn a_staple_that_is_demanded_and_not_sent_warns() {
    let root = root("Root");
    let host = root.host_with(|params| params.custom_extensions.push(must_staple()));
    for (staple, warned) in [
        (vec![], vec!["tls.key".to_owned()]),
        (vec![1, 2, 3], vec![]),
    ] {
        let url = serve(Router::new(), &host, &[], staple);
        let run = check(&url, &root, &["--tls-only"]);
        assert_eq!(
            (run.status, ids(&run, "warn")),
            (0, warned),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn a_root_file_without_a_certificate_is_a_mistake_in_usage() {
    for content in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let (_folder, path) = file(content);
        let run = Run::of(&mut command(&[
            "check",
            "https://localhost:1/",
            "--ca",
            &path,
        ]));
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{}", run.stderr);
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/", silent.local_addr().unwrap().port());
    let started = std::time::Instant::now();
    let run = check(&url, &root("Root"), &["--tls-only"]);
    assert_fails(&run, &["tls"]);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(run.stderr.contains("TLS handshakes\n"), "{}", run.stderr);
}
