//! Properties, each stated once as a plain function: the tests run them over the seeds and over generated input, and the
//! fuzz targets, which include this file, over what they find.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Delivery, Notification, RejectionKind, Verifier};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;

const HELD: [&str; 2] = ["CRN_held", "CRN_held as well"];
const NOT_HELD: &str = "CRN_not held";

/// `Delivery::verify` accepts exactly what the reference accepts, and keeps the body byte for byte.
///
/// The input is a header and a body, with a zero byte between them. In the header a line feed begins another line, and
/// `$`, `&` and `%` stand for the signatures of the body by the first secret held, by the second, and by one that is not
/// held.
pub(crate) fn delivery(input: &[u8]) {
    let (header, body) = match input.iter().position(|byte| *byte == 0) {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    let lines: Vec<HeaderValue> = header
        .split(|byte| *byte == b'\n')
        .filter_map(|line| HeaderValue::from_bytes(&expand(line, body)).ok())
        .collect();
    let headers: HeaderMap = lines.iter().cloned().map(|line| (HEADER, line)).collect();
    let members = members(&lines);
    let verifier = Verifier::new(HELD).expect("none is blank");

    match Delivery::verify(&verifier, &headers, Bytes::copy_from_slice(body)) {
        Ok(delivery) => {
            let index = HELD
                .iter()
                .position(|secret| members.contains(&reference(secret, body)));
            assert_eq!(Some(delivery.signature().index()), index);
            assert_eq!(delivery.body(), body);
            notification(delivery.notification(), body);
        }
        Err(rejection) => {
            let held = HELD.map(|secret| reference(secret, body));
            assert!(!members.iter().any(|member| held.contains(member)));
            let missing = rejection.kind() == RejectionKind::SignatureMissing;
            assert_eq!(missing, members.is_empty());
        }
    }
}

/// What is not understood is kept as it is, and everything survives a queue.
fn notification(notification: &Notification, body: &[u8]) {
    if let Notification::Unknown(unknown) = notification {
        assert_eq!(unknown.body(), body);
    }
    let queued = serde_json::to_string(notification).expect("serialises");
    let read: Notification = serde_json::from_str(&queued).expect("reads what it wrote");
    assert_eq!(&read, notification);
}

fn expand(line: &[u8], body: &[u8]) -> Vec<u8> {
    line.iter()
        .flat_map(|byte| match byte {
            b'$' => reference(HELD[0], body),
            b'&' => reference(HELD[1], body),
            b'%' => reference(NOT_HELD, body),
            other => vec![*other],
        })
        .collect()
}

/// The one text that is the signature of this body by this secret.
fn reference(secret: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes()).into_bytes()
}

/// The members of the list, in the plainest way.
fn members(lines: &[HeaderValue]) -> Vec<Vec<u8>> {
    let mut members = Vec::new();
    for line in lines {
        for member in line.as_bytes().split(|byte| *byte == b',') {
            let mut member = member;
            while let [b' ' | b'\t', rest @ ..] = member {
                member = rest;
            }
            while let [rest @ .., b' ' | b'\t'] = member {
                member = rest;
            }
            if !member.is_empty() {
                members.push(member.to_vec());
            }
        }
    }
    members
}
