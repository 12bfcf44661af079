//! The list of signatures in the header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

use super::HEADER;

/// Length of an HMAC-SHA256, in bytes.
pub(super) const MAC_LEN: usize = 32;

/// Length of the padded Base64 of an HMAC-SHA256, in characters.
const ENCODED_LEN: usize = 44;

/// Whether `headers` list any value as a signature, valid or not.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    // As `items` would find, with less work.
    let is_item = |byte: &u8| *byte != b',' && !byte.is_ascii_whitespace();
    let mut lines = headers.get_all(HEADER).iter();
    lines.any(|line| line.as_bytes().iter().any(is_item))
}

/// What one line of the header lists.
pub(super) fn items(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|item| !item.is_empty())
}

#[inline]
pub(super) fn decode(item: &[u8]) -> Option<[u8; MAC_LEN]> {
    if item.len() != ENCODED_LEN {
        return None;
    }
    let mut decoded = [0; MAC_LEN];
    match STANDARD.decode_slice(item, &mut decoded) {
        Ok(MAC_LEN) => Some(decoded),
        _ => None,
    }
}
