//! What this crate costs compared with published crates for other webhooks, in one run: each verifies its own kind of
//! signature, over a body of the same length, behind an axum `Router`. Ends with a table of ratios.
//!
//! ```sh
//! cargo bench --manifest-path benches/peers/library/Cargo.toml
//! ```

use std::hint::black_box;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::ratios::{Rounds, print_header};
use crate::setup::{SECRET, send};

mod cronofy;
mod github;
#[path = "../../ratios.rs"]
mod ratios;
#[expect(
    dead_code,
    reason = "some of it is only for the benches of the crate itself"
)]
#[path = "../../setup.rs"]
mod setup;
mod shopify;
mod slack;
mod standard;

/// A route at `/cronofy`, and the delivery for it.
struct Peer {
    router: Router,
    body: &'static [u8],
    /// The headers of a delivery that is signed with this secret.
    signed: fn(&str) -> HeaderMap,
}

type Row = (&'static str, fn() -> Peer);

/// Ours first in each group: handlers that take a typed event, and handlers that take the raw body.
const GROUPS: [[Row; 4]; 2] = [
    [
        ("cronofy-webhook, Notification", cronofy::typed),
        ("webhook-verify, Json", shopify::typed),
        ("slack-morphism, SlackPushEvent", slack::typed),
        ("axum-github-webhook-extract, GithubEvent", github::typed),
    ],
    [
        ("cronofy-webhook, Bytes", cronofy::raw),
        ("webhook-verify, Bytes", shopify::raw),
        ("slack-morphism, Bytes", slack::raw),
        ("standardwebhooks, Bytes", standard::raw),
    ],
];

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.expect("there is a runtime");
    let _inside = runtime.enter();

    let mut rounds = Rounds::new(200);
    for (name, peer) in GROUPS.into_iter().flatten() {
        let mut peer = peer();
        // Two of the schemes sign a timestamp that is valid for five minutes.
        let headers = (peer.signed)(SECRET);
        let genuine = move || request(peer.body, &headers);
        let forged = request(peer.body, &(peer.signed)("a guess"));
        let genuine_status = send(&mut peer.router, genuine());
        let forged_status = send(&mut peer.router, forged);
        assert!(genuine_status.is_success(), "{name}: {genuine_status}");
        assert!(forged_status.is_client_error(), "{name}: {forged_status}");
        rounds.row(name, genuine, move |request| {
            send(&mut peer.router, request)
        });
    }
    rounds.run();

    print_header("ours / the peer");
    for [(ours, _), peers @ ..] in GROUPS {
        for (peer, _) in peers {
            let what = format!("{} / {peer}", ours.trim_start_matches("cronofy-webhook, "));
            rounds.print_ratio(&what, ours, &[peer]);
        }
    }
}

fn request(body: &'static [u8], headers: &HeaderMap) -> Request {
    let mut request = setup::request(None);
    *request.headers_mut() = headers.clone();
    *request.body_mut() = Body::from(body);
    request
}

/// These headers, and the content type of JSON.
fn json<const N: usize>(headers: [(&'static str, String); N]) -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    for (name, value) in headers {
        map.insert(name, value.parse().expect("is visible ASCII"));
    }
    map
}

fn hmac(secret: &str, message: &[u8]) -> impl AsRef<[u8]> + use<> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.chain_update(message).finalize().into_bytes()
}

/// The handler that takes the raw body.
async fn raw(body: Bytes) -> StatusCode {
    black_box(body);
    StatusCode::NO_CONTENT
}
