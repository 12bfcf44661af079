//! Does one thing a number of times, for an instruction counter to look at: `instructions PATH TIMES`.
//!
//! `.ci/instructions` runs it under callgrind.

use std::hint::black_box;

use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Notification, Verifier};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;

use crate::setup::{BODY, SECRET, floor, request, router, send, signature};

mod setup;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --all-targets` runs it without.
    let [path, times, ..] = &*arguments else {
        return;
    };
    let times: usize = times.parse().expect("TIMES is a number");

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.expect("there is a runtime");
    let _inside = runtime.enter();

    let verifier = Verifier::new([SECRET]).expect("not blank");
    let headers = HeaderMap::from_iter([(HEADER, verifier.sign(BODY))]);
    let keyed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    let (route, signed_with) = match path.split_once(", ") {
        Some((route, "unsigned")) => (route, None),
        Some((route, _)) => (route, Some("a guess")),
        None => (&**path, Some(SECRET)),
    };

    for _ in 0..times {
        match route {
            "bare HMAC" => {
                black_box(keyed.clone().chain_update(black_box(BODY)).finalize());
            }
            "verify" => {
                black_box(verifier.verify(black_box(&headers), black_box(BODY))).expect("genuine");
            }
            "parse" => {
                black_box(Notification::from_slice(black_box(BODY)));
            }
            "floor" => {
                black_box(floor(&keyed, headers[HEADER].as_bytes()));
            }
            _ => break,
        }
    }
    if ["bare HMAC", "verify", "parse", "floor"].contains(&route) {
        return;
    }
    let mut router = router(route);
    let signature = signed_with.map(signature);
    for _ in 0..times {
        black_box(send(&mut router, request(signature.as_ref())));
    }
}
