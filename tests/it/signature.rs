//! Only authentic deliveries are accepted: `Verifier` alone, and the published signatures through the layer as well.

use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::signature::{HEADER, SignatureError};
use cronofy_webhook::{
    CronofyWebhookLayer, Delivery, Overrun, RejectionKind, Secret, SecretError, Verifier,
};
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
fn verifier_agrees_with_published_signatures() {
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
async fn layer_agrees_with_published_signatures() {
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
fn sign_returns_the_published_value() {
    let body = br#"{"example":"well-known"}"#;
    let verifier = Verifier::new([SECRET, OTHER_SECRET]).unwrap();
    assert_eq!(
        verifier.sign(body),
        "5DxentQi5YSXODEzTVv06sRwJ3pULIz1KrYv20qxEK0=,BmQmWVuZ70ILWjr1CAt5oC7YOolgnku4WZtlrKfx/6k="
    );
}

#[test]
fn one_matching_signature_suffices() {
    let (ours, theirs) = (signature(SECRET), signature(OTHER_SECRET));
    assert_eq!(verify(&[&format!("{ours},{theirs}")]), Ok(()));
    assert_eq!(verify(&[&format!("{theirs},{ours}")]), Ok(()));
    assert_eq!(verify(&[&format!("{WRONG},{theirs},{ours}")]), Ok(()));
}

#[test]
fn header_lines_form_one_list() {
    let (ours, theirs) = (signature(SECRET), signature(OTHER_SECRET));
    assert_eq!(verify(&[&theirs, &ours]), Ok(()));
    assert_eq!(
        verify(&["", &format!("{WRONG},"), &format!(" ,{ours}")]),
        Ok(())
    );
}

#[test]
fn spaces_tabs_and_empty_items_are_skipped() {
    let ours = signature(SECRET);
    assert_eq!(verify(&[&format!(" \t{ours}\t ,,  ,")]), Ok(()));
}

#[test]
fn a_malformed_item_does_not_affect_a_valid_one() {
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
fn raw_lines_form_one_list() {
    let verify = |lines: &[&[u8]]| {
        let body = Bytes::from_static(CHANGE);
        Delivery::verify_raw(&verifier(), lines, body).map(|delivery| {
            let signature = delivery.signature();
            (signature.index(), signature.unknown_signatures())
        })
    };
    let ours = signature(SECRET);
    let theirs = signature(OTHER_SECRET);
    let both = format!("{theirs} ,{ours}");
    let lines = [theirs.as_bytes(), ours.as_bytes()];
    assert_eq!(verify(&lines).unwrap(), (0, 1));
    assert_eq!(verify(&[both.as_bytes()]).unwrap(), (0, 1));
    // Bytes that no `http::HeaderValue` holds.
    assert_eq!(
        verify(&[b"\0\xff", b"\r\n", ours.as_bytes()]).unwrap(),
        (0, 0)
    );

    let kind = |lines: &[&[u8]]| verify(lines).unwrap_err().kind();
    assert_eq!(kind(&[]), RejectionKind::SignatureMissing);
    assert_eq!(kind(&[b"", b" ,\r\n"]), RejectionKind::SignatureMissing);
    assert_eq!(kind(&[b"\0"]), RejectionKind::SignatureMalformed);
    let wrong = [WRONG.as_bytes(), theirs.as_bytes()];
    assert_eq!(kind(&wrong), RejectionKind::SignatureMismatch);
}

#[test]
fn only_canonical_padded_standard_base64_is_a_signature() {
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
fn a_flipped_bit_in_the_signature_is_rejected() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let ours = STANDARD.decode(signature(SECRET)).unwrap();
    for bit in 0..256 {
        let mut forged = ours.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&[&STANDARD.encode(forged)]).is_err(), "bit {bit}");
    }
}

// The differences must not cancel each other out where a comparison accumulates them.
#[test]
fn differences_that_cancel_out_are_rejected() {
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
fn a_changed_byte_in_the_body_is_rejected() {
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
fn errors_count_what_was_listed_and_tried() {
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
        "no signature in Cronofy-HMAC-SHA256 matches this body and the configured client secrets \
         (listed: 2, of which malformed: 1; secrets tried: 2)"
    );
}

#[test]
fn a_match_reports_unknown_signatures_and_unused_secrets() {
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
fn a_secret_without_a_label_has_an_index() {
    let server = Verifier::new(["first", SECRET]).unwrap();
    let matched = server
        .verify(&headers([signature(SECRET)]), CHANGE)
        .unwrap();
    assert_eq!((matched.index(), matched.label()), (1, None));
    assert_eq!(matched.unknown_signatures(), 0);
}

#[test]
fn replace_applies_to_clones() {
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
fn a_failed_replace_keeps_the_secrets() {
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
async fn replace_applies_to_a_layer_in_use() {
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
fn an_empty_set_of_secrets_is_an_error() {
    assert_eq!(Verifier::new([""; 0]).unwrap_err(), SecretError::NoSecrets);
}

// HMAC pads its key with NULs: as a secret they equal the empty one.
#[test]
fn a_secret_without_a_visible_ascii_character_is_blank() {
    let blank = [
        "",
        " ",
        "\r\n",
        "\0",
        "\u{7f}\u{80}",
        "\u{a0}\t",
        "\u{ad}",
        "\u{180e}",
        "\u{200b}\u{200d}",
        "\u{2028}\u{3000}",
        "\u{feff}",
        "\u{e0041}",
        "\u{e000}",
        "é€",
        "\0 \u{ad}\u{feff}\n",
    ];
    for blank in blank {
        let error = Verifier::new([SECRET, blank]).unwrap_err();
        assert!(
            matches!(error, SecretError::Blank { index: 1, .. }),
            "{blank:?}: {error}"
        );
        assert!(Verifier::new([format!("{blank}x{blank}")]).is_ok());
    }
}

#[test]
fn secret_errors_print_a_sentence_as_debug_too() {
    let error = Verifier::new([""]).unwrap_err();
    let sentence = "the Cronofy client secret at index 0 is blank: \
                    set the client secret of the application, as the Cronofy dashboard shows it";
    assert_eq!(error.to_string(), sentence);
    assert_eq!(
        format!("{:?}", Box::<dyn std::error::Error>::from(error)),
        sentence
    );
}

#[test]
fn secrets_come_from_strings_and_are_deserialised() {
    #[derive(Deserialize)]
    struct Config {
        client_secret: Secret,
    }
    let owned = SECRET.to_owned();
    let config: Config =
        serde_json::from_str(&format!(r#"{{"client_secret":"{SECRET}"}}"#)).unwrap();
    for secret in [
        Secret::from(SECRET),
        Secret::from(&owned),
        config.client_secret,
    ] {
        let verifier = Verifier::new([secret]).unwrap();
        assert_eq!(verifier.sign(CHANGE), signature(SECRET));
    }
    assert!(Verifier::new(&[owned]).is_ok());
    let error = serde_json::from_str::<Secret>("20041889").unwrap_err();
    assert!(!error.to_string().contains("20041889"), "{error}");
}

/// What `from_env` says in a process with this value of the variable. The test below is that process.
fn from_env(value: Option<&std::ffi::OsStr>) -> String {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args([
        "signature::print_from_env",
        "--exact",
        "--ignored",
        "--nocapture",
    ]);
    child.env_remove(VARIABLE);
    child.envs(value.map(|value| (VARIABLE, value)));
    let output = child.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let line = printed
        .lines()
        .find_map(|line| line.split_once("from_env: "));
    line.unwrap_or_else(|| panic!("{printed}")).1.to_owned()
}

const VARIABLE: &str = "CRONOFY_TEST_SECRET";

#[test]
#[ignore = "run by the tests of `from_env`, in a process of their own"]
fn print_from_env() {
    match Verifier::from_env(VARIABLE) {
        Ok(verifier) => println!("\nfrom_env: {}", verifier.sign(CHANGE).to_str().unwrap()),
        Err(error) => println!("\nfrom_env: {error:?}"),
    }
}

#[test]
fn from_env_reads_a_comma_separated_list() {
    assert_eq!(from_env(Some(SECRET.as_ref())), signature(SECRET));
    let both = format!("{SECRET}, {OTHER_SECRET}\n");
    let signatures = format!("{},{}", signature(SECRET), signature(OTHER_SECRET));
    assert_eq!(from_env(Some(both.as_ref())), signatures);
}

#[test]
fn from_env_errors_name_the_variable_and_not_the_value() {
    const SET: &str =
        ": set the client secret of the application, as the Cronofy dashboard shows it";
    let blank = |item| {
        format!(
            "the environment variable {VARIABLE} is blank, or item {item} of its comma-separated list is{SET}"
        )
    };
    assert_eq!(
        from_env(None),
        format!("the environment variable {VARIABLE} is not set{SET}")
    );
    for (value, item) in [
        ("", 1),
        (" ", 1),
        (",CRN_x", 1),
        ("CRN_x,", 2),
        ("CRN_x,\u{feff},CRN_y", 2),
    ] {
        assert_eq!(from_env(Some(value.as_ref())), blank(item), "{value:?}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let value = std::ffi::OsStr::from_bytes(b"CRN_\xff");
        assert_eq!(
            from_env(Some(value)),
            format!("the environment variable {VARIABLE} is not Unicode{SET}")
        );
    }
}

#[test]
#[should_panic(expected = "set the client secret of the application")]
fn a_layer_panics_on_a_blank_secret() {
    let _ = CronofyWebhookLayer::new(" \n");
}

#[test]
fn a_secret_is_not_trimmed() {
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
fn a_secret_may_be_longer_than_a_hash_block() {
    let long = "s".repeat(1000);
    let verifier = Verifier::new([&*long]).unwrap();
    assert!(
        verifier
            .verify(&headers([signature(&long)]), CHANGE)
            .is_ok()
    );
}

#[test]
fn debug_output_hides_secrets_signatures_and_bodies() {
    let secret = Secret::new(SECRET).with_label("2024");
    let verifier = Verifier::new([secret.clone()]).unwrap();
    let genuine = headers([signature(SECRET)]);
    let matched = verifier.verify(&genuine, CHANGE).unwrap();
    let delivery = Delivery::verify(&verifier, &genuine, CHANGE.into()).unwrap();
    let layer = CronofyWebhookLayer::from_verifier(verifier.clone());
    let rejected = verifier.verify(&headers([WRONG]), CHANGE).unwrap_err();

    for (printed, tells) in [
        (format!("{secret:?}"), "2024"),
        (format!("{verifier:?}"), "2024"),
        (format!("{layer:?}"), "2024"),
        (format!("{matched:?}"), "2024"),
        (format!("{delivery:?}"), "2024"),
        (format!("{delivery:?}"), "change"),
        (format!("{rejected:?}"), "Mismatch"),
        (rejected.to_string(), "tried: 1"),
    ] {
        assert!(printed.contains(tells), "{printed}");
        for private in ["CRN_", &signature(SECRET), WRONG, "callback_url", "chn_"] {
            assert!(!printed.contains(private), "{printed}");
        }
    }
}

#[test]
fn debug_of_the_layer_shows_every_setting() {
    let layer = CronofyWebhookLayer::new(SECRET)
        .budget(Duration::from_millis(3500))
        .body_limit(1234)
        .overrun(Overrun::Accept)
        .grace(Duration::from_secs(17))
        .public_url("https://receiver.example".parse().unwrap())
        .on_mismatch(|_| {});
    let printed = format!("{layer:?}");
    for setting in [
        "budget: 3.5s",
        "body_limit: 1234",
        "overrun: Accept",
        "grace: 17s",
        "background: Background",
        "public_url: Some(PublicUrl",
        "receiver.example",
        "on_mismatch: Some(",
    ] {
        assert!(printed.contains(setting), "{setting} in {printed}");
    }
}
