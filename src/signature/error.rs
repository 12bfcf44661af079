use std::fmt;

/// Why a signature check failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// The header is absent or empty: the request is not from Cronofy, or a proxy drops the header.
    Missing,

    /// None of the listed values is the padded Base64 of 32 bytes.
    #[non_exhaustive]
    Malformed {
        /// The number of listed values.
        listed: usize,
    },

    /// No listed signature was made from this body with one of the verifier's secrets.
    ///
    /// Either the secret is wrong (another application's, a revoked one, one with a newline at the end), or the body was
    /// changed on the way (parsed and serialised again, decompressed, normalised).
    #[non_exhaustive]
    Mismatch {
        /// The number of listed values.
        listed: usize,
        /// The number of listed values that are not the padded Base64 of 32 bytes.
        malformed: usize,
        /// The number of secrets that were tried.
        tried: usize,
    },
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the Cronofy-HMAC-SHA256 header is absent or empty"),
            Self::Malformed { listed } => write!(
                f,
                "none of the values in Cronofy-HMAC-SHA256 is the padded Base64 of 32 bytes (listed: {listed})",
            ),
            Self::Mismatch {
                listed,
                malformed,
                tried,
            } => write!(
                f,
                "no signature in Cronofy-HMAC-SHA256 matches this body and the configured client secrets \
                 (listed: {listed}, of which malformed: {malformed}; secrets tried: {tried})",
            ),
        }
    }
}

impl std::error::Error for SignatureError {}
