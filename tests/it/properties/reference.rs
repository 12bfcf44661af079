//! A reference implementation of the signature check, independent of the library.

use cronofy_webhook::signature::{HEADER, SignatureError, SignatureMatch};
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

const NOT_HELD: &str = "CRN_not held";

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

type Tag = [u8; 32];

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted {
        index: usize,
        unknown_signatures: usize,
        unused_secrets: Vec<usize>,
    },
    Missing,
    Malformed {
        listed: usize,
    },
    Mismatch {
        listed: usize,
        malformed: usize,
        tried: usize,
    },
}

impl From<&SignatureMatch> for Verdict {
    fn from(signature: &SignatureMatch) -> Self {
        Self::Accepted {
            index: signature.index(),
            unknown_signatures: signature.unknown_signatures(),
            unused_secrets: signature.unused_secrets().map(|(index, _)| index).collect(),
        }
    }
}

impl From<&SignatureError> for Verdict {
    fn from(error: &SignatureError) -> Self {
        match *error {
            SignatureError::Missing => Self::Missing,
            SignatureError::Malformed { listed, .. } => Self::Malformed { listed },
            SignatureError::Mismatch {
                listed,
                malformed,
                tried,
                ..
            } => Self::Mismatch {
                listed,
                malformed,
                tried,
            },
            ref other => panic!("{other}"),
        }
    }
}

pub(crate) fn is_blank(secret: &str) -> bool {
    !secret.chars().any(|c| ('!'..='~').contains(&c))
}

pub(crate) fn verdict(secrets: &[&str], headers: &HeaderMap, body: &[u8]) -> Verdict {
    let items = items(headers);
    if items.is_empty() {
        return Verdict::Missing;
    }
    let signatures: Vec<Tag> = items.iter().filter_map(|item| decode(item)).collect();
    if signatures.is_empty() {
        return Verdict::Malformed {
            listed: items.len(),
        };
    }
    let tags: Vec<Tag> = secrets.iter().map(|secret| tag(secret, body)).collect();
    match tags.iter().position(|tag| signatures.contains(tag)) {
        Some(index) => Verdict::Accepted {
            index,
            unknown_signatures: signatures.iter().filter(|s| !tags.contains(s)).count(),
            unused_secrets: (0..tags.len())
                .filter(|index| !signatures.contains(&tags[*index]))
                .collect(),
        },
        None => Verdict::Mismatch {
            listed: items.len(),
            malformed: items.len() - signatures.len(),
            tried: secrets.len(),
        },
    }
}

/// Expands a text into header lines; what a header value cannot hold is skipped.
///
/// A line feed starts a new line. `$`, `&`, `!` and `?` are the signatures of the body by the first four secrets, and
/// `%` is one by an unknown secret. `~`, `^` and `*` are malformed variants of the first: in the URL alphabet, with
/// an excess bit, and without padding.
pub(crate) fn headers(text: &[u8], secrets: &[&str], body: &[u8]) -> HeaderMap {
    let by = |index: usize| Some(signature(secrets.get(index)?, body));
    let expand = |mark: &u8| {
        let signature = match mark {
            b'$' => by(0),
            b'&' => by(1),
            b'!' => by(2),
            b'?' => by(3),
            b'%' => Some(signature(NOT_HELD, body)),
            b'~' | b'^' | b'*' => by(0).map(|genuine| malformed(*mark, genuine)),
            _ => None,
        };
        signature.unwrap_or(vec![*mark])
    };
    text.split(|byte| *byte == b'\n')
        .map(|line| line.iter().flat_map(expand).collect::<Vec<u8>>())
        .filter_map(|line| Some((HEADER, HeaderValue::from_bytes(&line).ok()?)))
        .collect()
}

fn malformed(mark: u8, mut signature: Vec<u8>) -> Vec<u8> {
    match mark {
        b'~' => {
            for symbol in &mut signature {
                *symbol = match *symbol {
                    b'+' => b'-',
                    b'/' => b'_',
                    other => other,
                };
            }
        }
        b'^' => {
            let last = ALPHABET.iter().position(|known| *known == signature[42]);
            signature[42] = ALPHABET[last.expect("a symbol") + 1];
        }
        _ => drop(signature.pop()),
    }
    signature
}

/// The Base64 of the HMAC of this body under this secret.
pub(crate) fn signature(secret: &str, body: &[u8]) -> Vec<u8> {
    let mut bits: Vec<u8> = tag(secret, body)
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    bits.extend([0, 0]);
    let mut text: Vec<u8> = bits
        .chunks(6)
        .map(|bits| ALPHABET[usize::from(number(bits))])
        .collect();
    text.push(b'=');
    text
}

/// HMAC-SHA256 as in RFC 2104.
fn tag(secret: &str, body: &[u8]) -> Tag {
    let hashed = Sha256::digest(secret);
    let secret = match secret.as_bytes() {
        long @ [_, ..] if long.len() > 64 => &hashed[..],
        short => short,
    };
    let mut key = [0; 64];
    key[..secret.len()].copy_from_slice(secret);
    let inner = Sha256::digest([&key.map(|byte| byte ^ 0x36)[..], body].concat());
    Sha256::digest([&key.map(|byte| byte ^ 0x5c)[..], &inner].concat()).into()
}

fn items(headers: &HeaderMap) -> Vec<Vec<u8>> {
    let mut items = Vec::new();
    for line in headers.get_all(HEADER) {
        for item in line.as_bytes().split(|byte| *byte == b',') {
            let mut item = item;
            while let [b' ' | b'\t', rest @ ..] = item {
                item = rest;
            }
            while let [rest @ .., b' ' | b'\t'] = item {
                item = rest;
            }
            if !item.is_empty() {
                items.push(item.to_vec());
            }
        }
    }
    items
}

/// Base64 of 32 bytes: 43 symbols of 6 bits, of which the last two are zero, and one `=`.
fn decode(item: &[u8]) -> Option<Tag> {
    let (b'=', symbols) = item.split_last()? else {
        return None;
    };
    if symbols.len() != 43 {
        return None;
    }
    let mut bits = Vec::new();
    for symbol in symbols {
        let value = ALPHABET.iter().position(|known| known == symbol)?;
        bits.extend((0..6).rev().map(|bit| (value >> bit & 1) as u8));
    }
    let bytes: Vec<u8> = match &bits[..] {
        [bits @ .., 0, 0] => bits.chunks(8).map(number).collect(),
        _ => return None,
    };
    bytes.try_into().ok()
}

fn number(bits: &[u8]) -> u8 {
    bits.iter().fold(0, |number, bit| number << 1 | bit)
}
