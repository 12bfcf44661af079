//! What a secret may have been changed from, and what is wrong with it at first sight.
//!
//! Every transformation keeps the whole secret: a shortened or case-folded one could be guessed piece by piece by
//! somebody who reads the log.

use std::fmt::Write as _;

use base64::Engine as _;
use zeroize::Zeroizing;

use crate::Mistake;
use crate::encoding::{self, ALPHABETS, Decoded};

type Transformation = fn(&str) -> Option<Decoded>;

/// The transformations that undo a mistake.
pub(crate) const TRANSFORMATIONS: [(Mistake, Transformation); 11] = [
    (Mistake::SecretWhitespace, |secret| copy(trim(secret))),
    (Mistake::SecretQuoted, |secret| {
        copy(trim(unquote(trim(secret))?))
    }),
    (Mistake::SecretBase64, |secret| {
        trimmed(&encoding::base64(trim(secret).as_bytes())?)
    }),
    (Mistake::SecretHex, |secret| {
        trimmed(&encoding::hex(trim(secret).as_bytes())?)
    }),
    (Mistake::SecretPercentEncoded, |secret| {
        trimmed(&encoding::percent(trim(secret).as_bytes(), false)?)
    }),
    (Mistake::SecretWithoutPrefix, |secret| {
        Some(Zeroizing::new([PREFIX, trim(secret).as_bytes()].concat()))
    }),
    (Mistake::SecretDecoded, |secret| encode(secret, 0)),
    (Mistake::SecretDecoded, |secret| encode(secret, 1)),
    (Mistake::SecretDecoded, |secret| encode(secret, 2)),
    (Mistake::SecretDecoded, |secret| encode(secret, 3)),
    (Mistake::SecretDecoded, |secret| {
        let mut hex = Zeroizing::new(String::with_capacity(2 * secret.len()));
        for byte in secret.bytes() {
            write!(hex, "{byte:02x}").ok()?;
        }
        copy(&hex)
    }),
];

/// What a new secret begins with.
const PREFIX: &[u8] = b"CRN_";

/// The secrets that `secret` may stand for. None of them is blank, as anybody could sign with that.
pub(crate) fn variants(secret: &str) -> impl Iterator<Item = (Mistake, Decoded)> {
    TRANSFORMATIONS
        .iter()
        .filter_map(|(mistake, transform)| Some((*mistake, transform(secret)?)))
        .filter(|(_, variant)| {
            !variant.trim_ascii().is_empty() && variant[..] != *secret.as_bytes()
        })
}

/// The mistakes that can be seen from the secret alone. A genuine one shows none of them.
pub(crate) fn visible_mistakes(secret: &str) -> Vec<Mistake> {
    let text = trim(secret);
    let is_text = |decoded: Option<Decoded>| {
        let is_printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        decoded.is_some_and(|decoded| decoded.len() >= 12 && decoded.iter().all(is_printable))
    };
    let is_hex = is_text(encoding::hex(text.as_bytes()));
    let mistakes = [
        (Mistake::SecretWhitespace, text.len() < secret.len()),
        (Mistake::SecretQuoted, unquote(text).is_some()),
        (
            Mistake::SecretBase64,
            !is_hex && is_text(encoding::base64(text.as_bytes())),
        ),
        (Mistake::SecretHex, is_hex),
        (
            Mistake::SecretPercentEncoded,
            text.contains('%') && encoding::percent(text.as_bytes(), false).is_some(),
        ),
        (Mistake::SecretPlaceholder, is_placeholder(text)),
    ];
    mistakes
        .into_iter()
        .filter_map(|(mistake, is_made)| is_made.then_some(mistake))
        .collect()
}

/// A variable that was not replaced, a value of a template, or the secret of another service.
fn is_placeholder(text: &str) -> bool {
    const STARTS: [&str; 9] = [
        "${", "$(", "{{", "%{", "op://", "vault:", "whsec_", "sk_live_", "sk_test_",
    ];
    const WORDS: [&str; 12] = [
        "changeme",
        "clientsecret",
        "cronofyclientsecret",
        "dummy",
        "example",
        "password",
        "placeholder",
        "replaceme",
        "secret",
        "todo",
        "yourclientsecret",
        "yoursecret",
    ];
    let text = unquote(text).unwrap_or(text);
    // Allocated once: a string that grows leaves parts of the secret behind in freed memory.
    let mut word = Zeroizing::new(String::with_capacity(text.len()));
    word.extend(text.chars().filter_map(|c| {
        let is_letter = c.is_ascii_alphanumeric();
        is_letter.then(|| c.to_ascii_lowercase())
    }));
    STARTS.iter().any(|start| text.starts_with(start))
        || text.contains("${")
        || (text.starts_with('<') && text.ends_with('>'))
        || WORDS.contains(&word.as_str())
        || (!word.is_empty() && word.bytes().all(|byte| byte == b'x'))
}

fn trim(secret: &str) -> &str {
    secret.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

fn trimmed(decoded: &[u8]) -> Option<Decoded> {
    let text = decoded.strip_prefix(b"\xef\xbb\xbf").unwrap_or(decoded);
    Some(Zeroizing::new(text.trim_ascii().to_vec()))
}

fn unquote(text: &str) -> Option<&str> {
    ['"', '\'', '`']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
}

fn copy(text: &str) -> Option<Decoded> {
    Some(Zeroizing::new(text.as_bytes().to_vec()))
}

fn encode(secret: &str, form: usize) -> Option<Decoded> {
    let encoded = ALPHABETS[form].engine.encode(secret);
    Some(Zeroizing::new(encoded.into_bytes()))
}
