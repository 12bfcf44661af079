use std::env::{self, VarError};
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::events;

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
        self.value.chars().all(is_invisible)
    }

    /// Emits an event for each sign that the value was not copied as the dashboard shows it.
    pub(crate) fn warn_if_suspicious(&self, index: usize) {
        let has_stray_end =
            self.value.starts_with(is_invisible) || self.value.ends_with(is_invisible);
        for (is_suspicious, what, remedy) in [
            (
                has_stray_end,
                "begins or ends with white space or an invisible character",
                "remove it",
            ),
            (is_quoted(&self.value), "is in quotes", "remove the quotes"),
            (
                is_assignment(&self.value),
                "has the form NAME=value",
                "set the value only",
            ),
        ] {
            if is_suspicious {
                events::suspicious_secret(index, self.label(), what, remedy);
            }
        }
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

    /// A secret is blank: empty, or without a visible character.
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

/// Whether the character is of the Unicode categories Z, Cc or Cf.
fn is_invisible(c: char) -> bool {
    c.is_whitespace() || c.is_control() || is_format(c)
}

/// Whether the character is of the category Cf, as of Unicode 18.0. `std` has no table of it.
fn is_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0001}'
            | '\u{e0020}'..='\u{e007f}'
    )
}

fn is_quoted(value: &str) -> bool {
    let value = value.trim_matches(is_invisible);
    [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’')]
        .into_iter()
        .any(|(open, close)| {
            value
                .strip_prefix(open)
                .is_some_and(|rest| rest.ends_with(close))
        })
}

/// Whether the value is a line of an environment file. The `=` at the end of a Base64 text does not count.
fn is_assignment(value: &str) -> bool {
    let value = value.trim_matches(is_invisible);
    let value = value.strip_prefix("export ").unwrap_or(value);
    value.split_once('=').is_some_and(|(name, rest)| {
        let name_like = |c: char| c.is_ascii_alphanumeric() || c == '_';
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(name_like)
            && !rest.trim_matches('=').is_empty()
    })
}
