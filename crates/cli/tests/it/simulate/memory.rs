//! How much memory many deliveries take.

use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use axum::routing::any;

use crate::support::{Calls, command, serve};

/// Simulates at this rate for so many seconds of real time; returns the memory that it took, in MiB.
fn simulate(rate: usize, seconds: usize) -> u64 {
    let calls = Calls::default();
    let count = calls.clone();
    let url = serve(Router::new().fallback(any(async move || count.add().to_string())));
    let (time, rate_s) = (format!("{seconds}s"), format!("{rate}/s"));
    let arguments = ["simulate", "--to", &url, "--speed", "1", "--channels", "20"];
    let mut child = command(&arguments)
        .args(["--for", &time, "--rate", &rate_s])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_memory(child.id()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("{} deliveries, {} MiB", calls.count(), peak / 1024);
    assert!(child.wait().unwrap().success());
    assert!(
        calls.count() > rate * seconds * 99 / 100,
        "{}",
        calls.count()
    );
    assert!(peak > 0);
    peak / 1024
}

/// How much memory the process has ever used, in KiB.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// A tenth of what is below: a leak of 5 KiB for each delivery is too much.
#[test]
fn ten_thousand_deliveries_stay_within_64_mib() {
    assert!(simulate(500, 20) < 64);
}

#[test]
#[ignore = "takes 200 seconds"]
fn a_hundred_thousand_deliveries_stay_within_256_mib() {
    assert!(simulate(500, 200) < 256);
}
