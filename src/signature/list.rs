//! The list of signatures in the header.

use std::iter;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{GetAll, HeaderValue};
use memchr::memchr;
use subtle::{Choice, ConstantTimeEq as _};

use super::HEADER;

/// Length of an HMAC-SHA256, in bytes.
pub(super) const MAC_LEN: usize = 32;

/// Length of the padded Base64 of an HMAC-SHA256, in characters.
const ENCODED_LEN: usize = 44;

/// An HMAC-SHA256, in words, of which there are fewer to compare than bytes.
pub(super) type Tag = [u64; MAC_LEN / size_of::<u64>()];

/// Whether `headers` list anything at all as a signature, be it genuine or not.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    !List::of(headers).is_empty()
}

/// The lines of the header, which are one list.
pub(super) struct List<'a>(GetAll<'a, HeaderValue>);

impl<'a> List<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        Self(headers.get_all(HEADER))
    }

    pub(super) fn is_empty(&self) -> bool {
        let blank = |byte: &u8| matches!(byte, b',' | b' ' | b'\t');
        self.0.iter().all(|line| line.as_bytes().iter().all(blank))
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .flat_map(|line| split_at_commas(line.as_bytes()))
            .map(<[u8]>::trim_ascii)
            .filter(|member| !member.is_empty())
    }
}

fn split_at_commas(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    iter::from_fn(move || {
        let line = rest?;
        match memchr(b',', line) {
            Some(comma) => {
                rest = Some(&line[comma + 1..]);
                Some(&line[..comma])
            }
            None => rest.take(),
        }
    })
}

pub(super) fn decode(member: &[u8]) -> Option<Tag> {
    if member.len() != ENCODED_LEN {
        return None;
    }
    let mut decoded = [0; MAC_LEN];
    match STANDARD.decode_slice(member, &mut decoded) {
        Ok(MAC_LEN) => Some(tag(&decoded)),
        _ => None,
    }
}

pub(super) fn tag(bytes: &[u8; MAC_LEN]) -> Tag {
    let mut tag = Tag::default();
    for (word, bytes) in tag.iter_mut().zip(bytes.chunks_exact(size_of::<u64>())) {
        *word = u64::from_ne_bytes(bytes.try_into().expect("a chunk is a word"));
    }
    tag
}

/// Whether the two are equal, found in the same time wherever they differ.
pub(super) fn equal(a: &Tag, b: &Tag) -> Choice {
    let differing = a.iter().zip(b).fold(0, |bits, (a, b)| bits | (a ^ b));
    differing.ct_eq(&0)
}
