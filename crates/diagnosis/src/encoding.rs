//! Encodings that a secret, a body or a signature may be found in.
//!
//! Results are wiped when dropped, on failure too, as some of them are secrets.

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

pub(crate) type Decoded = Zeroizing<Vec<u8>>;

/// The forms of Base64, the one that Cronofy uses first.
pub(crate) const ALPHABETS: [Alphabet; 4] = [
    Alphabet::new(&STANDARD, false, false),
    Alphabet::new(&STANDARD_NO_PAD, false, true),
    Alphabet::new(&URL_SAFE, true, false),
    Alphabet::new(&URL_SAFE_NO_PAD, true, true),
];

pub(crate) struct Alphabet {
    pub(crate) engine: &'static GeneralPurpose,
    pub(crate) url_safe: bool,
    pub(crate) unpadded: bool,
}

impl Alphabet {
    const fn new(engine: &'static GeneralPurpose, url_safe: bool, unpadded: bool) -> Self {
        Self {
            engine,
            url_safe,
            unpadded,
        }
    }

    pub(crate) fn decode(&self, text: &[u8]) -> Option<Decoded> {
        let mut decoded = Zeroizing::new(vec![0; text.len()]);
        let length = self.engine.decode_slice(text, &mut decoded).ok()?;
        decoded.truncate(length);
        Some(decoded)
    }
}

/// Base64 in any of its forms.
pub(crate) fn base64(text: &[u8]) -> Option<Decoded> {
    ALPHABETS.iter().find_map(|form| form.decode(text))
}

pub(crate) fn hex(text: &[u8]) -> Option<Decoded> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    for pair in text.chunks_exact(2) {
        decoded.push(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?);
    }
    Some(decoded)
}

/// Percent-encoding, with `+` for a space where `text` is a form field. `None` if a `%` is not followed by two digits, or if
/// there is none in what is no form.
pub(crate) fn percent(text: &[u8], is_form: bool) -> Option<Decoded> {
    if !is_form && !text.contains(&b'%') {
        return None;
    }
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        decoded.push(match byte {
            b'%' => {
                let [high, low, tail @ ..] = tail else {
                    return None;
                };
                rest = tail;
                hex_digit(*high)? << 4 | hex_digit(*low)?
            }
            b'+' if is_form => b' ',
            other => *other,
        });
    }
    Some(decoded)
}

fn hex_digit(digit: u8) -> Option<u8> {
    Some(char::from(digit).to_digit(16)? as u8)
}
