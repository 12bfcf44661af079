use cronofy_webhook::Verifier;
use cronofy_webhook_diagnosis::{Certainty, Diagnosis};

use crate::reference;

const HELD: [&str; 2] = ["CRN_held", "\"CRN_held as well\"\n"];

/// `Diagnosis::explain` is total, in memory that is linear in the input, and explains nothing that is genuine. The bound on
/// hashes is asserted by the library itself.
///
/// The input is a header as in [`reference::headers`] and a body, with a zero byte between them.
pub(crate) fn diagnosis(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (header, body) = (part(), part());
    let headers = reference::headers(header, &HELD, body);
    let verifier = Verifier::new(HELD).expect("none is blank");
    let diagnosis = Diagnosis::new(HELD).expect("none is blank");

    let mut explained = None;
    let memory = allocation_counter::measure(|| {
        explained = Some(diagnosis.explain(&headers, body));
    });
    let findings = explained.expect("always ends");
    let size = (body.len() + headers.values().map(|line| line.len()).sum::<usize>()) as u64;
    let bound = (16 << 10) + 192 * size;
    assert!(memory.bytes_max <= bound, "{memory:?}, over {bound}");

    if verifier.verify(&headers, body).is_ok() {
        assert_eq!(findings, []);
    }
    assert!(findings.is_sorted_by(|a, b| a.certainty >= b.certainty));
    for (place, finding) in findings.iter().enumerate() {
        assert!(finding.secret.is_none_or(|index| index < HELD.len()));
        let is_same = |other: &&_| *other == finding;
        assert_eq!(findings.iter().filter(is_same).count(), 1, "{place}");
        assert!(finding.certainty < Certainty::Proven || !headers.is_empty());
    }
}
