mod suspicion;

use std::env::{self, VarError};
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

pub use self::suspicion::Suspicion;

/// A client secret of a Cronofy application: the key of the signature.
///
/// Cronofy has no separate webhook secret: it [signs with the client
/// secret](https://docs.cronofy.com/developers/push-notifications/authentication/). The value, as the dashboard shows it,
/// is used as text, byte for byte: no prefix is expected (newer secrets start with `CRN_`, older ones do not) and nothing
/// is trimmed.
///
/// The value does not appear in the [`Debug`] output and is overwritten in memory when it is dropped. Copies outside the
/// `Secret` (an environment variable, a `&str`) are not.
///
/// An optional label names the secret in events and in
/// [`SignatureMatch::label`](crate::signature::SignatureMatch::label). Use the date of its creation, for example, and
/// never a part of the secret.
///
/// `Secret` is deserialised from a string, for use in a configuration struct.
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
#[must_use]
pub struct Secret {
    value: Zeroizing<String>,
    label: Option<String>,
}

impl Secret {
    /// A secret without a label.
    ///
    /// The value is not checked here: [`Verifier::new`](crate::Verifier::new) and
    /// [`CronofyWebhookLayer::new`](crate::CronofyWebhookLayer::new) refuse a blank one.
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: Zeroizing::new(value.into()),
            label: None,
        }
    }

    /// The secrets in an environment variable, separated by commas.
    ///
    /// For what takes secrets besides a verifier, such as a diagnosis:
    /// [`Verifier::from_env`](crate::Verifier::from_env) reads the variable itself. White space around each secret is removed.
    ///
    /// # Errors
    ///
    /// If the variable is not set or not Unicode, or if it or one of its items is blank.
    pub fn from_env(name: &str) -> Result<Vec<Self>, SecretError> {
        let variable = name.to_owned();
        let value = match env::var(name) {
            Ok(value) => Zeroizing::new(value),
            Err(VarError::NotPresent) => return Err(SecretError::NotSet { variable }),
            Err(VarError::NotUnicode(_)) => return Err(SecretError::NotUnicode { variable }),
        };
        let secrets: Vec<Self> = value.split(',').map(|item| item.trim().into()).collect();
        match secrets.iter().position(Self::is_blank) {
            Some(index) => Err(SecretError::BlankItem { variable, index }),
            None => Ok(secrets),
        }
    }

    /// Sets a name for the secret that may be logged.
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The label, if there is one.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The value, for what signs or diagnoses with it. Nothing in this crate logs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.value
    }

    pub(crate) fn into_label(self) -> Option<String> {
        self.label
    }

    pub(crate) fn is_blank(&self) -> bool {
        !self.value.bytes().any(|byte| byte.is_ascii_graphic())
    }

    /// What looks wrong with the value; nothing if it may be a client secret.
    ///
    /// [`Verifier::new`](crate::Verifier::new) logs each at warn level and uses the value as it is.
    ///
    /// ```
    /// use cronofy_webhook::{Secret, Suspicion};
    ///
    /// assert_eq!(Secret::new("'CRN_an_example'\n").suspicions(), [Suspicion::Whitespace, Suspicion::Quotes]);
    /// assert_eq!(Secret::new(r#"{"client_secret":"CRN_an_example"}"#).suspicions(), [Suspicion::Structure]);
    /// assert_eq!(Secret::new("CRN_an_example").suspicions(), []);
    /// ```
    #[must_use]
    pub fn suspicions(&self) -> Vec<Suspicion> {
        suspicion::of(&self.value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl From<&String> for Secret {
    fn from(value: &String) -> Self {
        Self::new(value)
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde's own error would quote a value of another type, such as a number.
        String::deserialize(deserializer)
            .map(Self::new)
            .map_err(|_| D::Error::custom("a client secret must be a string"))
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
///
/// [`Debug`] prints the same sentence as [`Display`](fmt::Display), as `main` prints the former.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretError {
    /// The set is empty: no delivery could be accepted.
    NoSecrets,

    /// A secret is blank: empty, or without a visible ASCII character.
    ///
    /// Anyone could sign with it. A secret of NUL characters even equals the empty one, as HMAC pads its key with them.
    #[non_exhaustive]
    Blank {
        /// The index of the secret in the set, from 0.
        index: usize,
    },

    /// The environment variable is not set.
    #[non_exhaustive]
    NotSet {
        /// The name of the variable.
        variable: String,
    },

    /// The value of the environment variable is not Unicode.
    #[non_exhaustive]
    NotUnicode {
        /// The name of the variable.
        variable: String,
    },

    /// The environment variable is blank, or one of the items between its commas is.
    #[non_exhaustive]
    BlankItem {
        /// The name of the variable.
        variable: String,
        /// The index of the item, from 0.
        index: usize,
    },
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSecrets => f.write_str("no Cronofy client secret was given")?,
            Self::Blank { index } => {
                write!(f, "the Cronofy client secret at index {index} is blank")?;
            }
            Self::NotSet { variable } => {
                write!(f, "the environment variable {variable} is not set")?;
            }
            Self::NotUnicode { variable } => {
                write!(f, "the environment variable {variable} is not Unicode")?;
            }
            Self::BlankItem { variable, index } => write!(
                f,
                "the environment variable {variable} is blank, or item {} of its comma-separated list is",
                index + 1
            )?,
        }
        f.write_str(": set the client secret of the application, as the Cronofy dashboard shows it")
    }
}

impl fmt::Debug for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SecretError {}
