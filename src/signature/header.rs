//! The list of signatures in the header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{GetAll, HeaderValue};

use super::HEADER;

/// Length of an HMAC-SHA256, in bytes.
pub(super) const MAC_LEN: usize = 32;

/// Length of the padded Base64 of an HMAC-SHA256, in characters.
const ENCODED_LEN: usize = 44;

/// Whether `headers` list any value as a signature, valid or not.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    !List::of(headers).is_empty()
}

/// The lines of the header, which form one list.
pub(super) struct List<'a>(GetAll<'a, HeaderValue>);

impl<'a> List<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        Self(headers.get_all(HEADER))
    }

    pub(super) fn is_empty(&self) -> bool {
        let blank = |byte: &u8| matches!(byte, b',' | b' ' | b'\t');
        self.0.iter().all(|line| line.as_bytes().iter().all(blank))
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|item| !item.is_empty())
    }
}

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
