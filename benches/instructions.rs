//! Runs one path a number of times, for an instruction counter: `instructions PATH TIMES`. Without arguments, as `cargo test`
//! runs it, it runs each path once.
//!
//! `.ci/instructions` runs it under callgrind and compares the counts with `benches/instructions.txt`.

use std::hint::black_box;

use bytes::Bytes;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Notification, Verifier};
use cronofy_webhook_testing::Payload;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;

use crate::setup::{BODY, SAMPLES, SECRET, floor, request, router, send, signature};

mod setup;
mod subscriber;

const PATHS: [&str; 22] = [
    "bare HMAC",
    "floor",
    "verify",
    "verify, two secrets",
    "verify, forged",
    "verify, a hundred listed",
    "parse, channel",
    "parse, smart invite",
    "parse, event subscription",
    "parse, scheduler",
    "parse, real-time scheduling",
    "parse, enterprise connect",
    "parse, unknown",
    "identity layer",
    "from_fn by hand",
    "same function by hand",
    "ours",
    "ours, forged",
    "ours, unsigned",
    "ours, subscriber at warn",
    "ours, forged, subscriber at warn",
    "ours, unsigned, subscriber at warn",
];

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.expect("builds a runtime");
    let _inside = runtime.enter();

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &*arguments {
        [path, times] => go(path, times.parse().expect("TIMES is a number")),
        [list] if list == "paths" => println!("{}", PATHS.join("\n")),
        _ => PATHS.iter().for_each(|path| go(path, 1)),
    }
}

fn go(path: &str, times: usize) {
    let (what, which) = path.split_once(", ").unwrap_or((path, ""));
    match what {
        "bare HMAC" => {
            let keyed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
            repeat(times, || {
                keyed.clone().chain_update(black_box(BODY)).finalize()
            });
        }
        "floor" => {
            let keyed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
            let signature = signature(SECRET);
            repeat(times, || floor(&keyed, signature.as_bytes()));
        }
        "verify" => verify(which, times),
        "parse" => {
            let sample = SAMPLES.iter().find(|(family, _)| *family == which);
            let (_, sample) = sample.expect("a known family");
            let body = Bytes::from(Payload::sample(sample));
            repeat(times, || Notification::from_slice(black_box(&body)));
        }
        router_name => {
            let _guard = which
                .ends_with("subscriber at warn")
                .then(subscriber::at_warn);
            let mut router = router(router_name);
            let signature = match which.split(',').next().unwrap_or_default() {
                "unsigned" => None,
                "forged" => Some(signature("a guess")),
                _ => Some(signature(SECRET)),
            };
            repeat(times, || send(&mut router, request(signature.as_ref())));
        }
    }
}

fn verify(which: &str, times: usize) {
    let secrets = match which {
        "two secrets" => vec![SECRET, "CRN_another"],
        _ => vec![SECRET],
    };
    let listed = match which {
        "forged" => signature("a guess"),
        "a hundred listed" => {
            let listed = vec![signature("a guess"); 100];
            let listed: Vec<&str> = listed
                .iter()
                .map(|one| one.to_str().expect("is text"))
                .collect();
            HeaderValue::from_str(&listed.join(",")).expect("is a header value")
        }
        _ => signature(SECRET),
    };
    let headers = HeaderMap::from_iter([(HEADER, listed)]);
    let verifier = Verifier::new(secrets).expect("not blank");
    repeat(times, || {
        verifier.verify(black_box(&headers), black_box(BODY))
    });
}

fn repeat<T>(times: usize, mut what: impl FnMut() -> T) {
    for _ in 0..times {
        black_box(what());
    }
}
