//! What the compiler says about a body that cannot be made from `Bytes`. Only our own words are compared: the rest differs
//! between releases of the compiler.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

const MESSAGE: &str = "`CronofyWebhookLayer` needs a body that can be made from `Bytes`, which `";

const NOTES: [&str; 3] = [
    "note: if it is the body of the request, add `.map_request_body(cronofy_webhook::MaybeBuffered::new)` before the layer",
    "note: if it is the body of the response, add `.map_response_body(cronofy_webhook::MaybeBuffered::new)` after the layer",
    "note: both are methods of `tower_http::ServiceBuilderExt`",
];

const MANIFEST: &str = r#"
[package]
name = "user"
edition = "2024"

[workspace]

[dependencies]
axum = { version = "0.8", default-features = false }
cronofy-webhook = { path = "LIBRARY" }
hyper = { version = "1", features = ["server"] }
tower = { version = "0.5", features = ["util"] }
tower-http = { version = "0.7", features = ["catch-panic", "compression-gzip", "decompression-gzip", "limit", "metrics", "timeout", "trace"] }
"#;

/// What cargo says of a program that has `code` in its only function.
fn check(name: &str, format: &str, code: &str) -> String {
    let library = env!("CARGO_MANIFEST_DIR");
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(package.join("src")).unwrap();
    let manifest = MANIFEST.replace("LIBRARY", &library.replace('\\', "/"));
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    // The versions that the tests were built with, which need no download.
    fs::copy(
        Path::new(library).join("Cargo.lock"),
        package.join("Cargo.lock"),
    )
    .unwrap();
    let program = format!("#![allow(unused)]\nfn main() {{\n{code}\n}}\n");
    fs::write(package.join("src/main.rs"), program).unwrap();

    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--message-format", format])
        .current_dir(&package)
        .env(
            "CARGO_TARGET_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("user"),
        )
        .output()
        .unwrap();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_body_that_does_not_fit_is_named_with_what_helps() {
    let stderr = check(
        "bodies",
        "human",
        r#"
use axum::routing::post;
use cronofy_webhook::CronofyWebhookLayer;
use hyper::{Request, body::Incoming};
use tower::{Service, ServiceBuilder};
use tower_http::trace::TraceLayer;

fn serve<S: Service<Request<Incoming>>>(_: S) {}
let layer = || CronofyWebhookLayer::new("CRN_an_example");
serve(ServiceBuilder::new().layer(layer()).service(post(|| async {})));
post::<_, _, ()>(|| async {}).layer::<_, std::convert::Infallible>(
    ServiceBuilder::new().layer(layer()).layer(TraceLayer::new_for_http()),
);
"#,
    );
    for body in ["Incoming` cannot", "trace::ResponseBody<"] {
        let mut errors = stderr.split("\nerror");
        let error = errors.find(|error| {
            let line = error.lines().next().unwrap_or_default();
            line.contains(MESSAGE) && line.contains(body)
        });
        let error = error.unwrap_or_else(|| panic!("{body}\n{stderr}"));
        for note in NOTES {
            assert!(error.contains(note), "{note}\n{stderr}");
        }
    }
}

// The placements that `placements` can only write with the line.
#[test]
fn a_placement_without_its_line_does_not_compile() {
    const OUTSIDE: [&str; 3] = [
        "limit::RequestBodyLimitLayer::new(1)",
        "decompression::RequestDecompressionLayer::new()",
        "timeout::RequestBodyTimeoutLayer::new(std::time::Duration::MAX)",
    ];
    const INSIDE: [&str; 6] = [
        "catch_panic::CatchPanicLayer::new()",
        "compression::CompressionLayer::new()",
        "decompression::RequestDecompressionLayer::new()",
        "limit::RequestBodyLimitLayer::new(1)",
        "metrics::InFlightRequestsLayer::new(Default::default())",
        "trace::TraceLayer::new_for_http()",
    ];
    let ours = "cronofy_webhook::CronofyWebhookLayer::new(\"CRN_an_example\")";
    let outside = OUTSIDE.map(|layer| format!(".layer(tower_http::{layer}).layer({ours})"));
    let inside = INSIDE.map(|layer| format!(".layer({ours}).layer(tower_http::{layer})"));
    let stacks: Vec<_> = outside.into_iter().chain(inside).collect();
    let routes = stacks.iter().map(|stack| {
        format!(
            "axum::routing::post::<_, _, ()>(|| async {{}}).layer::<_, std::convert::Infallible>(tower::ServiceBuilder::new(){stack});\n"
        )
    });

    let stderr = check("placements", "short", &routes.collect::<String>());
    // The code starts in the third line of the program.
    for (line, stack) in (3..).zip(stacks) {
        let place = Path::new("src").join("main.rs");
        let place = format!("{}:{line}:", place.display());
        let mut errors = stderr.lines().filter(|error| error.starts_with(&place));
        let error = errors.next().unwrap_or_else(|| panic!("{stack}\n{stderr}"));
        assert!(error.contains(MESSAGE), "{stack}\n{error}");
    }
}
