use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// A client secret of a Cronofy application: the key of the signature.
///
/// Cronofy has no separate webhook secret. The client secret, as the dashboard shows it, is used as text, byte for
/// byte: no prefix is expected (newer secrets start with `CRN_`, older ones do not) and nothing is trimmed.
///
/// The value cannot be read back, does not appear in the [`Debug`] output and is overwritten in memory when it is
/// dropped. A copy that you made the `Secret` from (an environment variable, a `&str`) is yours to look after.
///
/// An optional label names the secret in events and in
/// [`SignatureMatch::label`](crate::signature::SignatureMatch::label): something like the date that it was created,
/// never a part of it.
///
/// ```
/// use cronofy_webhook::Secret;
///
/// let secret = Secret::new("CRN_an_example").with_label("2026-11");
///
/// assert_eq!(secret.label(), Some("2026-11"));
/// assert_eq!(format!("{secret:?}"), r#"Secret { label: Some("2026-11"), .. }"#);
/// ```
#[derive(Clone)]
pub struct Secret {
    value: Zeroizing<String>,
    label: Option<Arc<str>>,
}

impl Secret {
    /// A secret without a label.
    ///
    /// Nothing is checked here: an empty or blank secret is refused where it would be used, by
    /// [`Verifier::new`](crate::Verifier::new) and [`CronofyWebhookLayer::new`](crate::CronofyWebhookLayer::new).
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: Zeroizing::new(value.into()),
            label: None,
        }
    }

    /// Gives the secret a name that may be logged.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into().into());
        self
    }

    /// The name of the secret, if it was given one.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.value.as_bytes()
    }

    pub(crate) fn into_label(self) -> Option<Arc<str>> {
        self.label
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.value.chars().all(is_stray)
    }

    /// Whether the value begins or ends with something that a text file adds and a dashboard does not.
    pub(crate) fn has_stray_ends(&self) -> bool {
        self.value.starts_with(is_stray) || self.value.ends_with(is_stray)
    }
}

// A byte-order mark comes from the same place as a final newline, the text editor, and is as invisible.
fn is_stray(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

/// Why a set of secrets cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretError {
    /// The set is empty, so that no delivery could ever be accepted.
    NoSecrets,

    /// A secret is empty or nothing but white space: anybody could sign with it.
    #[non_exhaustive]
    Blank {
        /// Its place in the set, counted from 0.
        index: usize,
    },
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSecrets => f.write_str(
                "no Cronofy client secret was given: set the client secret of the application, as the Cronofy dashboard shows it",
            ),
            Self::Blank { index } => write!(
                f,
                "the Cronofy client secret at index {index} is empty or blank: set the client secret of the application, as the Cronofy dashboard shows it",
            ),
        }
    }
}

impl std::error::Error for SecretError {}
