//! Connections that are encrypted, and what is checked of the server's certificate.

use std::fs;
use std::path::Path;
use std::process::Command;

use cronofy_webhook_inbox::Inbox;
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::common::verification;
use crate::support::{block_on, chain};

/// Writes a certificate that signs itself, for `localhost`, and its key.
fn certificate(directory: &TempDir, name: &str) -> (String, String) {
    let file = |suffix| {
        directory
            .path()
            .join(format!("{name}.{suffix}"))
            .display()
            .to_string()
    };
    let (certificate, key) = (file("crt"), file("key"));
    let status = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-out", &certificate, "-keyout", &key])
        .stderr(std::process::Stdio::null())
        .status();
    assert!(status.expect("openssl runs").success());
    (certificate, key)
}

pub(crate) fn sslmode_says_what_is_checked() {
    let directory = tempfile::tempdir().unwrap();
    let (own, key) = certificate(&directory, "own");
    let (other, _) = certificate(&directory, "other");
    let cluster = Cluster::start("ssl = off").unwrap();
    cluster.install(Path::new(&own), "server.crt");
    cluster.install(Path::new(&key), "server.key");
    drop(fs::remove_file(key));
    cluster.configure("ssl = on");
    cluster.restart();

    let base = cluster.url().replace("?sslmode=disable", "");
    let by_name = base.replace("127.0.0.1", "localhost");
    block_on(async {
        for (url, problem) in [
            (format!("{base}?sslmode=disable"), None),
            (base.clone(), None),
            (format!("{base}?sslmode=require"), None),
            (format!("{base}?sslmode=verify-ca&sslrootcert={own}"), None),
            (
                format!("{base}?sslmode=verify-ca&sslrootcert={other}"),
                Some("certificate"),
            ),
            (
                format!("{base}?sslmode=require&sslrootcert={other}"),
                Some("certificate"),
            ),
            (
                format!("{base}?sslmode=verify-full&sslrootcert={own}"),
                Some("certificate"),
            ),
            (
                format!("{by_name}?sslmode=verify-full&sslrootcert={own}"),
                None,
            ),
            (
                format!("{by_name}?sslmode=verify-full&sslrootcert={other}"),
                Some("certificate"),
            ),
        ] {
            match (Inbox::open(&url).await, problem) {
                (Ok(inbox), None) => {
                    inbox.put("42", &verification()).await.unwrap();
                    inbox.close().await;
                }
                (Err(error), Some(problem)) => {
                    assert!(chain(&error).contains(problem), "{url}: {}", chain(&error));
                }
                (opened, _) => panic!("{url}: {opened:?}"),
            }
        }
    });
}

pub(crate) fn a_server_without_tls_is_refused_where_it_is_required() {
    block_on(async {
        let url = crate::server::url().replace("sslmode=disable", "sslmode=require");
        let error = Inbox::open(url).await.unwrap_err();
        assert!(
            chain(&error).contains("server does not support TLS"),
            "{}",
            chain(&error)
        );
    });
}
