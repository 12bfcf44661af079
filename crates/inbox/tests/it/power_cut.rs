//! What was acknowledged survives a power cut: the example `receiver` runs on a disk that loses what was not synced.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cronofy_webhook_inbox::Inbox;
use tempfile::{TempDir, tempdir};

use crate::common::{Jobs, verification};
use crate::process::{Process, inbox_file, receiver};

/// How many clients there are at the same time.
const CLIENTS: usize = 8;

/// Compiles what keeps the synced copies.
fn preloaded(directory: &TempDir) -> PathBuf {
    let library = directory.path().join("power_cut.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/power_cut.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .args([source, "-ldl"])
        .status();
    assert!(compiled.unwrap().success());
    library
}

/// Posts until so many are acknowledged, then kills the receiver, with deliveries under way. Returns the accounts whose
/// deliveries were acknowledged.
fn post_and_kill(receiver: &Process, wanted: usize) -> BTreeSet<String> {
    let acknowledged = Mutex::new(BTreeSet::new());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                loop {
                    let account = next.fetch_add(1, Ordering::Relaxed).to_string();
                    match receiver.try_post(&account, &verification()) {
                        Ok(status) => assert_eq!(status, 204),
                        // Killed.
                        Err(_) => return,
                    }
                    let mut acknowledged = acknowledged.lock().unwrap();
                    acknowledged.insert(account);
                    if acknowledged.len() == wanted {
                        receiver.signal("KILL");
                    }
                }
            });
        }
    });
    acknowledged.into_inner().unwrap()
}

/// The files that are left.
fn restore(synced: &Path) -> TempDir {
    let directory = tempdir().unwrap();
    for entry in fs::read_dir(synced).unwrap() {
        let path = entry.unwrap().path();
        let mut linked = OsString::from(&path);
        linked.push(".linked");
        if Path::new(&linked).exists() {
            fs::copy(&path, directory.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    directory
}

/// From a few commits to several checkpoints.
#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut() {
    let tools = tempdir().unwrap();
    let library = preloaded(&tools);
    for wanted in [1, 2, 10, 100, 1_500] {
        let (disk, synced) = (tempdir().unwrap(), tempdir().unwrap());
        let mut command = Command::new(receiver());
        command
            .env("LD_PRELOAD", &library)
            .env("POWER_CUT_DISK", disk.path().canonicalize().unwrap())
            .env("POWER_CUT_SYNCED", synced.path())
            .envs([("CONCURRENCY", "2"), ("WORK_MS", "60000")]);
        let receiver = Process::spawn(command, &disk);
        let acknowledged = post_and_kill(&receiver, wanted);
        drop(receiver);

        let left = restore(synced.path());
        let url = format!("sqlite:{}", inbox_file(&left).display());
        let inbox = Inbox::open(url).await.unwrap();
        let jobs = Jobs::default();
        inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
        let jobs = jobs.all();
        let run: BTreeSet<_> = jobs.iter().map(|job| job.account().to_owned()).collect();
        let lost: Vec<_> = acknowledged.difference(&run).collect();
        assert!(lost.is_empty(), "of {wanted}: {lost:?}");
        println!("acknowledged {}, left {}", acknowledged.len(), run.len());
    }
}
