//! The example `receiver`, from delivery to job, with what can go wrong around it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};
use std::time::Instant;

use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

use crate::common::{SECRET, change, verification};
use crate::process::{Process, TWICE_THE_LIMIT, inbox_file, receiver};

#[test]
fn each_job_prints_a_line_before_and_after_it() {
    let directory = tempdir().unwrap();
    let receiver = Process::start(&directory, &[("CONCURRENCY", "1")]);
    assert_eq!(receiver.post("4%2F2", &change("chn_1", 1_776_590_656)), 204);
    let begin = receiver.line();
    assert_eq!(begin.kind, "begin");
    for (name, value) in [
        ("account", "4%2F2"),
        ("key", "chn%5F1"),
        ("kind", "change"),
        ("since", "2026-04-19T09:24:16Z"),
        ("attempt", "1"),
        ("merged", "1"),
    ] {
        assert_eq!(begin.get(name), value, "{begin:?}");
    }
    let done = receiver.line();
    assert_eq!(
        (done.kind.as_str(), done.get("run")),
        ("done", begin.get("run"))
    );
    assert!(begin.get("run").starts_with(&receiver.id().to_string()));

    assert_eq!(receiver.post("42", &verification()), 204);
    let begin = receiver.line();
    assert_eq!(
        (begin.get("kind"), begin.get("since")),
        ("verification", "-")
    );
}

#[test]
fn what_is_not_signed_is_refused() {
    let directory = tempdir().unwrap();
    let receiver = Process::start(&directory, &[]);
    let delivery = verification();
    assert_eq!(
        receiver.post_signed("42", delivery.body(), b"another body"),
        401
    );
    receiver.signal("TERM");
    assert!(receiver.rest().is_empty());
}

#[test]
fn with_a_public_url_a_delivery_for_another_url_is_refused() {
    let directory = tempdir().unwrap();
    let receiver = Process::start(&directory, &[("PUBLIC_URL", "https://receiver.example")]);
    assert_eq!(receiver.post("42", &change("chn_1", 1)), 204);
    assert_eq!(receiver.post("43", &change("chn_1", 1)), 403);
}

#[test]
fn sigterm_ends_the_jobs_that_run_and_exits_with_0() {
    let directory = tempdir().unwrap();
    let mut receiver = Process::start(&directory, &[("WORK_MS", "300"), ("CONCURRENCY", "2")]);
    for account in 0..3 {
        assert_eq!(receiver.post(&account.to_string(), &verification()), 204);
    }
    let begun = [receiver.line(), receiver.line()];
    assert!(begun.iter().all(|line| line.kind == "begin"));
    receiver.signal("TERM");
    let rest = receiver.rest();
    let done = rest.iter().filter(|line| line.kind == "done").count();
    let begun = 2 + rest.iter().filter(|line| line.kind == "begin").count();
    assert_eq!(done, begun, "{rest:?}");
    assert!(receiver.wait().success());

    // What was not begun is done by the next process.
    let next = Process::start(&directory, &[]);
    for _ in done..3 {
        assert_eq!(
            (next.line().kind.as_str(), next.line().kind.as_str()),
            ("begin", "done")
        );
    }
}

#[test]
fn half_a_head_delays_the_end_by_5_s_and_no_job_begins_meanwhile() {
    let directory = tempdir().unwrap();
    let settings = [("WORK_MS", "3000"), ("CONCURRENCY", "1")];
    let mut receiver = Process::start(&directory, &settings);
    for account in ["1", "2"] {
        assert_eq!(receiver.post(account, &verification()), 204);
    }
    assert_eq!(receiver.line().kind, "begin");
    let _client = receiver.half_a_head();
    let signalled = Instant::now();
    receiver.signal("TERM");
    let rest = receiver.rest();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!(rest[0].kind, "done");
    assert!(receiver.wait().success());
    assert!(signalled.elapsed() < TWICE_THE_LIMIT);
}

#[test]
fn a_killed_receiver_loses_nothing_and_runs_again_at_once_what_it_had_begun() {
    let directory = tempdir().unwrap();
    let receiver = Process::start(&directory, &[("WORK_MS", "60000"), ("CONCURRENCY", "4")]);
    for account in 0..8 {
        assert_eq!(receiver.post(&account.to_string(), &verification()), 204);
    }
    let begun: Vec<_> = (0..4)
        .map(|_| receiver.line().get("account").to_owned())
        .collect();
    receiver.signal("KILL");
    drop(receiver);

    // With a lease that is longer than this test.
    let next = Process::start(&directory, &[("CONCURRENCY", "1"), ("LEASE_MS", "3600000")]);
    let mut attempts = Vec::new();
    for _ in 0..8 {
        let begin = next.line();
        attempts.push((
            begin.get("account").to_owned(),
            begin.get("attempt").to_owned(),
        ));
        assert_eq!(next.line().get("run"), begin.get("run"));
    }
    for (account, attempt) in attempts {
        let expected = if begun.contains(&account) { "2" } else { "1" };
        assert_eq!(attempt, expected, "account {account}");
    }
}

/// Runs a receiver that is expected to fail to start.
fn fails(mut command: Command, directory: &TempDir) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .current_dir(directory.path())
        .env("CRONOFY_CLIENT_SECRET", SECRET)
        .env("LISTEN", "127.0.0.1:0")
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    assert_eq!(stdout, b"");
    String::from_utf8(stderr).unwrap()
}

/// As another user than root, for whom no file is read-only.
#[test]
fn a_file_that_cannot_be_written_to_is_named() {
    let directory = tempdir().unwrap();
    let file = inbox_file(&directory);
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let program = directory.path().join("receiver");
    fs::copy(receiver(), &program).unwrap();
    let mut command = Command::new(&program);
    if fs::metadata(&file).unwrap().uid() == 0 {
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        command.uid(65_534);
    }
    assert_eq!(
        fails(command, &directory),
        "error: cronofy-inbox.db cannot be written to: check owner and mode of the file and of its directory\n"
    );
}

#[test]
fn a_second_receiver_says_that_the_file_is_in_use() {
    let directory = tempdir().unwrap();
    let _first = Process::start(&directory, &[]);
    assert_eq!(
        fails(Command::new(receiver()), &directory),
        "error: cronofy-inbox.db is in use by another process, and a SQLite file is for one\n"
    );
}

#[test]
fn a_wrong_setting_is_named() {
    let directory = tempdir().unwrap();
    let mut command = Command::new(receiver());
    command.env("WORK_MS", "soon");
    assert_eq!(
        fails(command, &directory),
        "error: WORK_MS=soon: invalid digit found in string\n"
    );
}

/// The limit on the size of a file makes writes fail as an I/O error does.
#[cfg(target_os = "linux")]
#[test]
fn a_file_system_that_fails_is_answered_with_503_and_needs_no_restart() {
    let directory = tempdir().unwrap();
    let mut command = Command::new("sh");
    // In blocks of 512 bytes. Without the trap, the signal would end the process.
    let script = r#"trap '' XFSZ; ulimit -S -f 400; exec "$0""#;
    command.args(["-c", script]).arg(receiver());
    command.env("CONCURRENCY", "1").env("WORK_MS", "60000");
    let receiver = Process::spawn(command, &directory);
    // A failed write has the log copied into the file, which makes room in the log, until the file is at the limit as well.
    let (mut stored, mut refused) = (0_u64, 0);
    while refused < 5 {
        match receiver.post(&stored.to_string(), &verification()) {
            204 => (stored, refused) = (stored + 1, 0),
            status => {
                assert_eq!(status, 503);
                refused += 1;
            }
        }
        assert!(stored < 10_000, "the limit has no effect");
    }
    assert!(stored > 0);

    let pid = receiver.id().to_string();
    let raised = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:"])
        .status();
    assert!(raised.unwrap().success());
    assert_eq!(receiver.post("after", &verification()), 204);
    let connection = Connection::open(inbox_file(&directory)).unwrap();
    let count = |account: &str| -> u64 {
        let sql = "SELECT count(*) FROM cronofy_inbox WHERE CAST(account AS TEXT) GLOB ?1";
        let count: i64 = connection
            .query_row(sql, [account], |row| row.get(0))
            .unwrap();
        count.unsigned_abs()
    };
    assert_eq!((count("[0-9]*"), count("after")), (stored, 1));
}
