//! Signatures, client secrets and their rotation.
//!
//! Cronofy signs every notification with each active client secret of the application and lists the results, separated
//! by commas, in one header:
//!
//! ```text
//! Cronofy-HMAC-SHA256: Base64(HMAC-SHA256(body, secret 1)),Base64(HMAC-SHA256(body, secret 2))
//! ```
//!
//! The signed message is the body as sent and nothing else: no URL, no time, no identifier. There is no separate webhook
//! secret. A delivery is authentic if any listed value was made with any of the [`Verifier`]'s secrets. See Cronofy's
//! [authentication of push notifications](https://docs.cronofy.com/developers/push-notifications/authentication/).
//!
//! How [`Verifier::verify`] parses the header:
//!
//! - All header lines of that name form one list. Items are trimmed of spaces and tabs; empty ones are skipped.
//! - An item is a signature if it is the padded, canonical Base64 (standard alphabet) of 32 bytes. Any other item cannot
//!   match, and does not affect those that do. Header bytes need not be text.
//! - One HMAC is computed for each secret, however many values the client lists. Each is compared with each listed
//!   signature in constant time, without an early exit.
//!
//! The signature does not say when it was made: a replayed body is authentic for as long as the secret is active. Make
//! what a notification triggers idempotent.
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
//! // The same JSON serialised again: other bytes.
//! let refused = verifier.verify(&headers, br#"{ "example": "well-known" }"#);
//! assert!(matches!(refused, Err(SignatureError::Mismatch { listed: 1, .. })));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Secrets and rotation
//!
//! Take the secrets from the environment with [`Verifier::from_env`]: `CRN_new,CRN_old`. A missing or blank secret is an
//! error that names the variable. To rotate:
//!
//! 1. Create the new secret in Cronofy's dashboard. From then on [`SignatureMatch::unknown_signatures`] is 1, and an event
//!    at warn level says so.
//! 2. Add the new secret beside the old one, by a restart or by [`Verifier::replace`].
//! 3. Revoke the old secret in the dashboard. [`SignatureMatch::unused_secrets`] then lists it for every delivery. The list
//!    of signatures is not signed itself: do not conclude this from a single delivery.
//! 4. Remove the old secret.
//!
//! ```
//! use cronofy_webhook::signature::HEADER;
//! use cronofy_webhook::{Secret, Verifier};
//! use http::HeaderMap;
//!
//! let old = Secret::new("CRN_old").with_label("2024");
//! let new = Secret::new("CRN_new").with_label("2026");
//! let verifier = Verifier::new([old.clone()])?;
//!
//! // Step 1: Cronofy signs with both.
//! let cronofy = Verifier::new(["CRN_old", "CRN_new"])?;
//! let headers = HeaderMap::from_iter([(HEADER, cronofy.sign(b"{}"))]);
//! assert_eq!(verifier.verify(&headers, b"{}")?.unknown_signatures(), 1);
//!
//! // Step 2: all clones of the verifier, and the layers made from them, use both from now on.
//! verifier.replace([old, new.clone()])?;
//! assert_eq!(verifier.verify(&headers, b"{}")?.unknown_signatures(), 0);
//!
//! // Step 3: Cronofy signs with the new one only.
//! cronofy.replace(["CRN_new"])?;
//! let headers = HeaderMap::from_iter([(HEADER, cronofy.sign(b"{}"))]);
//! let matched = verifier.verify(&headers, b"{}")?;
//! assert_eq!(matched.unused_secrets().collect::<Vec<_>>(), [(0, Some("2024"))]);
//!
//! // Step 4.
//! verifier.replace([new])?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod error;
mod header;
mod matched;
mod verifier;

use http::HeaderName;

pub use self::error::SignatureError;
pub(crate) use self::header::is_signed;
pub use self::matched::SignatureMatch;
pub use self::verifier::Verifier;

/// The name of the header that carries the signatures, `Cronofy-HMAC-SHA256`, as in Cronofy's
/// [documentation](https://docs.cronofy.com/developers/api/push-notifications/).
pub const HEADER: HeaderName = HeaderName::from_static("cronofy-hmac-sha256");
