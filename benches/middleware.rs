//! A delivery through an axum `Router` with a typed handler, and the baselines for it.

use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;

use crate::ratios::{Rounds, print_header};
use crate::setup::{SECRET, floor, request, router, send, signature};

/// A row, the secret that its deliveries are signed with, and the status that they get.
const ROWS: [(&str, Option<&str>, u16); 9] = [
    ("bare route", Some(SECRET), 204),
    ("identity layer", Some(SECRET), 204),
    ("from_fn by hand", Some(SECRET), 204),
    ("same function by hand", Some(SECRET), 204),
    ("handler by hand", Some(SECRET), 204),
    ("ours", Some(SECRET), 204),
    ("ours, forged", Some("a guess"), 401),
    ("ours with a hook, forged", Some("a guess"), 401),
    ("ours, unsigned", None, 401),
];

pub(crate) fn bench() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.expect("there is a runtime");
    let _inside = runtime.enter();

    let keyed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    let genuine = signature(SECRET);
    let mut rounds = Rounds::new(200);
    rounds.row("floor", || (), |()| floor(&keyed, genuine.as_bytes()));
    for (name, secret, status) in ROWS {
        let signature = secret.map(signature);
        let mut router = router(name.split(',').next().expect("there is a first part"));
        assert_eq!(
            send(&mut router, request(signature.as_ref())),
            status,
            "{name}"
        );
        rounds.row(
            name,
            move || request(signature.as_ref()),
            move |request| send(&mut router, request),
        );
    }
    rounds.run();

    print_header("middleware");
    for (what, ours, over) in [
        ("ours / from_fn by hand", "ours", &["from_fn by hand"][..]),
        (
            "ours / the same function by hand",
            "ours",
            &["same function by hand"],
        ),
        (
            "the same function by hand / from_fn by hand",
            "same function by hand",
            &["from_fn by hand"],
        ),
        ("ours / handler by hand", "ours", &["handler by hand"]),
        (
            "ours / (identity layer + floor)",
            "ours",
            &["identity layer", "floor"],
        ),
        ("ours, forged / genuine", "ours, forged", &["ours"]),
        (
            "ours, forged, with a hook / without",
            "ours with a hook, forged",
            &["ours, forged"],
        ),
        (
            "ours, unsigned / bare route",
            "ours, unsigned",
            &["bare route"],
        ),
    ] {
        rounds.print_ratio(what, ours, over);
    }
}
