use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

/// Proof that a signature matched, and what the list told about the secrets on both sides.
///
/// The list itself is not signed: who delivers again what Cronofy once sent can add values to it, or take some away. What
/// it tells beside the match is for an operator to conclude from many deliveries, not from one.
#[derive(Clone, PartialEq, Eq)]
pub struct SignatureMatch {
    pub(super) index: usize,
    pub(super) matched: SmallVec<[bool; 8]>,
    pub(super) labels: Arc<[Option<Arc<str>>]>,
    pub(super) unknown: usize,
}

impl SignatureMatch {
    /// Which of the secrets held matched: its place in the set, counted from 0. The first one, when several did.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The label of the secret that matched, if it has one.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.labels[self.index].as_deref()
    }

    /// How many of the listed signatures no secret held here has made.
    ///
    /// More than none means that Cronofy signs with a secret that this server does not hold: a new secret was made in
    /// the dashboard, say. Add it here before the old one is revoked.
    #[must_use]
    pub fn unknown_signatures(&self) -> usize {
        self.unknown
    }

    /// The secrets held that no listed signature was made with: index and label of each.
    ///
    /// Once a rotation is over and the old secret is revoked, this is where it shows up: it is safe to remove.
    pub fn unused_secrets(&self) -> impl Iterator<Item = (usize, Option<&str>)> {
        self.matched
            .iter()
            .zip(&*self.labels)
            .enumerate()
            .filter(|(_, (matched, _))| !**matched)
            .map(|(index, (_, label))| (index, label.as_deref()))
    }
}

impl fmt::Debug for SignatureMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureMatch")
            .field("index", &self.index)
            .field("label", &self.label())
            .field("unknown_signatures", &self.unknown)
            .field("unused_secrets", &self.unused_secrets().collect::<Vec<_>>())
            .finish()
    }
}

/// Why a body is not taken for authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// The header is absent, or lists nothing: the request is not from Cronofy, or something in between drops headers.
    Missing,

    /// The header lists values, and none of them is the padded Base64 of 32 bytes.
    #[non_exhaustive]
    Malformed {
        /// How many values are listed.
        listed: usize,
    },

    /// No listed signature is that of this body under a secret held here.
    ///
    /// Either the secret is another application's, or an old one, or has a newline at its end; or the body was changed
    /// on its way: parsed and written again, decompressed, normalised.
    #[non_exhaustive]
    Mismatch {
        /// How many values are listed.
        listed: usize,
        /// How many of them are not the padded Base64 of 32 bytes.
        malformed: usize,
        /// How many secrets were tried.
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
                "no signature in Cronofy-HMAC-SHA256 is that of this body under a secret held here \
                 (listed: {listed}, of which malformed: {malformed}; secrets tried: {tried})",
            ),
        }
    }
}

impl std::error::Error for SignatureError {}
