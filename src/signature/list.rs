//! The list of signatures in the header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

use super::HEADER;

/// Length of an HMAC-SHA256, in bytes.
pub(super) const MAC_LEN: usize = 32;

/// Length of the padded Base64 of an HMAC-SHA256, in characters.
const ENCODED_LEN: usize = 44;

/// An HMAC-SHA256. In words, as a comparison in constant time takes as long for a word as for a byte.
pub(super) type Tag = [u64; MAC_LEN / size_of::<u64>()];

/// Whether `headers` list anything at all as a signature, be it genuine or not.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    members(headers).next().is_some()
}

pub(super) fn members(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(HEADER)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

pub(super) fn decode(member: &[u8]) -> Option<Tag> {
    if member.len() != ENCODED_LEN {
        return None;
    }
    let mut decoded = [0; MAC_LEN];
    match STANDARD.decode_slice(member, &mut decoded) {
        Ok(MAC_LEN) => Some(words(&decoded)),
        _ => None,
    }
}

pub(super) fn words(bytes: &[u8; MAC_LEN]) -> Tag {
    let mut words = Tag::default();
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(size_of::<u64>())) {
        *word = u64::from_ne_bytes(bytes.try_into().expect("a chunk is a word"));
    }
    words
}
