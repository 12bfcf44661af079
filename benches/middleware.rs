//! A delivery through an axum `Router` with a typed handler, and the baselines for it.

use criterion::{BatchSize, Criterion};
use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;

use crate::setup::{SECRET, floor, request, router, send, signature};
use crate::subscriber;

pub(crate) fn bench(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.expect("there is a runtime");
    let _inside = runtime.enter();

    let mut group = criterion.benchmark_group("middleware");
    let keyed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    let genuine = signature(SECRET);
    group.bench_function("floor", |bencher| {
        bencher.iter(|| floor(&keyed, genuine.as_bytes()));
    });

    for (name, signed_with, status) in [
        ("bare route", Some(SECRET), 204),
        ("identity layer", Some(SECRET), 204),
        ("from_fn by hand", Some(SECRET), 204),
        ("handler by hand", Some(SECRET), 204),
        ("ours", Some(SECRET), 204),
        ("ours, forged", Some("a guess"), 401),
        ("ours, unsigned", None, 401),
        ("ours, subscriber at warn", Some(SECRET), 204),
        ("ours with a hook, forged", Some("a guess"), 401),
    ] {
        let _guard = name
            .ends_with("subscriber at warn")
            .then(subscriber::at_warn);
        let signature = signed_with.map(signature);
        let mut router = router(name.split(',').next().expect("there is a first part"));
        assert_eq!(
            send(&mut router, request(signature.as_ref())),
            status,
            "{name}"
        );
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || request(signature.as_ref()),
                |request| send(&mut router, request),
                BatchSize::SmallInput,
            );
        });
    }
}
