//! The tests start Debian's `nats-server`: they are ignored where it is not installed, and fail if `CI` is set.

use std::env;
use std::path::Path;

fn main() {
    let debian = Path::new("/usr/sbin");
    let path = env::var_os("PATH").unwrap_or_default();
    let installed = env::split_paths(&path)
        .chain([debian.to_owned()])
        .any(|folder| folder.join("nats-server").exists());
    println!("cargo::rustc-check-cfg=cfg(nats_server)");
    if installed || env::var_os("CI").is_some() {
        println!("cargo::rustc-cfg=nats_server");
    }
    println!("cargo::rerun-if-env-changed=CI");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-changed=/usr/sbin/nats-server");
}
