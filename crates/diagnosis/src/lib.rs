//! Why did a signature not match?
//!
//! A mismatch means that the secret, the body or the signature is not what Cronofy used. [`Diagnosis`] tries what
//! usually goes wrong: it undoes a mistake, computes the HMAC again, and compares it with what the header lists. It is
//! off unless you make one and ask it; [`Diagnosis::log`] asks it for each mismatch of a layer.
//!
//! ```
//! use cronofy_webhook::Verifier;
//! use cronofy_webhook::signature::HEADER;
//! use cronofy_webhook_diagnosis::{Certainty, Diagnosis, Mistake};
//! use http::HeaderMap;
//!
//! // At start-up: a secret that was copied with its quotes.
//! let quoted = Diagnosis::new([r#""CRN_an_example""#])?;
//! assert_eq!(quoted.check_secrets()[0].mistake, Mistake::SecretQuoted);
//!
//! // After a mismatch: a proxy has reformatted the JSON.
//! let cronofy = Verifier::new(["CRN_an_example"])?;
//! let mut headers = HeaderMap::new();
//! headers.insert(HEADER, cronofy.sign(br#"{"example":"well-known"}"#));
//!
//! let diagnosis = Diagnosis::new(["CRN_an_example"])?;
//! let findings = diagnosis.explain(&headers, br#"{ "example": "well-known" }"#);
//! assert_eq!(findings[0].mistake, Mistake::BodyReserialised);
//! assert_eq!(findings[0].certainty, Certainty::Proven);
//!
//! // A genuine delivery has nothing to explain, and what somebody else has signed is not explained.
//! assert!(diagnosis.explain(&headers, br#"{"example":"well-known"}"#).is_empty());
//! headers.insert(HEADER, Verifier::new(["a guess"])?.sign(b"{}"));
//! assert!(diagnosis.explain(&headers, b"{}").is_empty());
//! # Ok::<_, cronofy_webhook::SecretError>(())
//! ```
//!
//! # What it finds
//!
//! | | [`Proven`](Certainty::Proven): with this undone, an HMAC matched (or the SHA-256 of a scheme without a key) |
//! |---|---|
//! | secret | white space or a byte-order mark at an end, in quotes, in Base64 or hex, decoded, without `CRN_`, percent-encoded |
//! | body | serialised again, keys in another order, newlines or a byte-order mark added or lost, Latin-1 for UTF-8, in Base64, in a form, in a JSON string |
//! | signature | in hex, with `sha256=`, URL-safe, unpadded, in quotes, separated by something else than commas |
//! | scheme | key and message swapped, plain SHA-256 |
//!
//! | | [`Likely`](Certainty::Likely): inferred |
//! |---|---|
//! | secret | what [`Secret::suspicions`](cronofy_webhook::Secret::suspicions) names, and the Base64 or the hex of a text |
//! | body | empty, `Content-Length` is not its length, compressed, U+FFFD in it, sorted keys whose order is not documented |
//! | header | another provider's, a signature of the length of SHA-1 or SHA-512 |
//!
//! [`Possible`](Certainty::Possible) is another application, where several signatures are listed and nothing else is proven.
//!
//! JSON is tried in each of these styles, with and without a final newline:
//!
//! | | |
//! |---|---|
//! | layout | compact; spaced as by Python; indented by 2 or by 4 spaces |
//! | optional escapes | none; HTML (`\u003c`); all that is not ASCII; `\/`; the last two together |
//! | empty objects | as they are; for PHP's `[]` |
//! | keys | as they are; in the order of [Cronofy's documentation](https://docs.cronofy.com/developers/api/push-notifications/) |
//!
//! The first proof ends the search. One mistake of a secret or of a body is undone at a time, together with any form of the
//! signature.
//!
//! # What it never does
//!
//! - It never accepts: nothing leads from a [`Finding`] to a [`Delivery`](cronofy_webhook::Delivery).
//! - It reveals nothing about a secret, a signature or a body: a finding is a name, a certainty and the index of a secret.
//! - It never tries a part of a secret, or one in another case: each transformation keeps the whole of it. Comparison is
//!   in constant time, and secrets and everything derived from them are overwritten in memory when dropped.
//! - It never takes unbounded work: at most 147 hashes of the body for each secret and one more, none at all if no
//!   signature is listed. JSON that is nested more than 16 deep, or would become more than 8 times as long and another
//!   KiB, is not serialised again. Time and memory are linear in the length of the body.
//!
//! # Forwards
//!
//! [`probes`] makes the signatures that receivers with a mistake would accept: to find out what is wrong with a receiver in
//! another language.

mod bodies;
mod encoding;
mod explain;
mod finding;
mod json;
mod log;
mod mistake;
mod order;
mod probes;
mod secrets;
mod signatures;
mod style;

pub use self::explain::Diagnosis;
pub use self::finding::{Certainty, Finding};
pub use self::mistake::Mistake;
pub use self::probes::{Probe, probes};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
