use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{HeaderMap, HeaderValue};
use sha2::Sha256;
use smallvec::SmallVec;
use subtle::{Choice, ConditionallySelectable as _};

use super::list::{List, MAC_LEN, Tag, decode, equal, tag};
use super::{SignatureError, SignatureMatch};
use crate::events;
use crate::secret::{Secret, SecretError};

/// How many secrets are usually held: two, while one takes the place of the other. More cost an allocation.
const USUAL: usize = 2;

/// Holds the client secrets and checks signatures against them.
///
/// Cloning is cheap and clones share the secrets: what [`replace`](Self::replace) sets on one is what all others use
/// from then on.
///
/// While a secret is being rotated, hold both the old and the new one, in any order. See the
/// [module docs](super) for how the header is read.
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
        let list = List::of(headers);
        if list.is_empty() {
            return Err(SignatureError::Missing);
        }
        let keys = self.keys.load();
        let mut tried = SmallVec::<[Tried; USUAL]>::new();
        for keyed in &keys.macs {
            tried.push(Tried {
                tag: tag(&mac(keyed, body)),
                matched: Choice::from(0),
            });
        }
        let (mut listed, mut malformed, mut unknown) = (0, 0, 0);

        for member in list.members() {
            listed += 1;
            let Some(candidate) = decode(member) else {
                malformed += 1;
                continue;
            };
            let mut known = Choice::from(0);
            for Tried { tag, matched } in &mut tried {
                let equal = equal(tag, &candidate);
                *matched |= equal;
                known |= equal;
            }
            unknown += usize::from((!known).unwrap_u8());
        }

        match first(&tried) {
            Some(index) => Ok(SignatureMatch {
                index,
                matched: tried.iter().map(|tried| tried.matched.into()).collect(),
                labels: keys.labels.clone(),
                unknown,
            }),
            None if malformed == listed => Err(SignatureError::Malformed { listed }),
            None => Err(SignatureError::Mismatch {
                listed,
                malformed,
                tried: tried.len(),
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
    /// # Ok::<_, cronofy_webhook::SecretError>(())
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

/// The secrets in the form that the check needs: the state of an HMAC that has taken its key, ready to be cloned.
struct Keys {
    macs: Vec<Hmac<Sha256>>,
    labels: Arc<[Option<Arc<str>>]>,
}

impl Keys {
    fn new(secrets: impl Iterator<Item = Secret>) -> Result<Self, SecretError> {
        let secrets: Vec<Secret> = secrets.collect();
        if secrets.is_empty() {
            return Err(SecretError::NoSecrets);
        }
        if let Some(index) = secrets.iter().position(Secret::is_blank) {
            return Err(SecretError::Blank { index });
        }
        for (index, secret) in secrets.iter().enumerate() {
            if secret.has_stray_ends() {
                events::secret_has_stray_ends(index, secret.label());
            }
        }
        // Allocated once: a vector that grows leaves keyed states behind in freed memory.
        let mut macs = Vec::with_capacity(secrets.len());
        macs.extend(secrets.iter().map(|secret| {
            Hmac::<Sha256>::new_from_slice(secret.as_bytes())
                .expect("HMAC takes a key of any length")
        }));
        Ok(Self {
            macs,
            labels: secrets.into_iter().map(Secret::into_label).collect(),
        })
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

/// What a secret makes of a body, and whether it is listed.
struct Tried {
    tag: Tag,
    matched: Choice,
}

/// The index of the first match, found in the same time whichever it is.
fn first(tried: &[Tried]) -> Option<usize> {
    let none = tried.len() as u64;
    let mut index = none;
    for (candidate, Tried { matched, .. }) in tried.iter().enumerate().rev() {
        index.conditional_assign(&(candidate as u64), *matched);
    }
    (index < none).then_some(index as usize)
}
