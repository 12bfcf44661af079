//! What a secret may have been changed from, and what is wrong with it at first sight.
//!
//! Every transformation keeps the whole secret: a shortened or case-folded one could be guessed piece by piece by
//! somebody who reads the log.

use std::fmt::Write as _;

use base64::Engine as _;
use cronofy_webhook::{Secret, Suspicion};
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
        .filter(|(mistake, variant)| {
            // Without its white space it is the variant of another mistake.
            let is_trimmed = variant[..] == *trim(secret).as_bytes();
            !variant.trim_ascii().is_empty()
                && variant[..] != *secret.as_bytes()
                && (!is_trimmed || *mistake == Mistake::SecretWhitespace)
        })
}

/// The mistakes that can be seen from the secret alone. A genuine one shows none of them.
pub(crate) fn visible_mistakes(secret: &Secret) -> Vec<Mistake> {
    let text = trim(secret.expose()).as_bytes();
    let is_text = |decoded: Option<Decoded>| {
        let is_printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        decoded.is_some_and(|decoded| decoded.len() >= 12 && decoded.iter().all(is_printable))
    };
    let is_hex = is_text(encoding::hex(text));
    let is_base64 = !is_hex && is_text(encoding::base64(text));
    let suspicions = secret.suspicions().into_iter();
    suspicions
        .filter_map(|suspicion| match suspicion {
            Suspicion::Whitespace => Some(Mistake::SecretWhitespace),
            Suspicion::Quotes => Some(Mistake::SecretQuoted),
            Suspicion::Assignment => Some(Mistake::SecretAssignment),
            Suspicion::Placeholder => Some(Mistake::SecretPlaceholder),
            Suspicion::Reference => Some(Mistake::SecretReference),
            Suspicion::Structure if encoding::percent(text, false).is_some() => {
                Some(Mistake::SecretPercentEncoded)
            }
            Suspicion::Structure => Some(Mistake::SecretStructure),
            _ => None,
        })
        .chain(is_hex.then_some(Mistake::SecretHex))
        .chain(is_base64.then_some(Mistake::SecretBase64))
        .collect()
}

fn trim(secret: &str) -> &str {
    secret.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

fn trimmed(decoded: &[u8]) -> Option<Decoded> {
    let text = decoded.strip_prefix(b"\xef\xbb\xbf").unwrap_or(decoded);
    Some(Zeroizing::new(text.trim_ascii().to_vec()))
}

fn unquote(text: &str) -> Option<&str> {
    [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’')]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
}

fn copy(text: &str) -> Option<Decoded> {
    Some(Zeroizing::new(text.as_bytes().to_vec()))
}

fn encode(secret: &str, form: usize) -> Option<Decoded> {
    let encoded = ALPHABETS[form].engine.encode(secret);
    Some(Zeroizing::new(encoded.into_bytes()))
}
