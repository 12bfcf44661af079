//! Does the time that verification takes reveal anything about the expected signature?
//!
//! Each row measures [`Verifier::verify`] on two kinds of header in random order, and asks Welch's t-test whether the
//! times differ. `bash benches/peers/timing/run` prints the rows and a verdict for each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cronofy_webhook::Verifier;
use cronofy_webhook::signature::HEADER;
use dudect_bencher::rand::{Rng as _, RngExt as _};
use dudect_bencher::{BenchRng, Class, CtRunner, ctbench_main};
use http::{HeaderMap, HeaderValue};

/// Per row, half of them of each kind.
const MEASUREMENTS: usize = 2_000_000;

/// How many headers are made before they are measured, so that the state in which making one leaves the processor does not
/// depend on the kind that is measured next. Few enough for the first-level cache.
const BATCH: usize = 32;

const MAC_LEN: usize = 32;
const ENCODED_LEN: usize = 44;

const FIRST: usize = 0;
const MIDDLE: usize = MAC_LEN / 2;
const LAST: usize = MAC_LEN - 1;

// A forger wants to know how much of a wrong signature is right. Both kinds are rejected alike, so that only the comparison
// can make a difference.
fn refused_wrong_in_first_or_last(runner: &mut CtRunner, rng: &mut BenchRng) {
    let kinds = [Kind::wrong(["a"], FIRST), Kind::wrong(["a"], LAST)];
    measure(runner, rng, &kinds, verify(["a"]));
}

// The same where the second signature in the list is right, and both kinds are accepted.
fn accepted_wrong_in_first_or_last(runner: &mut CtRunner, rng: &mut BenchRng) {
    let secrets = ["a", "b"];
    let kinds = [Kind::wrong(secrets, FIRST), Kind::wrong(secrets, LAST)];
    measure(runner, rng, &kinds, verify(secrets));
}

// Right against wrong where the result differs, and with it the status. Not judged: a match and an error take different
// times to construct, and the status reveals which it was.
fn verdict_right_or_wrong_in_first(runner: &mut CtRunner, rng: &mut BenchRng) {
    right_or_wrong(["a"], FIRST, runner, rng);
}

fn verdict_right_or_wrong_in_middle(runner: &mut CtRunner, rng: &mut BenchRng) {
    right_or_wrong(["a"], MIDDLE, runner, rng);
}

fn verdict_right_or_wrong_in_last(runner: &mut CtRunner, rng: &mut BenchRng) {
    right_or_wrong(["a"], LAST, runner, rng);
}

// Which secret matched. Not judged: only a client that holds a valid signature can measure it, and whether another one is
// valid too the status reveals.
fn match_right_or_wrong_in_first(runner: &mut CtRunner, rng: &mut BenchRng) {
    right_or_wrong(["a", "b"], FIRST, runner, rng);
}

fn match_first_or_last_of_two(runner: &mut CtRunner, rng: &mut BenchRng) {
    let kinds = [Kind::right(["a"]), Kind::right(["b"])];
    measure(runner, rng, &kinds, verify(["a", "b"]));
}

fn match_first_or_last_of_four(runner: &mut CtRunner, rng: &mut BenchRng) {
    let kinds = [Kind::right(["a"]), Kind::right(["d"])];
    measure(runner, rng, &kinds, verify(["a", "b", "c", "d"]));
}

// The control: a comparison that ends at the first difference, which the test must detect. Not `==`, which compares
// 32 bytes in one step on many processors.
fn control_wrong_in_first_or_last(runner: &mut CtRunner, rng: &mut BenchRng) {
    let kinds = [Kind::wrong(["a"], FIRST), Kind::wrong(["a"], LAST)];
    let signer = verifier(["a"]);
    measure(runner, rng, &kinds, |headers, body| {
        let right = signer.sign(body);
        right.as_bytes().iter().eq(headers[HEADER].as_bytes())
    });
}

ctbench_main!(
    accepted_wrong_in_first_or_last,
    control_wrong_in_first_or_last,
    refused_wrong_in_first_or_last,
    verdict_right_or_wrong_in_first,
    verdict_right_or_wrong_in_middle,
    verdict_right_or_wrong_in_last,
    match_right_or_wrong_in_first,
    match_first_or_last_of_two,
    match_first_or_last_of_four
);

fn right_or_wrong<const N: usize>(
    secrets: [&str; N],
    byte: usize,
    runner: &mut CtRunner,
    rng: &mut BenchRng,
) {
    let kinds = [Kind::right(secrets), Kind::wrong(secrets, byte)];
    measure(runner, rng, &kinds, verify(secrets));
}

/// A kind of header: signatures with these secrets, the first of them with these bits flipped.
struct Kind {
    signer: Verifier,
    flipped: [u8; MAC_LEN],
}

impl Kind {
    fn right<const N: usize>(secrets: [&str; N]) -> Self {
        Self {
            signer: verifier(secrets),
            flipped: [0; MAC_LEN],
        }
    }

    fn wrong<const N: usize>(secrets: [&str; N], byte: usize) -> Self {
        let mut kind = Self::right(secrets);
        kind.flipped[byte] = 1;
        kind
    }

    // The same steps and allocations for both kinds, so that the address of a header does not depend on its kind.
    fn headers(&self, body: &[u8]) -> HeaderMap {
        let mut list = self.signer.sign(body).as_bytes().to_vec();
        let first = &mut list[..ENCODED_LEN];
        let mut mac = STANDARD.decode(&*first).expect("is Base64");
        for (byte, flipped) in mac.iter_mut().zip(&self.flipped) {
            *byte ^= flipped;
        }
        STANDARD
            .encode_slice(mac, first)
            .expect("is as long as before");
        HeaderMap::from_iter([(HEADER, HeaderValue::try_from(list).expect("is ASCII"))])
    }
}

fn verifier<const N: usize>(secrets: [&str; N]) -> Verifier {
    Verifier::new(secrets).expect("not blank")
}

fn verify<const N: usize>(secrets: [&str; N]) -> impl Fn(&HeaderMap, &[u8]) -> bool {
    let verifier = verifier(secrets);
    move |headers, body| verifier.verify(headers, body).is_ok()
}

fn measure(
    runner: &mut CtRunner,
    rng: &mut BenchRng,
    kinds: &[Kind; 2],
    operation: impl Fn(&HeaderMap, &[u8]) -> bool,
) {
    for _ in 0..MEASUREMENTS / BATCH {
        let batch: [_; BATCH] = std::array::from_fn(|_| {
            let mut body = [0; 256];
            rng.fill_bytes(&mut body);
            let kind = usize::from(rng.random::<bool>());
            let headers = kinds[kind].headers(&body);
            ([Class::Left, Class::Right][kind], headers, body)
        });
        for (class, headers, body) in batch {
            runner.run_one(class, || operation(&headers, &body));
        }
    }
}
