//! `Verifier::verify`, compared with a bare HMAC of the same body.

use std::hint::black_box;

use cronofy_webhook::Verifier;
use cronofy_webhook::signature::HEADER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;

use crate::ratios::{Rounds, print_header};

/// The length of the body, and how often it is verified in a round.
const SIZES: [(&str, usize, usize); 3] = [
    ("300 B", 300, 200),
    ("4 KiB", 4 << 10, 50),
    ("256 KiB", 256 << 10, 1),
];

const SECRETS: [&str; 2] = ["CRN_one", "CRN_another"];

pub(crate) fn bench() {
    print_header("verify");
    for (size, length, batch) in SIZES {
        let body = vec![b'x'; length];
        let keyed = Hmac::<Sha256>::new_from_slice(SECRETS[0].as_bytes()).expect("any length");
        let bare = || {
            let mac = keyed.clone().chain_update(black_box(&body));
            mac.finalize().into_bytes()
        };
        let one = Verifier::new([SECRETS[0]]).expect("not blank");
        let two = Verifier::new(SECRETS).expect("not blank");
        let forger = Verifier::new(["a guess"]).expect("not blank");
        let headers = |signer: &Verifier| HeaderMap::from_iter([(HEADER, signer.sign(&body))]);

        let mut rounds = Rounds::new(batch);
        rounds.row("bare HMAC", || (), |()| bare());
        for (what, verifier, headers) in [
            ("one secret", &one, headers(&one)),
            ("two secrets", &two, headers(&two)),
            ("forged", &one, headers(&forger)),
        ] {
            let body = &body;
            let verify = move || verifier.verify(black_box(&headers), black_box(body));
            rounds.row(what, || (), move |()| verify());
        }
        rounds.run();

        let row =
            |what: &str, ours, over| rounds.print_ratio(&format!("{size}: {what}"), ours, over);
        row("one secret / bare HMAC", "one secret", &["bare HMAC"]);
        row(
            "two secrets / 2 × bare HMAC",
            "two secrets",
            &["bare HMAC"; 2],
        );
        row("forged / genuine", "forged", &["one secret"]);
    }
}
