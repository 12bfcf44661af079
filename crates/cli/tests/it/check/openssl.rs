//! Servers of what rustls does not speak, by `openssl s_server`.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::certificates::{Authority, root};
use super::{assert_fails, ids, text};
use crate::support::{Run, command};

struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Starts a server with the files `host.pem` and `host.key`, and waits until it listens.
fn serve(folder: &Path, arguments: &[&str]) -> Server {
    let mut child = Command::new("openssl")
        .args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-cert",
            "host.pem",
            "-key",
            "host.key",
            "-www",
        ])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let port = line.unwrap().strip_prefix("ACCEPT 127.0.0.1:")?.to_owned();
        Some(port)
    });
    let port = port.unwrap();
    // Keeps on reading, so that the server can write.
    std::thread::spawn(move || lines.for_each(drop));
    Server {
        child,
        url: format!("https://localhost:{port}/"),
    }
}

fn certified(authority: &Authority) -> TempDir {
    let folder = TempDir::new().unwrap();
    let host = authority.host();
    std::fs::write(folder.path().join("host.pem"), &host.pem).unwrap();
    std::fs::write(folder.path().join("host.key"), host.key_pem()).unwrap();
    std::fs::write(folder.path().join("root.pem"), &authority.pem).unwrap();
    folder
}

fn check(folder: &TempDir, server: &Server) -> Run {
    let ca = folder.path().join("root.pem");
    let ca = ca.to_str().unwrap();
    Run::of(&mut command(&[
        "check",
        &server.url,
        "--ca",
        ca,
        "--tls-only",
        "--json",
    ]))
}

/// What lets OpenSSL speak the old versions.
const OLD: [&str; 2] = ["-cipher", "DEFAULT:@SECLEVEL=0"];

#[test]
fn tls_1_1_at_the_most_fails() {
    let folder = certified(&root("Root"));
    let server = serve(folder.path(), &[&["-tls1_1"][..], &OLD].concat());
    let run = check(&folder, &server);
    assert_fails(&run, &["tls.versions"]);
    assert!(text(&run, "tls.versions").starts_with("1.1 at the most"));
}

#[test]
fn old_versions_beside_new_ones_fail() {
    let folder = certified(&root("Root"));
    for (arguments, offered) in [
        (&["-no_tls1_1"][..], "still offers 1.0,"),
        (&["-no_tls1"], "still offers 1.1,"),
        (&[], "still offers 1.1 and 1.0,"),
    ] {
        let server = serve(folder.path(), &[arguments, &OLD].concat());
        let run = check(&folder, &server);
        assert_fails(&run, &["tls.old-versions"]);
        assert!(
            text(&run, "tls.old-versions").starts_with(offered),
            "{}",
            run.stdout
        );
        assert_eq!(text(&run, "tls.versions"), "1.3 and 1.2");
    }
}

#[test]
fn tls_1_2_without_1_3_warns() {
    let folder = certified(&root("Root"));
    let run = check(&folder, &serve(folder.path(), &["-tls1_2"]));
    assert_fails(&run, &[]);
    assert_eq!(ids(&run, "warn"), ["tls.versions"]);
    assert_eq!(
        text(&run, "tls.old-versions"),
        "neither 1.1 nor 1.0 is offered"
    );
}

#[test]
fn tls_1_2_with_weak_cipher_suites_alone_fails_as_that() {
    let folder = certified(&root("Root"));
    let weak = ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"];
    let run = check(&folder, &serve(folder.path(), &weak));
    assert_fails(&run, &["tls.versions"]);
    let text = text(&run, "tls.versions");
    assert!(text.starts_with("1.2, but with neither AES-GCM"), "{text}");
}

/// What is offered too much does not keep Cronofy from connecting.
#[test]
fn requests_are_sent_where_old_versions_are_offered() {
    let folder = certified(&root("Root"));
    // It answers each line with its reverse, which is no HTTP.
    let server = serve(folder.path(), &[&OLD[..], &["-rev"]].concat());
    let ca = folder.path().join("root.pem");
    let ca = ca.to_str().unwrap();
    let run = Run::of(&mut command(&["check", &server.url, "--ca", ca, "--json"]));
    assert_fails(&run, &["tls.old-versions", "accepts.verification"]);
}

#[test]
fn an_rsa_key_that_is_too_short_fails() {
    let root = root("Root");
    let folder = certified(&root);
    let path = folder.path();
    std::fs::write(path.join("root.key"), root.key_pem()).unwrap();
    std::fs::write(path.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    for (bits, failing) in [("1024", &["tls.key"][..]), ("2048", &[])] {
        openssl(
            path,
            &[
                "req",
                "-newkey",
                &format!("rsa:{bits}"),
                "-nodes",
                "-keyout",
                "host.key",
                "-out",
                "host.csr",
                "-subj",
                "/CN=host",
            ],
        );
        openssl(
            path,
            &[
                "x509", "-req", "-in", "host.csr", "-CA", "root.pem", "-CAkey", "root.key",
                "-days", "30", "-extfile", "names", "-out", "host.pem",
            ],
        );
        let run = check(&folder, &serve(path, &OLD));
        let run_fails: Vec<_> = ids(&run, "fail")
            .into_iter()
            .filter(|id| id != "tls.old-versions")
            .collect();
        assert_eq!(run_fails, failing, "{}", run.stdout);
        assert!(text(&run, "tls.key").starts_with(&format!("RSA of {bits} bits")));
    }
}
