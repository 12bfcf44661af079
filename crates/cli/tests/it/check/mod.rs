//! The command `check`.

mod certificates;
mod example;
mod openssl;
mod receivers;
mod robust;
mod server;
mod tls;

use serde_json::Value;

use crate::support::Run;

/// The questions that were answered so, but for the warnings that the host is this machine, and that nobody listens at
/// another address of `localhost`, where it has two.
fn ids(run: &Run, verdict: &str) -> Vec<String> {
    let lines = run.records("check");
    let lines = lines.iter().filter(|line| line["verdict"] == verdict);
    lines
        .map(|line| line["id"].as_str().unwrap().to_owned())
        .filter(|id| verdict != "warn" || !["resolve", "connect"].contains(&id.as_str()))
        .collect()
}

/// The answer to a question.
fn line(run: &Run, id: &str) -> Value {
    let lines = run.records("check").into_iter();
    let mut lines = lines.filter(|line| line["id"] == id);
    let line = lines
        .next()
        .unwrap_or_else(|| panic!("{id}: {}", run.stdout));
    assert!(lines.next().is_none(), "{id}: {}", run.stdout);
    line
}

fn text(run: &Run, id: &str) -> String {
    line(run, id)["text"].as_str().unwrap().to_owned()
}

/// Exactly these fail, and the exit status and the summary say so.
fn assert_fails(run: &Run, expected: &[&str]) {
    assert_eq!(ids(run, "fail"), expected, "{}{}", run.stdout, run.stderr);
    assert_eq!(run.status, i32::from(!expected.is_empty()));
    assert_eq!(run.records("summary")[0]["fail"], expected.len());
}
