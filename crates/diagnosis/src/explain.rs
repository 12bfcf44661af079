use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use cronofy_webhook::{Secret, SecretError, Verifier};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use tracing::dispatcher::{self, Dispatch};
use zeroize::Zeroizing;

use crate::json::Json;
use crate::signatures::{Signatures, Tag};
use crate::style::{STYLES, texts};
use crate::{Certainty, Finding, Mistake, bodies, secrets};

/// How many hashes of a body one secret costs at most: the body as it is, each transformation of the secret, each
/// rewriting of the body, each style of its JSON (as it is, with `{}` for `[]`, in the documented order) with and without a
/// final newline, key and message swapped, and the secret in front of the body and behind it.
const HASHES_PER_SECRET: usize =
    1 + secrets::TRANSFORMATIONS.len() + bodies::REWRITES.len() + 3 * STYLES * 2 + 1 + 2;

// As the crate docs say.
const _: () = assert!(HASHES_PER_SECRET == 147);

/// Explains why a signature did not match, by trying what usually goes wrong.
///
/// Cloning is cheap and clones share the secrets. See the [crate docs](crate) for what it proves and what it never does.
///
/// ```
/// use cronofy_webhook_diagnosis::{Diagnosis, Mistake};
///
/// let diagnosis = Diagnosis::new(["CRN_an_example\n"])?;
///
/// let findings = diagnosis.check_secrets();
/// assert_eq!(findings[0].mistake, Mistake::SecretWhitespace);
/// assert_eq!(findings[0].secret, Some(0));
/// # Ok::<_, cronofy_webhook::SecretError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Diagnosis {
    keys: Arc<[Key]>,
    verifier: Verifier,
}

impl Diagnosis {
    /// Takes the secrets that the [`Verifier`] is configured with, in the same order. After
    /// [`Verifier::replace`], make a new one.
    ///
    /// # Errors
    ///
    /// If there is no secret, or one of them is blank.
    pub fn new<I>(secrets: I) -> Result<Self, SecretError>
    where
        I: IntoIterator,
        I::Item: Into<Secret>,
    {
        let secrets: Vec<Secret> = secrets.into_iter().map(Into::into).collect();
        // The verifier that the layer has has logged what looks wrong with them.
        let verifier =
            dispatcher::with_default(&Dispatch::none(), || Verifier::new(secrets.iter().cloned()))?;
        let keys = secrets.into_iter().map(Key::new).collect();
        Ok(Self { keys, verifier })
    }

    /// What looks wrong with the secrets, for a check at start-up. Each finding is
    /// [`Likely`](Certainty::Likely).
    #[must_use]
    pub fn check_secrets(&self) -> Vec<Finding> {
        visible_in_secrets(&self.keys).collect()
    }

    /// Explains why no signature in `headers` is that of `body`; most certain first.
    ///
    /// Empty if nothing explains it, and if a signature does match. It is meant for after the check: it takes up to
    /// 147 times as long.
    #[must_use]
    pub fn explain(&self, headers: &HeaderMap, body: &[u8]) -> Vec<Finding> {
        let keys = &*self.keys;
        let signatures = Signatures::of(headers);
        let mut search = Search {
            keys,
            signatures: &signatures,
            findings: Vec::new(),
            hashes: 0,
        };
        let is_proven = !signatures.tags.is_empty()
            && (search.try_as_received(body)
                || search.try_secrets(body)
                || search.try_schemes(body)
                || search.try_bodies(body));
        debug_assert!(search.hashes <= 1 + HASHES_PER_SECRET * keys.len());
        if is_proven && search.findings.is_empty() {
            return Vec::new();
        }
        search.add_visible(headers, body, is_proven);
        let mut findings = search.findings;
        findings.sort_by_key(|finding| Reverse(finding.certainty));
        findings
    }

    /// Whether another verifier is configured with the same secrets, in any order.
    ///
    /// Compared in constant time are the signatures of a fixed text.
    pub(crate) fn has_secrets_of(&self, other: &Verifier) -> bool {
        let sign = |verifier: &Verifier| verifier.sign(b"cronofy-webhook-diagnosis");
        let (own, other) = (sign(&self.verifier), sign(other));
        let split = |signatures| <[u8]>::split(signatures, |byte| *byte == b',');
        let are_in = |some, all| {
            split(some).fold(Choice::from(1), |are_in, one| {
                let is_in = |is_in, other| is_in | one.ct_eq(other);
                are_in & split(all).fold(Choice::from(0), is_in)
            })
        };
        let (own, other) = (own.as_bytes(), other.as_bytes());
        (are_in(own, other) & are_in(other, own)).into()
    }
}

impl fmt::Debug for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<_> = self.keys.iter().map(|key| key.secret.label()).collect();
        f.debug_struct("Diagnosis")
            .field("labels", &labels)
            .finish_non_exhaustive()
    }
}

/// A secret, and the keyed states of it and of what it may stand for.
struct Key {
    secret: Secret,
    mac: Hmac<Sha256>,
    variants: Vec<(Mistake, Hmac<Sha256>)>,
    visible: Vec<Mistake>,
}

impl Key {
    fn new(secret: Secret) -> Self {
        let text = secret.expose();
        // Allocated once: a vector that grows leaves keyed states behind in freed memory.
        let mut variants = Vec::with_capacity(secrets::TRANSFORMATIONS.len());
        variants.extend(secrets::variants(text).map(|(mistake, key)| (mistake, keyed(&key))));
        Self {
            mac: keyed(text.as_bytes()),
            variants,
            visible: secrets::visible_mistakes(&secret),
            secret,
        }
    }
}

pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

pub(crate) fn sign(mac: &Hmac<Sha256>, body: &[u8]) -> Zeroizing<Tag> {
    let mac = mac.clone().chain_update(body);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn sha256(parts: [&[u8]; 2]) -> Zeroizing<Tag> {
    let hash = Sha256::new().chain_update(parts[0]).chain_update(parts[1]);
    Zeroizing::new(hash.finalize().into())
}

fn visible_in_secrets(keys: &[Key]) -> impl Iterator<Item = Finding> {
    keys.iter().enumerate().flat_map(|(index, key)| {
        key.visible.iter().map(move |mistake| Finding {
            mistake: *mistake,
            certainty: Certainty::Likely,
            secret: Some(index),
        })
    })
}

/// The search for what makes a listed signature match. The first proof ends it.
struct Search<'a> {
    keys: &'a [Key],
    signatures: &'a Signatures,
    findings: Vec<Finding>,
    hashes: usize,
}

impl<'a> Search<'a> {
    /// Whether a signature matches as it is. One that matches in another form than Cronofy's is a finding.
    fn try_as_received(&mut self, body: &[u8]) -> bool {
        let keys = self.keys.iter().enumerate();
        let matches = keys.filter_map(|(index, key)| {
            let forms = self.compare(&sign(&key.mac, body))?;
            Some((forms, index))
        });
        let Some((forms, index)) = matches.min_by_key(|(forms, _)| forms.len()) else {
            return false;
        };
        self.add_proven(forms, Some(index));
        true
    }

    fn try_secrets(&mut self, body: &[u8]) -> bool {
        self.keys.iter().enumerate().any(|(index, key)| {
            let mut variants = key.variants.iter();
            variants.any(|(mistake, mac)| self.prove(*mistake, Some(index), &sign(mac, body)))
        })
    }

    fn try_schemes(&mut self, body: &[u8]) -> bool {
        if self.prove(Mistake::PlainSha256, None, &sha256([body, b""])) {
            return true;
        }
        self.keys.iter().enumerate().any(|(index, key)| {
            let secret = key.secret.expose().as_bytes();
            let swapped = sign(&keyed(body), secret);
            self.prove(Mistake::KeyAndMessageSwapped, Some(index), &swapped)
                || [[secret, body], [body, secret]]
                    .iter()
                    .any(|parts| self.prove(Mistake::PlainSha256, Some(index), &sha256(*parts)))
        })
    }

    /// Tries the changes of a body, the simplest first.
    fn try_bodies(&mut self, body: &[u8]) -> bool {
        if bodies::originals(body).any(|(mistake, original)| self.try_body(mistake, &original)) {
            return true;
        }
        let Some(json) = Json::parse(body) else {
            return false;
        };
        if self.try_styles(Mistake::BodyReserialised, Some(&json))
            || self.try_styles(
                Mistake::BodyReserialised,
                json.with_empty_objects().as_ref(),
            )
        {
            return true;
        }
        let ordered = json.in_documented_order();
        if self.try_styles(Mistake::BodyKeysReordered, ordered.as_ref()) {
            return true;
        }
        if ordered.is_some() && json.is_sorted() {
            self.add(Mistake::BodyKeysReordered, Certainty::Likely, None);
        }
        false
    }

    fn try_styles(&mut self, mistake: Mistake, json: Option<&Json<'_>>) -> bool {
        json.into_iter().flat_map(texts).any(|mut text| {
            self.try_body(mistake, text.as_bytes()) || {
                text.push('\n');
                self.try_body(mistake, text.as_bytes())
            }
        })
    }

    fn try_body(&mut self, mistake: Mistake, body: &[u8]) -> bool {
        let mut keys = self.keys.iter().enumerate();
        keys.any(|(index, Key { mac, .. })| self.prove(mistake, Some(index), &sign(mac, body)))
    }

    fn prove(&mut self, mistake: Mistake, secret: Option<usize>, tag: &Tag) -> bool {
        let Some(forms) = self.compare(tag) else {
            return false;
        };
        self.add_proven(&[mistake], secret);
        self.add_proven(forms, secret);
        true
    }

    /// Compares with all listed signatures in constant time; what is wrong with the form of the one that is equal.
    fn compare(&mut self, tag: &Tag) -> Option<&'a [Mistake]> {
        self.hashes += 1;
        let listed = self.signatures.tags.iter();
        // All are compared.
        let equal: Vec<_> = listed
            .filter(|listed| listed.tag.ct_eq(tag).into())
            .map(|listed| &listed.mistakes[..])
            .collect();
        equal.into_iter().min_by_key(|mistakes| mistakes.len())
    }

    /// Adds what is visible without a hash.
    fn add_visible(&mut self, headers: &HeaderMap, body: &[u8], is_proven: bool) {
        let is_signed = !self.signatures.tags.is_empty();
        if is_signed {
            for finding in visible_in_secrets(self.keys) {
                self.add(finding.mistake, finding.certainty, finding.secret);
            }
        }
        if is_signed && body.is_empty() && !is_proven {
            self.add(Mistake::BodyEmptied, Certainty::Likely, None);
        }
        for mistake in bodies::visible_mistakes(headers, body) {
            self.add(mistake, Certainty::Likely, None);
        }
        if self.signatures.is_other_hash {
            self.add(Mistake::SignatureOtherHash, Certainty::Likely, None);
        }
        if self.signatures.tags.len() > 1 && !is_proven {
            self.add(Mistake::OtherApplication, Certainty::Possible, None);
        }
    }

    fn add_proven(&mut self, mistakes: &[Mistake], secret: Option<usize>) {
        for mistake in mistakes {
            self.add(*mistake, Certainty::Proven, secret);
        }
    }

    /// Adds a finding, unless the same mistake is known with the same secret.
    fn add(&mut self, mistake: Mistake, certainty: Certainty, secret: Option<usize>) {
        let is_known = |known: &Finding| known.mistake == mistake && known.secret == secret;
        if !self.findings.iter().any(is_known) {
            self.findings.push(Finding {
                mistake,
                certainty,
                secret,
            });
        }
    }
}
