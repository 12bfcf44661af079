//! `Verifier::verify`, compared with a bare HMAC of the same body.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use cronofy_webhook::Verifier;
use cronofy_webhook::signature::HEADER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;

pub(crate) const SIZES: [(&str, usize); 3] =
    [("300 B", 300), ("4 KiB", 4 << 10), ("256 KiB", 256 << 10)];

const SECRETS: [&str; 2] = ["CRN_held", "CRN_held as well"];

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verify");
    for (name, size) in SIZES {
        let body = vec![b'x'; size];
        group.throughput(Throughput::Bytes(size as u64));

        let keyed = Hmac::<Sha256>::new_from_slice(SECRETS[0].as_bytes()).expect("any length");
        group.bench_with_input(
            BenchmarkId::new("bare HMAC", name),
            &*body,
            |bencher, body| {
                bencher.iter(|| {
                    keyed
                        .clone()
                        .chain_update(black_box(body))
                        .finalize()
                        .into_bytes()
                });
            },
        );

        let one = Verifier::new([SECRETS[0]]).expect("not blank");
        let two = Verifier::new(SECRETS).expect("not blank");
        let forger = Verifier::new(["a guess"]).expect("not blank");
        for (what, held, signed_with) in [
            ("one secret", &one, &one),
            ("two secrets", &two, &two),
            ("forged", &one, &forger),
        ] {
            let headers = HeaderMap::from_iter([(HEADER, signed_with.sign(&body))]);
            group.bench_with_input(BenchmarkId::new(what, name), &*body, |bencher, body| {
                bencher.iter(|| held.verify(black_box(&headers), black_box(body)));
            });
        }
    }
}
