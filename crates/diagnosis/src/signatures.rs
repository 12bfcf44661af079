//! What the header lists, decoded in more forms than the check accepts.

use http::HeaderMap;

use crate::Mistake;
use crate::encoding::{ALPHABETS, hex};
use cronofy_webhook::signature::HEADER;

pub(crate) const TAG_LEN: usize = 32;

pub(crate) type Tag = [u8; TAG_LEN];

/// The signatures that the header lists.
#[derive(Default)]
pub(crate) struct Signatures {
    pub(crate) tags: Vec<Listed>,
    /// Whether something has the length of a SHA-1 or SHA-512.
    pub(crate) is_other_hash: bool,
}

/// A listed HMAC-SHA256, and in which ways its form is not that of Cronofy.
pub(crate) struct Listed {
    pub(crate) tag: Tag,
    pub(crate) mistakes: Vec<Mistake>,
}

impl Signatures {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut signatures = Self::default();
        let lines = headers.get_all(HEADER).iter();
        for value in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')) {
            let parts = || {
                let is_separator = |byte: &u8| *byte == b';' || byte.is_ascii_whitespace();
                value.split(is_separator).filter(|part| !part.is_empty())
            };
            let is_joined = parts().count() > 1;
            for part in parts() {
                signatures.add(part, is_joined);
            }
        }
        signatures
    }

    fn add(&mut self, part: &[u8], is_joined: bool) {
        let unquoted = trim_quotes(part);
        let unprefixed = without_prefix(unquoted);
        let Some((decoded, form)) = decode(unprefixed.unwrap_or(unquoted)) else {
            return;
        };
        let Ok(tag) = Tag::try_from(&decoded[..]) else {
            self.is_other_hash |= matches!(decoded.len(), 20 | 64);
            return;
        };
        let mistakes = [
            (Mistake::SignatureSeparator, is_joined),
            (Mistake::SignatureQuoted, unquoted.len() < part.len()),
            (Mistake::SignaturePrefixed, unprefixed.is_some()),
        ];
        let mistakes = mistakes
            .into_iter()
            .filter_map(|(mistake, is_made)| is_made.then_some(mistake))
            .chain(form)
            .collect();
        self.tags.push(Listed { tag, mistakes });
    }
}

fn trim_quotes(mut part: &[u8]) -> &[u8] {
    while let [b'"' | b'\'', rest @ ..] | [rest @ .., b'"' | b'\''] = part {
        part = rest;
    }
    part
}

fn without_prefix(part: &[u8]) -> Option<&[u8]> {
    [&b"sha256="[..], b"sha1=", b"sha512="]
        .iter()
        .find_map(|prefix| {
            let (start, rest) = part.split_at_checked(prefix.len())?;
            start.eq_ignore_ascii_case(prefix).then_some(rest)
        })
}

fn decode(text: &[u8]) -> Option<(Vec<u8>, Vec<Mistake>)> {
    if matches!(text.len(), 40 | 64 | 128)
        && let Some(decoded) = hex(text)
    {
        return Some((decoded.to_vec(), vec![Mistake::SignatureHex]));
    }
    let (form, decoded) = ALPHABETS
        .iter()
        .find_map(|form| Some((form, form.decode(text)?)))?;
    // Base64 of the hex digits, as cronofy-php 1.5.0 to 1.7.0 computed it.
    if decoded.len() == 2 * TAG_LEN
        && let Some(decoded) = hex(&decoded)
    {
        return Some((decoded.to_vec(), vec![Mistake::SignatureHex]));
    }
    let mut mistakes = Vec::new();
    if form.url_safe {
        mistakes.push(Mistake::SignatureUrlSafe);
    }
    if form.unpadded {
        mistakes.push(Mistake::SignatureUnpadded);
    }
    Some((decoded.to_vec(), mistakes))
}
