//! The example of the library.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::{assert_fails, ids};
use crate::support::{SECRET, run};

struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The example of the library, built and started; and its URL.
fn example() -> (Example, String) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--example",
            "axum",
            "--message-format",
            "json",
        ])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let built = String::from_utf8(built.stdout).unwrap();
    let executable = built
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| Some(message["executable"].as_str()?.to_owned()))
        .unwrap();
    let mut child = Command::new(executable)
        .env("CRONOFY_CLIENT_SECRET", SECRET)
        .env("LISTEN", "127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let first = BufReader::new(child.stdout.as_mut().unwrap())
        .lines()
        .next()
        .unwrap()
        .unwrap();
    let url = first
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap();
    (Example(child), url.replace("{account}", "42"))
}

#[test]
fn the_example_passes_everything() {
    let (_example, url) = example();
    let run = run(&["check", &url, "--json"]);
    assert_fails(&run, &[]);
    assert_eq!(ids(&run, "warn"), ["tls"], "{}", run.stdout);
    assert_eq!(ids(&run, "unknown"), Vec::<String>::new(), "{}", run.stdout);
    assert_eq!(ids(&run, "pass").len(), 10, "{}", run.stdout);
}
