//! Promise: nothing unauthentic gets in. `Verifier` alone, and the published signatures through the layer as well.

use std::time::Instant;

use bytes::Bytes;
use cronofy_webhook::signature::{HEADER, SignatureError};
use cronofy_webhook::{CronofyWebhookLayer, Delivery, Secret, SecretError, Verifier};
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::Full;
use serde::Deserialize;
use tower::{Layer as _, ServiceExt as _};

use crate::support::{CHANGE, Calls, OTHER_SECRET, SECRET, handler, verifier};

#[derive(Deserialize)]
struct Vector {
    name: String,
    secret: String,
    body: String,
    signature_header: Option<String>,
    expected: bool,
    kind: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../data/vectors.json")).unwrap()
}

fn headers<V: TryInto<HeaderValue>>(lines: impl IntoIterator<Item = V>) -> HeaderMap {
    lines
        .into_iter()
        .map(|line| (HEADER, line.try_into().ok().unwrap()))
        .collect()
}

fn verify(lines: &[&str]) -> Result<(), SignatureError> {
    verifier()
        .verify(&headers(lines.iter().copied()), CHANGE)
        .map(|_| ())
}

/// The signature of `CHANGE` under a secret.
fn signature(secret: &str) -> String {
    let value = Verifier::new([secret]).unwrap().sign(CHANGE);
    value.to_str().unwrap().to_owned()
}

const WRONG: &str = "PNNVJ9J2e8N174koxcKDzktZ9Qkt8YUzP+V+l5lG8F4=";

#[test]
fn published_signatures_get_the_expected_verdict_from_the_verifier() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 43);
    assert_eq!(vectors.iter().filter(|v| v.kind == "published").count(), 32);
    for vector in vectors {
        let verifier = Verifier::new([vector.secret]).unwrap();
        let headers = headers(vector.signature_header);
        let verdict = verifier.verify(&headers, vector.body.as_bytes());
        assert_eq!(verdict.is_ok(), vector.expected, "{}", vector.name);
    }
}

#[tokio::test]
async fn published_signatures_get_the_expected_verdict_through_the_layer() {
    for vector in vectors() {
        let calls = Calls::default();
        let service = CronofyWebhookLayer::new(vector.secret).layer(handler(&calls));
        let mut request = Request::post("/")
            .body(Full::new(Bytes::from(vector.body)))
            .unwrap();
        *request.headers_mut() = headers(vector.signature_header);

        let status = service.oneshot(request).await.unwrap().status();
        let expected = if vector.expected { (200, 1) } else { (401, 0) };
        assert_eq!(
            (status.as_u16(), calls.count()),
            expected,
            "{}",
            vector.name
        );
    }
}

#[test]
fn signing_gives_the_published_value() {
    let body = br#"{"example":"well-known"}"#;
    let verifier = Verifier::new([SECRET, OTHER_SECRET]).unwrap();
    assert_eq!(
        verifier.sign(body),
        "5DxentQi5YSXODEzTVv06sRwJ3pULIz1KrYv20qxEK0=,BmQmWVuZ70ILWjr1CAt5oC7YOolgnku4WZtlrKfx/6k="
    );
}

#[test]
fn any_of_several_listed_signatures_is_enough() {
    let (ours, theirs) = (signature(SECRET), signature(OTHER_SECRET));
    assert_eq!(verify(&[&format!("{ours},{theirs}")]), Ok(()));
    assert_eq!(verify(&[&format!("{theirs},{ours}")]), Ok(()));
    assert_eq!(verify(&[&format!("{WRONG},{theirs},{ours}")]), Ok(()));
}

#[test]
fn a_list_over_several_header_lines_is_one_list() {
    let (ours, theirs) = (signature(SECRET), signature(OTHER_SECRET));
    assert_eq!(verify(&[&theirs, &ours]), Ok(()));
    assert_eq!(
        verify(&["", &format!("{WRONG},"), &format!(" ,{ours}")]),
        Ok(())
    );
}

#[test]
fn a_long_list_costs_no_more_hashing_than_a_short_one() {
    let body = vec![b' '; 256 * 1024];
    let fastest = |listed: usize| {
        let headers = headers([vec![WRONG; listed].join(",")]);
        let checking = |_| {
            let start = Instant::now();
            verifier().verify(&headers, &body).unwrap_err();
            start.elapsed()
        };
        (0..3).map(checking).min().unwrap()
    };
    let (short, long) = (fastest(1), fastest(1000));
    // Were the body hashed for each of them, it would be a thousand times as long.
    assert!(long < 20 * short, "{short:?}, {long:?}");
}

#[test]
fn spaces_tabs_and_blank_members_do_not_matter() {
    let ours = signature(SECRET);
    assert_eq!(verify(&[&format!(" \t{ours}\t ,,  ,")]), Ok(()));
}

#[test]
fn a_malformed_member_never_spoils_a_good_one() {
    let ours = signature(SECRET);
    for bad in ["x", "====", "not base64!", &WRONG[..43], &"A".repeat(4096)] {
        assert_eq!(verify(&[&format!("{bad},{ours}")]), Ok(()), "{bad}");
        assert_eq!(verify(&[&format!("{ours},{bad}")]), Ok(()), "{bad}");
    }
}

#[test]
fn header_bytes_need_not_be_text() {
    let ours = signature(SECRET);
    let mut line = b"\xff\xfe\x80,".to_vec();
    assert!(matches!(
        verifier().verify(&headers([&line[..]]), CHANGE),
        Err(SignatureError::Malformed { listed: 1, .. })
    ));
    line.extend_from_slice(ours.as_bytes());
    assert!(verifier().verify(&headers([&line[..]]), CHANGE).is_ok());
}

#[test]
fn only_canonical_padded_standard_base64_of_32_bytes_is_a_signature() {
    let ours = signature(SECRET);
    let last = ours.as_bytes()[42];
    // The last character before the padding carries two bits that belong to no byte.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let place = alphabet.iter().position(|c| *c == last).unwrap();
    let sloppy = format!("{}{}=", &ours[..42], char::from(alphabet[place + 1]));

    for lookalike in [
        sloppy,
        ours.trim_end_matches('=').to_owned(),
        format!("{ours}="),
        format!("{}==", &ours[..42]),
        ours.replace(['+', '/'], "-"),
        format!("\"{ours}\""),
        format!("{} {}", &ours[..20], &ours[20..]),
        ours.to_lowercase(),
    ] {
        assert!(verify(&[&lookalike]).is_err(), "{lookalike}");
    }
}

#[test]
fn a_signature_that_differs_in_any_one_bit_is_refused() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let ours = STANDARD.decode(signature(SECRET)).unwrap();
    for bit in 0..256 {
        let mut forged = ours.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&[&STANDARD.encode(forged)]).is_err(), "bit {bit}");
    }
}

// Two differences must not cancel each other out where a comparison gathers them.
#[test]
fn a_signature_that_differs_by_the_same_bits_in_any_two_bytes_is_refused() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let ours = STANDARD.decode(signature(SECRET)).unwrap();
    for second in 0..ours.len() {
        for first in 0..second {
            let mut forged = ours.clone();
            forged[first] ^= 0x55;
            forged[second] ^= 0x55;
            let forged = STANDARD.encode(forged);
            assert!(verify(&[&forged]).is_err(), "bytes {first} and {second}");
        }
    }
}

#[test]
fn a_body_that_differs_in_any_one_byte_is_refused() {
    let headers = headers([signature(SECRET)]);
    for place in 0..CHANGE.len() {
        let mut body = CHANGE.to_vec();
        body[place] ^= 0x20;
        assert!(verifier().verify(&headers, &body).is_err(), "byte {place}");
    }
    assert!(
        verifier()
            .verify(&headers, &CHANGE[..CHANGE.len() - 1])
            .is_err()
    );
    assert!(verifier().verify(&headers, b"").is_err());
}

#[test]
fn the_error_says_what_was_listed_and_tried() {
    assert_eq!(verify(&[]), Err(SignatureError::Missing));
    assert_eq!(verify(&["", " , "]), Err(SignatureError::Missing));
    assert!(matches!(
        verify(&["x,y", "z"]),
        Err(SignatureError::Malformed { listed: 3, .. })
    ));
    let verifier = Verifier::new([SECRET, "another"]).unwrap();
    let error = verifier
        .verify(&headers([format!("x,{WRONG}")]), CHANGE)
        .unwrap_err();
    assert!(matches!(
        error,
        SignatureError::Mismatch {
            listed: 2,
            malformed: 1,
            tried: 2,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        "no signature in Cronofy-HMAC-SHA256 is that of this body under a secret held here \
         (listed: 2, of which malformed: 1; secrets tried: 2)"
    );
}

#[test]
fn a_match_reports_on_the_rotation_of_secrets() {
    let server = Verifier::new([
        Secret::new("retired").with_label("2019"),
        Secret::new(SECRET).with_label("2024"),
        Secret::new(OTHER_SECRET),
    ])
    .unwrap();
    let cronofy = Verifier::new([OTHER_SECRET, "not held here", SECRET]).unwrap();
    let headers = headers([cronofy.sign(CHANGE), HeaderValue::from_static("malformed")]);

    let matched = server.verify(&headers, CHANGE).unwrap();
    assert_eq!((matched.index(), matched.label()), (1, Some("2024")));
    assert_eq!(matched.unknown_signatures(), 1);
    assert_eq!(
        matched.unused_secrets().collect::<Vec<_>>(),
        [(0, Some("2019"))]
    );
}

#[test]
fn a_secret_without_a_label_is_told_by_its_place() {
    let server = Verifier::new(["first", SECRET]).unwrap();
    let matched = server
        .verify(&headers([signature(SECRET)]), CHANGE)
        .unwrap();
    assert_eq!((matched.index(), matched.label()), (1, None));
    assert_eq!(matched.unknown_signatures(), 0);
}

#[test]
fn replaced_secrets_are_in_force_for_every_clone() {
    let verifier = Verifier::new([SECRET]).unwrap();
    let clone = verifier.clone();
    verifier.replace([OTHER_SECRET]).unwrap();

    assert!(clone.verify(&headers([signature(SECRET)]), CHANGE).is_err());
    assert!(
        clone
            .verify(&headers([signature(OTHER_SECRET)]), CHANGE)
            .is_ok()
    );
}

#[test]
fn a_replacement_that_is_refused_leaves_the_secrets_as_they_were() {
    let verifier = Verifier::new([SECRET]).unwrap();
    assert!(verifier.replace([""]).is_err());
    assert!(verifier.replace([""; 0]).is_err());
    assert!(
        verifier
            .verify(&headers([signature(SECRET)]), CHANGE)
            .is_ok()
    );
}

#[tokio::test]
async fn secrets_can_be_replaced_while_a_layer_serves_with_them() {
    let calls = Calls::default();
    let verifier = Verifier::new([OTHER_SECRET]).unwrap();
    let service = CronofyWebhookLayer::from_verifier(verifier.clone()).layer(handler(&calls));
    let status = || async {
        let request = crate::support::genuine();
        service
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .status()
            .as_u16()
    };

    assert_eq!(status().await, 401);
    verifier.replace([OTHER_SECRET, SECRET]).unwrap();
    assert_eq!(status().await, 200);
}

#[test]
fn an_empty_or_blank_secret_is_refused_and_the_error_says_what_to_set() {
    assert_eq!(Verifier::new([""; 0]).unwrap_err(), SecretError::NoSecrets);
    for blank in ["", " ", "\r\n", "\u{feff}", "\u{a0}\t"] {
        let error = Verifier::new([SECRET, blank]).unwrap_err();
        assert!(
            matches!(error, SecretError::Blank { index: 1, .. }),
            "{blank:?}"
        );
        assert!(
            error.to_string().contains("set the client secret"),
            "{error}"
        );
    }
}

#[test]
#[should_panic(expected = "set the client secret of the application")]
fn a_layer_with_a_blank_secret_panics_at_construction() {
    let _ = CronofyWebhookLayer::new(" \n");
}

#[test]
fn a_secret_is_used_as_it_is_with_its_newline_and_all() {
    let with_newline = format!("{SECRET}\n");
    let verifier = Verifier::new([&*with_newline]).unwrap();
    assert!(
        verifier
            .verify(&headers([signature(&with_newline)]), CHANGE)
            .is_ok()
    );
    assert!(
        verifier
            .verify(&headers([signature(SECRET)]), CHANGE)
            .is_err()
    );
}

#[test]
fn a_secret_longer_than_a_block_of_the_hash_works() {
    let long = "s".repeat(1000);
    let verifier = Verifier::new([&*long]).unwrap();
    assert!(
        verifier
            .verify(&headers([signature(&long)]), CHANGE)
            .is_ok()
    );
}

#[test]
fn nothing_that_can_be_printed_shows_a_secret_a_signature_or_a_body() {
    let secret = Secret::new(SECRET).with_label("2024");
    let verifier = Verifier::new([secret.clone()]).unwrap();
    let genuine = headers([signature(SECRET)]);
    let matched = verifier.verify(&genuine, CHANGE).unwrap();
    let delivery = Delivery::verify(&verifier, &genuine, CHANGE.into()).unwrap();
    let layer = CronofyWebhookLayer::from_verifier(verifier.clone());
    let refused = verifier.verify(&headers([WRONG]), CHANGE).unwrap_err();

    for (printed, tells) in [
        (format!("{secret:?}"), "2024"),
        (format!("{verifier:?}"), "2024"),
        (format!("{layer:?}"), "2024"),
        (format!("{matched:?}"), "2024"),
        (format!("{delivery:?}"), "2024"),
        (format!("{delivery:?}"), "change"),
        (format!("{refused:?}"), "Mismatch"),
        (refused.to_string(), "tried: 1"),
    ] {
        assert!(printed.contains(tells), "{printed}");
        for private in ["CRN_", &signature(SECRET), WRONG, "callback_url", "chn_"] {
            assert!(!printed.contains(private), "{printed}");
        }
    }
}
