//! The mistakes, each made independently of how the library undoes it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use cronofy_webhook::signature::HEADER;
use cronofy_webhook_diagnosis::{Certainty, Mistake};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::json::{Json, STYLES};

/// A delivery, and what the receiver holds.
pub(crate) struct Sent {
    pub(crate) held: Vec<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) strings: Vec<String>,
}

pub(crate) struct Case {
    pub(crate) mistake: Mistake,
    pub(crate) certainty: Certainty,
    /// `None` if the mistake would change nothing.
    pub(crate) make: fn(&str, &Json, u64) -> Option<Sent>,
}

const fn proven(mistake: Mistake, make: fn(&str, &Json, u64) -> Option<Sent>) -> Case {
    Case {
        mistake,
        certainty: Certainty::Proven,
        make,
    }
}

const fn likely(mistake: Mistake, make: fn(&str, &Json, u64) -> Option<Sent>) -> Case {
    Case {
        mistake,
        certainty: Certainty::Likely,
        make,
    }
}

pub(crate) const CASES: &[Case] = &[
    proven(Mistake::SecretWhitespace, |secret, body, seed| {
        let (start, end) = [
            ("", "\n"),
            ("", "\r\n"),
            (" ", ""),
            ("\u{feff}", ""),
            ("\t", " "),
        ][seed as usize % 5];
        held(secret, format!("{start}{secret}{end}"), body, seed)
    }),
    proven(Mistake::SecretQuoted, |secret, body, seed| {
        let quote = ["\"", "'", "`"][seed as usize % 3];
        held(secret, format!("{quote}{secret}{quote}"), body, seed)
    }),
    proven(Mistake::SecretBase64, |secret, body, seed| {
        held(secret, any_base64(secret, seed), body, seed)
    }),
    proven(Mistake::SecretHex, |secret, body, seed| {
        held(secret, hex(secret.as_bytes()), body, seed)
    }),
    proven(Mistake::SecretDecoded, |secret, body, seed| {
        let text = if seed % 5 == 4 {
            hex(secret.as_bytes())
        } else {
            any_base64(secret, seed)
        };
        held(&text, secret.to_owned(), body, seed)
    }),
    proven(Mistake::SecretWithoutPrefix, |secret, body, seed| {
        held(&format!("CRN_{secret}"), secret.to_owned(), body, seed)
    }),
    proven(Mistake::SecretPercentEncoded, |secret, body, seed| {
        let secret = format!("{secret}/+=");
        held(&secret, secret.bytes().map(percent).collect(), body, seed)
    }),
    likely(Mistake::SecretPlaceholder, |secret, body, seed| {
        let placeholder = [
            "changeme",
            "whsec_c2VjcmV0",
            "<fill me in>",
            "YOUR_CLIENT_SECRET",
            "CRN_****************",
        ][seed as usize % 5];
        held(secret, placeholder.to_owned(), body, seed)
    }),
    likely(Mistake::SecretAssignment, |secret, body, seed| {
        let name = ["APP_KEY=", "export APP_KEY=", "app_key: "][seed as usize % 3];
        held(secret, format!("{name}{secret}"), body, seed)
    }),
    likely(Mistake::SecretReference, |secret, body, seed| {
        let reference = ["${CRONOFY_CLIENT_SECRET}", "op://vault/item"][seed as usize % 2];
        held(secret, reference.to_owned(), body, seed)
    }),
    likely(Mistake::SecretStructure, |secret, body, seed| {
        let value = match seed % 4 {
            0 => format!("{{\"CRONOFY_CLIENT_SECRET\":\"{secret}\"}}"),
            1 => format!("cZk3xv2Hn0Jx:{secret}"),
            2 => format!("{secret} # production"),
            _ => format!("{secret}\n{secret}"),
        };
        held(secret, value, body, seed)
    }),
    proven(Mistake::BodyReserialised, |secret, body, seed| {
        let (sent, seen) = (body.text(seed), body.text(seed / STYLES));
        // A newline alone is another mistake.
        (sent.trim_end() != seen.trim_end()).then(|| rewritten(secret, sent, seen, body))
    }),
    proven(Mistake::BodyReserialised, |secret, body, seed| {
        let (sent, seen) = (body.text(seed), body.by_php().text(seed / STYLES));
        let is_lossless = body.by_php() != *body && !sent.contains("[]");
        is_lossless.then(|| rewritten(secret, sent, seen, body))
    }),
    proven(Mistake::BodyKeysReordered, |secret, body, seed| {
        let sorted = body.sorted();
        let is_documented = sorted != *body && documented(body);
        is_documented.then(|| rewritten(secret, body.text(seed), sorted.text(seed / STYLES), body))
    }),
    likely(Mistake::BodyKeysReordered, |secret, body, seed| {
        let Json::Object(fields) = body else {
            return None;
        };
        // A field that no documentation shows, before the others.
        let extra = ("zebra crossing".to_owned(), Json::Flag(true));
        let other = Json::Object([extra].into_iter().chain(fields.clone()).collect());
        let seen = other.sorted();
        (documented(body) && body.sorted() != *body)
            .then(|| rewritten(secret, other.text(seed), seen.text(seed / STYLES), body))
    }),
    proven(Mistake::BodyNewline, |secret, body, seed| {
        let text = body.text(seed);
        let (sent, seen) = match seed / STYLES % 6 {
            0 => (text.clone(), text + "\n"),
            1 => (text.clone(), text + "\r\n"),
            2 => (text.clone() + "\n", text),
            3 => (text.clone() + "\r\n", text),
            4 => (text.clone(), text.replace('\n', "\r\n")),
            _ => (text.replace('\n', "\r\n"), text),
        };
        (sent != seen).then(|| rewritten(secret, sent, seen, body))
    }),
    proven(Mistake::BodyByteOrderMark, |secret, body, seed| {
        let text = body.text(seed);
        let marked = format!("\u{feff}{text}");
        Some(match seed / STYLES % 2 {
            0 => rewritten(secret, text, marked, body),
            _ => rewritten(secret, marked, text, body),
        })
    }),
    proven(Mistake::BodyLatin1, |secret, body, seed| {
        let sent = body.text(seed);
        let seen = match seed / STYLES % 2 {
            0 => sent
                .bytes()
                .map(char::from)
                .collect::<String>()
                .into_bytes(),
            _ => sent
                .chars()
                .map(|c| u8::try_from(c).ok())
                .collect::<Option<_>>()?,
        };
        (seen != sent.as_bytes()).then(|| rewritten(secret, sent, seen, body))
    }),
    proven(Mistake::BodyBase64, |secret, body, seed| {
        let sent = body.text(seed);
        let seen = STANDARD.encode(&sent);
        Some(rewritten(secret, sent, seen, body))
    }),
    proven(Mistake::BodyFormEncoded, |secret, body, seed| {
        let sent = body.text(seed);
        let encode = |byte| {
            if byte == b' ' {
                "+".to_owned()
            } else {
                percent(byte)
            }
        };
        let value: String = sent.bytes().map(encode).collect();
        let seen = match seed / STYLES % 2 {
            0 => format!("payload={value}"),
            _ => format!("a=1&payload={value}&b=2"),
        };
        Some(rewritten(secret, sent, seen, body))
    }),
    proven(Mistake::BodyJsonString, |secret, body, seed| {
        let sent = body.text(seed);
        let seen = serde_json::to_string(&sent).unwrap();
        Some(rewritten(secret, sent, seen, body))
    }),
    likely(Mistake::BodyEmptied, |secret, body, seed| {
        let mut sent = rewritten(secret, body.text(seed), "", body);
        sent.headers.insert("content-length", 236.into());
        Some(sent)
    }),
    likely(Mistake::BodyLength, |secret, body, seed| {
        let mut sent = foreign(secret, body.text(seed), body);
        sent.headers.insert(
            "content-length",
            (sent.body.len() + 1 + seed as usize % 9).into(),
        );
        Some(sent)
    }),
    likely(Mistake::BodyCompressed, |secret, body, seed| {
        let magic: &[u8] = [&b"\x1f\x8b\x08"[..], b"\x28\xb5\x2f\xfd"][seed as usize % 2];
        Some(foreign(
            secret,
            [magic, body.text(seed).as_bytes()].concat(),
            body,
        ))
    }),
    likely(Mistake::BodyReplacementCharacter, |secret, body, seed| {
        let sent = body.text(seed);
        let seen: String = sent
            .chars()
            .map(|c| if c.is_ascii() { c } else { '\u{fffd}' })
            .collect();
        (seen != sent).then(|| rewritten(secret, sent, seen, body))
    }),
    proven(Mistake::SignatureHex, |secret, body, seed| {
        let text = body.text(seed);
        let hex = hex(&tag(secret.as_bytes(), text.as_bytes()));
        let header = match seed / STYLES % 3 {
            0 => hex,
            1 => hex.to_uppercase(),
            _ => base64(hex.as_bytes()),
        };
        Some(listed(secret, text, &header, body))
    }),
    proven(Mistake::SignaturePrefixed, |secret, body, seed| {
        let text = body.text(seed);
        let tag = tag(secret.as_bytes(), text.as_bytes());
        let signature = [hex(&tag), base64(&tag)][seed as usize % 2].clone();
        Some(listed(secret, text, &format!("sha256={signature}"), body))
    }),
    proven(Mistake::SignatureUrlSafe, |secret, body, seed| {
        let text = body.text(seed);
        let tag = tag(secret.as_bytes(), text.as_bytes());
        let signature = URL_SAFE.encode(tag);
        (signature != base64(&tag)).then(|| listed(secret, text, &signature, body))
    }),
    proven(Mistake::SignatureUnpadded, |secret, body, seed| {
        let text = body.text(seed);
        let tag = tag(secret.as_bytes(), text.as_bytes());
        let signature = match seed % 2 {
            0 => STANDARD_NO_PAD.encode(tag),
            _ => URL_SAFE_NO_PAD.encode(tag),
        };
        Some(listed(secret, text, &signature, body))
    }),
    proven(Mistake::SignatureQuoted, |secret, body, seed| {
        let text = body.text(seed);
        let quote = ["\"", "'"][seed as usize % 2];
        let signature = base64(&tag(secret.as_bytes(), text.as_bytes()));
        Some(listed(
            secret,
            text,
            &format!("{quote}{signature}{quote}"),
            body,
        ))
    }),
    proven(Mistake::SignatureSeparator, |secret, body, seed| {
        let text = body.text(seed);
        let separator = [";", " ", "; "][seed as usize % 3];
        let by = |secret: &str| base64(&tag(secret.as_bytes(), text.as_bytes()));
        let signatures = [by(secret), by("CRN_another")].join(separator);
        Some(listed(secret, text.clone(), &signatures, body))
    }),
    likely(Mistake::SignatureOtherHash, |secret, body, seed| {
        let hash = vec![seed as u8; [20, 64][seed as usize % 2]];
        let header = match seed / 2 % 3 {
            0 => hex(&hash),
            1 => format!("sha{}={}", [1, 512][seed as usize % 2], hex(&hash)),
            _ => base64(&hash),
        };
        // The Base64 of 64 hex digits is another mistake.
        (!hash[0].is_ascii_hexdigit()).then(|| listed(secret, body.text(seed), &header, body))
    }),
    proven(Mistake::KeyAndMessageSwapped, |secret, body, seed| {
        let text = body.text(seed);
        let signature = base64(&tag(text.as_bytes(), secret.as_bytes()));
        Some(listed(secret, text, &signature, body))
    }),
    proven(Mistake::PlainSha256, |secret, body, seed| {
        let text = body.text(seed);
        let hashed = match seed / STYLES % 3 {
            0 => text.clone(),
            1 => format!("{secret}{text}"),
            _ => format!("{text}{secret}"),
        };
        let signature = base64(&Sha256::digest(hashed));
        Some(listed(secret, text, &signature, body))
    }),
    likely(Mistake::OtherProvider, |secret, body, seed| {
        let mut sent = foreign(secret, body.text(seed), body);
        let names = ["stripe-signature", "x-hub-signature-256", "svix-signature"];
        sent.headers
            .insert(names[seed as usize % 3], "t=1,v1=2".parse().unwrap());
        if seed % 2 == 0 {
            sent.headers.remove(HEADER);
        }
        Some(sent)
    }),
    Case {
        mistake: Mistake::OtherApplication,
        certainty: Certainty::Possible,
        make: |secret, body, seed| {
            let text = body.text(seed);
            let by =
                |other: &str| base64(&tag(format!("{other}{secret}").as_bytes(), text.as_bytes()));
            let header = [by("a"), by("b")].join(",");
            Some(listed(secret, text.clone(), &header, body))
        },
    },
    likely(Mistake::SecretQuoted, |secret, body, seed| {
        let mut sent = foreign(secret, body.text(seed), body);
        sent.held = vec!["CRN_fine".to_owned(), format!("'{secret}'")];
        Some(sent)
    }),
];

/// A secret as the dashboard makes them, or an older one.
pub(crate) fn secret() -> impl Strategy<Value = String> {
    prop_oneof!["CRN_[A-Za-z0-9]{24,40}", "[A-Za-z0-9+/_-]{24,48}=?"].prop_filter(
        "shows a mistake by chance",
        |secret| {
            let diagnosis = cronofy_webhook_diagnosis::Diagnosis::new([secret.as_str()]).unwrap();
            diagnosis.check_secrets().is_empty()
        },
    )
}

/// Signed with `secret`, received with the secret `held`.
fn held(secret: &str, held: String, body: &Json, seed: u64) -> Option<Sent> {
    let text = body.text(seed / 90);
    let mut sent = listed(
        &held,
        text.clone(),
        &base64(&tag(secret.as_bytes(), text.as_bytes())),
        body,
    );
    sent.held = vec!["CRN_another_secret".to_owned(), held];
    Some(sent)
}

/// Signed as `sent`, received as `seen`.
fn rewritten(secret: &str, sent: impl AsRef<[u8]>, seen: impl Into<Vec<u8>>, body: &Json) -> Sent {
    let signature = base64(&tag(secret.as_bytes(), sent.as_ref()));
    listed(secret, seen, &signature, body)
}

fn foreign(secret: &str, seen: impl Into<Vec<u8>>, body: &Json) -> Sent {
    let seen = seen.into();
    let signature = base64(&tag(b"CRN_foreign", &seen));
    listed(secret, seen, &signature, body)
}

fn listed(secret: &str, seen: impl Into<Vec<u8>>, header: &str, body: &Json) -> Sent {
    Sent {
        held: vec![secret.to_owned()],
        headers: [(HEADER, header.parse().unwrap())].into_iter().collect(),
        body: seen.into(),
        strings: body.strings(),
    }
}

/// Whether all fields are documented; those of a Scheduler's `metadata` and of the unknown type are not.
pub(crate) fn documented(body: &Json) -> bool {
    match body {
        Json::List(items) => items.iter().all(documented),
        Json::Object(fields) => fields.iter().all(|(name, value)| {
            let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
            let is_known = name.len() >= 3 && name.chars().all(is_name);
            is_known && !["an_extra", "a_future_key"].contains(&name.as_str()) && documented(value)
        }),
        _ => true,
    }
}

pub(crate) fn tag(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(message).finalize().into_bytes().into()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn any_base64(text: &str, seed: u64) -> String {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD][seed as usize % 4].encode(text)
}

fn percent(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => char::from(byte).into(),
        _ => format!("%{byte:02X}"),
    }
}
