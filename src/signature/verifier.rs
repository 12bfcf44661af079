use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{HeaderMap, HeaderValue};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use super::header::{MAC_LEN, decode, items};
use super::{HEADER, SignatureError, SignatureMatch};
use crate::events;
use crate::secret::{Secret, SecretError};

/// Checks signatures against the client secrets that it is configured with.
///
/// Cloning is cheap and clones share the secrets: [`replace`](Self::replace) on one of them applies to all.
///
/// While a secret is being rotated, configure both the old and the new one, in any order. See the [module docs](super) for
/// the rotation step by step and for how the header is parsed.
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
/// // Cronofy signs with the new secret and with one that this server does not have.
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
#[must_use]
pub struct Verifier {
    keys: Arc<ArcSwap<Keys>>,
}

impl Verifier {
    /// Creates a verifier that accepts a signature made with any of `secrets`.
    ///
    /// Each secret is used as it is. What [looks wrong](Secret::suspicions) with one is logged at warn level.
    ///
    /// # Errors
    ///
    /// If there is no secret, or one of them is blank: empty, or without a visible ASCII character. Anyone could sign with it.
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

    /// Creates a verifier with the secrets in an environment variable, separated by commas.
    ///
    /// White space around each secret is removed. No Cronofy client secret contains a comma.
    ///
    /// ```rust,no_run
    /// use cronofy_webhook::{CronofyWebhookLayer, Verifier};
    ///
    /// let verifier = Verifier::from_env("CRONOFY_CLIENT_SECRET")?;
    /// # Ok::<_, cronofy_webhook::SecretError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the variable is not set or not Unicode, or if it or one of its items is blank. The error names the variable
    /// and says what to set; it does not contain the value.
    pub fn from_env(name: &str) -> Result<Self, SecretError> {
        Self::new(Secret::from_env(name)?)
    }

    /// Replaces the secrets of this verifier and of all its clones, while they are in use.
    ///
    /// A check in progress finishes with the secrets that it started with.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new). The current secrets then stay in use.
    pub fn replace<I>(&self, secrets: I) -> Result<(), SecretError>
    where
        I: IntoIterator,
        I::Item: Into<Secret>,
    {
        let keys = Keys::new(secrets.into_iter().map(Into::into))?;
        self.keys.store(Arc::new(keys));
        Ok(())
    }

    /// Checks that one of the listed signatures was made from `body` with one of the secrets.
    ///
    /// `body` must be the bytes as received: JSON that was parsed and serialised again has another signature.
    ///
    /// # Errors
    ///
    /// If `headers` list no value, if no listed value is a signature, or if no listed signature matches.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<SignatureMatch, SignatureError> {
        self.verify_raw(headers.get_all(HEADER), body)
    }

    /// As [`verify`](Self::verify), with the lines of the header.
    pub(crate) fn verify_raw(
        &self,
        lines: impl IntoIterator<Item = impl AsRef<[u8]>>,
        body: &[u8],
    ) -> Result<SignatureMatch, SignatureError> {
        let keys = self.keys.load();
        let mut tried: Vec<Tried> = Vec::new();
        let (mut listed, mut malformed, mut unknown) = (0, 0, 0);

        // No loop exits early: the time tells nothing about which signature or secret matched.
        for line in lines {
            for item in items(line.as_ref()) {
                // Made once, and only if anything is listed.
                if tried.is_empty() {
                    tried.extend(keys.macs.iter().map(|keyed| Tried::new(keyed, body)));
                }
                listed += 1;
                let Some(candidate) = decode(item) else {
                    malformed += 1;
                    continue;
                };
                unknown += usize::from((!compare(&mut tried, &candidate)).unwrap_u8());
            }
        }

        match tried.iter().position(|tried| tried.matched.into()) {
            Some(index) => Ok(SignatureMatch {
                index,
                matched: tried
                    .into_iter()
                    .map(|tried| tried.matched.into())
                    .collect(),
                labels: keys.labels.clone(),
                unknown,
            }),
            None if listed == 0 => Err(SignatureError::Missing),
            None if malformed == listed => Err(SignatureError::Malformed { listed }),
            None => Err(SignatureError::Mismatch {
                listed,
                malformed,
                tried: tried.len(),
            }),
        }
    }

    /// The header value that Cronofy would send with `body`: one signature for each secret, in their order.
    ///
    /// For tests, and for tools that simulate Cronofy.
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

/// The keyed state of an HMAC for each secret, ready to be cloned.
struct Keys {
    macs: Vec<Hmac<Sha256>>,
    labels: Arc<[Option<String>]>,
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
            for suspicion in secret.suspicions() {
                events::suspicious_secret(
                    index,
                    secret.label(),
                    suspicion.as_str(),
                    suspicion.remedy(),
                );
            }
        }
        // Allocated once: a vector that grows would leave keyed states behind in freed memory.
        let mut macs = Vec::with_capacity(secrets.len());
        macs.extend(secrets.iter().map(|secret| {
            Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
                .expect("HMAC accepts a key of any length")
        }));
        Ok(Self {
            macs,
            labels: secrets.into_iter().map(Secret::into_label).collect(),
        })
    }
}

fn mac(keyed: &Hmac<Sha256>, body: &[u8]) -> [u8; MAC_LEN] {
    let mut mac = keyed.clone();
    mac.update(body);
    mac.finalize().into_bytes().into()
}

/// The HMAC of a body under one secret, and whether it is listed.
struct Tried {
    mac: [u8; MAC_LEN],
    matched: Choice,
}

impl Tried {
    fn new(keyed: &Hmac<Sha256>, body: &[u8]) -> Self {
        Self {
            mac: mac(keyed, body),
            matched: Choice::from(0),
        }
    }
}

/// Compares a listed signature with the HMAC of each secret. Whether any is equal.
fn compare(tried: &mut [Tried], candidate: &[u8; MAC_LEN]) -> Choice {
    let mut known = Choice::from(0);
    for Tried { mac, matched } in tried {
        let equal = mac.ct_eq(candidate);
        *matched |= equal;
        known |= equal;
    }
    known
}
