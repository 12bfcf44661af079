//! The signature of a notification, and the check.
//!
//! Cronofy signs every notification with each client secret that the application has active, and lists the results,
//! separated by commas, in one header:
//!
//! ```text
//! Cronofy-HMAC-SHA256: Base64(HMAC-SHA256(body, secret 1)),Base64(HMAC-SHA256(body, secret 2))
//! ```
//!
//! The message is the body as sent and nothing else: no URL, no time, no identifier. A delivery is authentic when any
//! listed value was made with any secret held here.
//!
//! How [`Verifier::verify`] reads the header:
//!
//! - All header lines of that name are one list. Members are trimmed of spaces and tabs; blank ones are skipped.
//! - A member is a signature when it is the padded, canonical, standard-alphabet Base64 of 32 bytes. Anything else
//!   cannot match, and does not spoil a member that does.
//! - Header bytes need not be text.
//! - One HMAC is computed for each secret held, however many values the sender lists. Each of them is compared with
//!   each listed signature in constant time, with no early exit.
//!
//! What the signature does not tell: when it was made. A body that was once signed is authentic for as long as the
//! secret is held, so make what a notification triggers idempotent.
//!
//! Source: Cronofy's API documentation, "Push Notifications" and "Push Notifications: Authentication".
//!
//! # Example
//!
//! ```
//! use cronofy_webhook::Verifier;
//! use cronofy_webhook::signature::{HEADER, SignatureError};
//! use http::HeaderMap;
//!
//! // The example that Cronofy's documentation publishes.
//! let verifier = Verifier::new(["pDY0Oi7TJSP2hfNmZNkm5"])?;
//! let mut headers = HeaderMap::new();
//! headers.insert(HEADER, "6r2/HjBkqymGegX0wOfifieeUXbbHwtV/LohHS+jv6c=".parse()?);
//!
//! let accepted = verifier.verify(&headers, br#"{"example":"well-known"}"#);
//! assert!(accepted.is_ok());
//!
//! // The same JSON, serialised again: other bytes.
//! let refused = verifier.verify(&headers, br#"{ "example": "well-known" }"#);
//! assert!(matches!(refused, Err(SignatureError::Mismatch { listed: 1, .. })));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;
use smallvec::{SmallVec, smallvec};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::observe;
use crate::secret::Secret;
pub use crate::secret::SecretError;

/// The name of the header that carries the signatures: `Cronofy-HMAC-SHA256`.
///
/// Source: Cronofy's API documentation, "Push Notifications".
pub const HEADER: HeaderName = HeaderName::from_static("cronofy-hmac-sha256");

/// Length of an HMAC-SHA256, in bytes.
const MAC_LEN: usize = 32;

/// Length of the padded Base64 of an HMAC-SHA256, in characters.
const ENCODED_LEN: usize = 44;

/// How many secrets are usually held: two, while one takes the place of the other. More cost an allocation.
const USUAL: usize = 2;

/// An HMAC-SHA256. In words, as a comparison in constant time takes as long for a word as for a byte.
type Tag = [u64; MAC_LEN / size_of::<u64>()];

/// Holds the client secrets and checks signatures against them.
///
/// Cloning is cheap and clones share the secrets: what [`replace`](Self::replace) sets on one is what all others use
/// from then on.
///
/// While a secret is being rotated, hold both the old and the new one, in any order. See the
/// [module docs](self) for how the header is read.
///
/// ```
/// use cronofy_webhook::{Secret, Verifier};
/// use cronofy_webhook::signature::HEADER;
/// use http::HeaderMap;
///
/// let verifier = Verifier::new([
///     Secret::new("CRN_old").with_label("2024"),
///     Secret::new("CRN_new").with_label("2026"),
/// ])?;
///
/// // Cronofy signs with the new secret and with one that this server does not hold.
/// let cronofy = Verifier::new(["CRN_new", "CRN_elsewhere"])?;
/// let mut headers = HeaderMap::new();
/// headers.insert(HEADER, cronofy.sign(b"{}"));
///
/// let signature = verifier.verify(&headers, b"{}")?;
/// assert_eq!((signature.index(), signature.label()), (1, Some("2026")));
/// assert_eq!(signature.unknown_signatures(), 1);
/// assert_eq!(signature.unused_secrets().collect::<Vec<_>>(), [(0, Some("2024"))]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<ArcSwap<Keys>>,
}

impl Verifier {
    /// Takes the secrets that a signature may have been made with.
    ///
    /// A secret that begins or ends with white space or a byte-order mark is used as it is, and an event at warn level
    /// says so: a newline at the end of a file is the usual reason why a signature does not match.
    ///
    /// # Errors
    ///
    /// When there is no secret, or one of them is empty or blank.
    pub fn new<I>(secrets: I) -> Result<Self, SecretError>
    where
        I: IntoIterator,
        I::Item: Into<Secret>,
    {
        let keys = Keys::new(secrets.into_iter().map(Into::into))?;
        Ok(Self {
            keys: Arc::new(ArcSwap::from_pointee(keys)),
        })
    }

    /// Replaces the secrets, in this verifier and in all its clones, while it is in use.
    ///
    /// A check that is under way finishes with the secrets that it began with.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); the secrets held so far then stay in force.
    pub fn replace<I>(&self, secrets: I) -> Result<(), SecretError>
    where
        I: IntoIterator,
        I::Item: Into<Secret>,
    {
        let keys = Keys::new(secrets.into_iter().map(Into::into))?;
        self.keys.store(Arc::new(keys));
        Ok(())
    }

    /// Checks that one of the listed signatures was made from `body` with one of the secrets held.
    ///
    /// `body` must be the bytes as they were received: JSON that was parsed and written again is another message.
    ///
    /// # Errors
    ///
    /// When nothing is listed in `headers`, when nothing listed is a signature, or when no listed signature matches.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<SignatureMatch, SignatureError> {
        let mut members = members(headers).peekable();
        if members.peek().is_none() {
            return Err(SignatureError::Missing);
        }
        let keys = self.keys.load();
        let tags: SmallVec<[Tag; USUAL]> = keys
            .macs
            .iter()
            .map(|keyed| words(&mac(keyed, body)))
            .collect();
        let mut matched: SmallVec<[Choice; USUAL]> = smallvec![Choice::from(0); tags.len()];
        let (mut listed, mut malformed, mut unknown) = (0, 0, 0);

        for member in members {
            listed += 1;
            let Some(candidate) = decode(member) else {
                malformed += 1;
                continue;
            };
            let mut known = Choice::from(0);
            for (tag, matched) in tags.iter().zip(&mut matched) {
                let equal = tag[..].ct_eq(&candidate);
                *matched |= equal;
                known |= equal;
            }
            unknown += usize::from((!known).unwrap_u8());
        }

        match first(&matched) {
            Some(index) => Ok(SignatureMatch {
                index,
                matched: matched.into_iter().map(bool::from).collect(),
                labels: Arc::clone(&keys.labels),
                unknown,
            }),
            None if malformed == listed => Err(SignatureError::Malformed { listed }),
            None => Err(SignatureError::Mismatch {
                listed,
                malformed,
                tried: tags.len(),
            }),
        }
    }

    /// The header value that Cronofy would send with `body`: one signature for each secret held, in their order.
    ///
    /// For tests, and for tools that deliver in Cronofy's stead.
    ///
    /// ```
    /// let verifier = cronofy_webhook::Verifier::new(["pDY0Oi7TJSP2hfNmZNkm5"])?;
    ///
    /// assert_eq!(
    ///     verifier.sign(br#"{"example":"well-known"}"#),
    ///     "6r2/HjBkqymGegX0wOfifieeUXbbHwtV/LohHS+jv6c=",
    /// );
    /// # Ok::<_, cronofy_webhook::signature::SecretError>(())
    /// ```
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "Base64 and commas are a valid header value"
    )]
    pub fn sign(&self, body: &[u8]) -> HeaderValue {
        let signatures: Vec<String> = self
            .keys
            .load()
            .macs
            .iter()
            .map(|keyed| STANDARD.encode(mac(keyed, body)))
            .collect();
        HeaderValue::try_from(signatures.join(",")).expect("Base64 and commas are visible ASCII")
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("labels", &self.keys.load().labels)
            .finish_non_exhaustive()
    }
}

/// Proof that a signature matched, and what the list told about the secrets on both sides.
#[derive(Clone, PartialEq, Eq)]
pub struct SignatureMatch {
    index: usize,
    matched: SmallVec<[bool; 8]>,
    labels: Arc<[Option<Arc<str>>]>,
    unknown: usize,
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

/// The secrets in the form that the check needs: the state of an HMAC that has taken its key, ready to be cloned.
struct Keys {
    macs: Vec<Hmac<Sha256>>,
    labels: Arc<[Option<Arc<str>>]>,
}

impl Keys {
    fn new(secrets: impl Iterator<Item = Secret>) -> Result<Self, SecretError> {
        let (mut macs, mut labels) = (Vec::new(), Vec::new());
        for (index, secret) in secrets.enumerate() {
            if secret.is_blank() {
                return Err(SecretError::Blank { index });
            }
            if secret.has_stray_ends() {
                observe::secret_has_stray_ends(index, secret.label());
            }
            macs.push(
                Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length"),
            );
            labels.push(secret.into_label());
        }
        if macs.is_empty() {
            return Err(SecretError::NoSecrets);
        }
        Ok(Self {
            macs,
            labels: labels.into(),
        })
    }
}

/// Whether `headers` list anything at all as a signature, be it genuine or not.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    members(headers).next().is_some()
}

fn members(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(HEADER)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

fn decode(member: &[u8]) -> Option<Tag> {
    if member.len() != ENCODED_LEN {
        return None;
    }
    let mut decoded = [0; MAC_LEN];
    match STANDARD.decode_slice(member, &mut decoded) {
        Ok(MAC_LEN) => Some(words(&decoded)),
        _ => None,
    }
}

fn mac(keyed: &Hmac<Sha256>, body: &[u8]) -> [u8; MAC_LEN] {
    keyed
        .clone()
        .chain_update(body)
        .finalize()
        .into_bytes()
        .into()
}

fn words(bytes: &[u8; MAC_LEN]) -> Tag {
    let mut words = Tag::default();
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(size_of::<u64>())) {
        *word = u64::from_ne_bytes(bytes.try_into().expect("a chunk is a word"));
    }
    words
}

/// The index of the first match, found in the same time whichever it is.
fn first(matched: &[Choice]) -> Option<usize> {
    let none = matched.len() as u64;
    let mut index = none;
    for (candidate, matched) in matched.iter().enumerate().rev() {
        index.conditional_assign(&(candidate as u64), *matched);
    }
    (index < none).then_some(index as usize)
}
