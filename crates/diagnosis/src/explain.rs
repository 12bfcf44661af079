use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::json::Json;
use crate::signatures::{Signatures, Tag};
use crate::style::STYLES;
use crate::{Certainty, Finding, Mistake, bodies, secrets};
use cronofy_webhook::{Secret, SecretError, Verifier};

/// How many hashes of a body one secret costs at most: the body as it is, each transformation of the secret, each
/// rewriting of the body, each style of its JSON in two orders of the fields, key and message swapped, and the secret in
/// front of the body and behind it.
pub(crate) const HASHES_PER_SECRET: usize =
    1 + secrets::TRANSFORMATIONS.len() + bodies::REWRITES.len() + 2 * STYLES.len() + 1 + 2;

// As the module docs say.
const _: () = assert!(HASHES_PER_SECRET == 57);

/// Explains why a signature did not match, by trying what usually goes wrong.
///
/// Cloning is cheap and clones share the secrets. See the [crate docs](crate) for what it proves and what it never does.
///
/// ```
/// use cronofy_webhook_diagnosis::Diagnosis;
/// use cronofy_webhook_diagnosis::Mistake;
///
/// let diagnosis = Diagnosis::new(["CRN_an_example\n"])?;
///
/// let findings = diagnosis.of_secrets();
/// assert_eq!(findings[0].mistake, Mistake::SecretWhitespace);
/// assert_eq!(findings[0].secret, Some(0));
/// # Ok::<_, cronofy_webhook::SecretError>(())
/// ```
#[derive(Clone)]
pub struct Diagnosis {
    keys: Arc<[Key]>,
}

impl Diagnosis {
    /// Takes the secrets that the [`Verifier`](cronofy_webhook::Verifier) holds, in the same order.
    ///
    /// # Errors
    ///
    /// When there is no secret, or one of them is empty or blank.
    pub fn new<I>(secrets: I) -> Result<Self, SecretError>
    where
        I: IntoIterator,
        I::Item: Into<Secret>,
    {
        let secrets: Vec<Secret> = secrets.into_iter().map(Into::into).collect();
        let _ = Verifier::new(secrets.iter().cloned())?;
        Ok(Self {
            keys: keys(secrets),
        })
    }

    /// The mistakes that can be seen from the secrets alone, for a check at start-up: each is `Likely`.
    #[must_use]
    pub fn of_secrets(&self) -> Vec<Finding> {
        visible_in_secrets(&self.keys).collect()
    }

    /// Explains why no signature in `headers` is that of `body`; most certain first.
    ///
    /// Empty when nothing explains it, and when a signature does match. It is meant for after the check: it takes up to
    /// 57 times as long.
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
        if !signatures.tags.is_empty() {
            if search.finds_genuine(body) {
                return Vec::new();
            }
            search.try_secrets(body);
            search.try_schemes(body);
            search.try_bodies(body);
        }
        debug_assert!(search.hashes <= 1 + HASHES_PER_SECRET * keys.len());
        search.add_visible(headers, body);
        let mut findings = search.findings;
        findings.sort_by_key(|finding| Reverse(finding.certainty));
        findings
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

fn keys(secrets: Vec<Secret>) -> Arc<[Key]> {
    let key = |secret: Secret| {
        let text = secret.expose();
        // Allocated once: a vector that grows leaves keyed states behind in freed memory.
        let mut variants = Vec::with_capacity(secrets::TRANSFORMATIONS.len());
        variants.extend(secrets::variants(text).map(|(mistake, key)| (mistake, keyed(&key))));
        Key {
            mac: keyed(text.as_bytes()),
            variants,
            visible: secrets::visible_mistakes(text),
            secret,
        }
    };
    secrets.into_iter().map(key).collect()
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn sign(mac: &Hmac<Sha256>, body: &[u8]) -> Zeroizing<Tag> {
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

/// The search for what makes a listed signature match.
struct Search<'a> {
    keys: &'a [Key],
    signatures: &'a Signatures,
    findings: Vec<Finding>,
    hashes: usize,
}

impl<'a> Search<'a> {
    /// Whether a signature matches as it should. One that matches in another form than Cronofy's is a finding.
    fn finds_genuine(&mut self, body: &[u8]) -> bool {
        let mut is_genuine = false;
        for (index, Key { mac, .. }) in self.keys.iter().enumerate() {
            let matches = self.compare(&sign(mac, body));
            for mistakes in matches {
                is_genuine |= mistakes.is_empty();
                for mistake in mistakes {
                    self.add(*mistake, Certainty::Proven, Some(index));
                }
            }
        }
        is_genuine
    }

    fn try_secrets(&mut self, body: &[u8]) {
        let keys = self.keys;
        for (index, key) in keys.iter().enumerate() {
            for (mistake, mac) in &key.variants {
                self.prove(*mistake, Some(index), &sign(mac, body));
            }
        }
    }

    fn try_schemes(&mut self, body: &[u8]) {
        self.prove(Mistake::PlainSha256, None, &sha256([body, b""]));
        let keys = self.keys;
        for (index, key) in keys.iter().enumerate() {
            let secret = key.secret.expose().as_bytes();
            let swapped = sign(&keyed(body), secret);
            self.prove(Mistake::KeyAndMessageSwapped, Some(index), &swapped);
            for parts in [[secret, body], [body, secret]] {
                self.prove(Mistake::PlainSha256, Some(index), &sha256(parts));
            }
        }
    }

    /// Tries the changes of a body, the simplest first, until one is proven.
    fn try_bodies(&mut self, body: &[u8]) {
        for (mistake, rewrite) in bodies::REWRITES {
            if rewrite(body).is_some_and(|body| self.try_body(mistake, &body)) {
                return;
            }
        }
        let Some(json) = Json::parse(body) else {
            return;
        };
        let mut try_styles = |mistake, json: &Json<'_>| {
            STYLES.iter().any(|style| {
                let body = style.write(json);
                body.is_some_and(|body| self.try_body(mistake, &body))
            })
        };
        if try_styles(Mistake::BodyReserialised, &json) {
            return;
        }
        if let Some(ordered) = json.in_documented_order()
            && !try_styles(Mistake::BodyKeysReordered, &ordered)
            && json.is_sorted()
        {
            self.add(Mistake::BodyKeysReordered, Certainty::Likely, None);
        }
    }

    fn try_body(&mut self, mistake: Mistake, body: &[u8]) -> bool {
        let mut is_proven = false;
        for (index, Key { mac, .. }) in self.keys.iter().enumerate() {
            is_proven |= self.prove(mistake, Some(index), &sign(mac, body));
        }
        is_proven
    }

    fn prove(&mut self, mistake: Mistake, secret: Option<usize>, tag: &Tag) -> bool {
        let matches = self.compare(tag);
        for mistakes in &matches {
            self.add(mistake, Certainty::Proven, secret);
            for mistake in *mistakes {
                self.add(*mistake, Certainty::Proven, secret);
            }
        }
        !matches.is_empty()
    }

    /// Compares with all listed signatures in constant time; for each that is equal, what is wrong with its form.
    fn compare(&mut self, tag: &Tag) -> Vec<&'a [Mistake]> {
        self.hashes += 1;
        let signatures = self.signatures;
        signatures
            .tags
            .iter()
            .filter(|listed| listed.tag.ct_eq(tag).into())
            .map(|listed| &listed.mistakes[..])
            .collect()
    }

    /// Adds what is visible without a hash.
    fn add_visible(&mut self, headers: &HeaderMap, body: &[u8]) {
        let is_proven =
            !self.findings.is_empty() && self.findings[0].certainty == Certainty::Proven;
        if !self.signatures.tags.is_empty() {
            for finding in visible_in_secrets(self.keys) {
                self.add(finding.mistake, finding.certainty, finding.secret);
            }
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
