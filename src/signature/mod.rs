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

mod list;
mod outcome;
mod verifier;

use http::HeaderName;

pub(crate) use self::list::is_signed;
pub use self::outcome::{SignatureError, SignatureMatch};
pub use self::verifier::Verifier;

/// The name of the header that carries the signatures: `Cronofy-HMAC-SHA256`.
///
/// Source: Cronofy's API documentation, "Push Notifications".
pub const HEADER: HeaderName = HeaderName::from_static("cronofy-hmac-sha256");
