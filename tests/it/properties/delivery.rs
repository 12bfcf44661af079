use std::error::Error as _;

use bytes::Bytes;
use cronofy_webhook::signature::{HEADER, SignatureError};
use cronofy_webhook::{Delivery, Notification, Rejection, RejectionKind, Verifier};
use http::HeaderValue;

use super::reference::{self, Verdict};

const HELD: [&str; 2] = ["CRN_held", "CRN_held as well"];

/// `Delivery::verify` accepts what the reference accepts, rejects the rest with the reason, and keeps the body byte for
/// byte. `Delivery::verify_raw` does the same with the lines of the header, in whatever type they come.
///
/// The input is a header as in [`reference::headers`] and a body, with a zero byte between them.
pub(crate) fn delivery(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (header, body) = (part(), Bytes::copy_from_slice(part()));
    let headers = reference::headers(header, &HELD, &body);
    let verifier = Verifier::new(HELD).expect("none is blank");
    let expected = reference::verdict(&HELD, &headers, &body);

    let verified = Delivery::verify(&verifier, &headers, body.clone());
    assert_eq!(verdict(verified, &body), expected);

    let lines = || headers.get_all(HEADER).iter().map(HeaderValue::as_bytes);
    let verified = Delivery::verify_raw(&verifier, lines(), body.clone());
    assert_eq!(verdict(verified, &body), expected);
    let verified = Delivery::verify_raw(&verifier, lines().map(<[u8]>::to_vec), body.clone());
    assert_eq!(verdict(verified, &body), expected);
    if let Ok(lines) = lines().map(str::from_utf8).collect::<Result<Vec<_>, _>>() {
        let verified = Delivery::verify_raw(&verifier, lines, body.clone());
        assert_eq!(verdict(verified, &body), expected);
    }
}

fn verdict(verified: Result<Delivery, Rejection>, body: &Bytes) -> Verdict {
    match verified {
        Ok(delivery) => {
            assert_eq!(delivery.body(), body);
            assert_eq!(delivery.notification(), &Notification::from_slice(body));
            Verdict::from(delivery.signature())
        }
        Err(rejection) => verdict_of(&rejection),
    }
}

fn verdict_of(rejection: &Rejection) -> Verdict {
    let cause = rejection.source().and_then(|cause| cause.downcast_ref());
    let verdict = Verdict::from(cause.expect("says why"));
    let kind = match cause {
        Some(SignatureError::Missing) => RejectionKind::SignatureMissing,
        Some(SignatureError::Malformed { .. }) => RejectionKind::SignatureMalformed,
        _ => RejectionKind::SignatureMismatch,
    };
    assert_eq!((rejection.kind(), rejection.status().as_u16()), (kind, 401));
    verdict
}
