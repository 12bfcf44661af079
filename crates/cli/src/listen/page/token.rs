use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::error::Error;

/// What calls of the page must show: other users of this machine can connect to its port as well.
pub(super) struct Token(String);

impl Token {
    /// Another one for each run.
    pub(super) fn new() -> Result<Self, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(Error::failed)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes the same time for every text of its length.
    pub(super) fn is(&self, text: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(text).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_128_bits_and_is_another_each_time() {
        let token = Token::new().unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(token.as_str()).unwrap();
        assert_eq!(bytes.len(), 16);
        assert_ne!(token.as_str(), Token::new().unwrap().as_str());
    }

    #[test]
    fn only_the_whole_of_it_is_it() {
        let token = Token::new().unwrap();
        let text = token.as_str().as_bytes();
        assert!(token.is(text));
        let mut other = text.to_vec();
        other[21] ^= 1;
        assert!(!token.is(&other) && !token.is(&text[..21]) && !token.is(b""));
    }
}
