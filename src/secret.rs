use std::env::{self, VarError};
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

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
        let trimmed = self.value.trim_matches(is_invisible);
        let unquoted = unquote(trimmed);
        let value = unquoted.unwrap_or(trimmed).trim_matches(is_invisible);
        let form = if is_reference(value) {
            Some(Suspicion::Reference)
        } else if is_placeholder(value) {
            Some(Suspicion::Placeholder)
        } else if is_assignment(value) {
            Some(Suspicion::Assignment)
        } else {
            has_structure(value).then_some(Suspicion::Structure)
        };
        let has_ends = trimmed.len() < self.value.len();
        [
            has_ends.then_some(Suspicion::Whitespace),
            unquoted.map(|_| Suspicion::Quotes),
            form,
        ]
        .into_iter()
        .flatten()
        .collect()
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

/// A sign that a [`Secret`] is not the value that the dashboard shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suspicion {
    /// It begins or ends with white space or an invisible character.
    Whitespace,
    /// It is in quotes.
    Quotes,
    /// It is a line of a settings file: `NAME=value`, `export NAME=value`, `name: value`.
    Assignment,
    /// It is a placeholder, a masked value or the secret of another service: `changeme`, `***`, `whsec_…`.
    Placeholder,
    /// It refers to a value: `${NAME}`, `{{ name }}`, `arn:aws:…`, `op://…`, a path.
    Reference,
    /// It has a character that no client secret has, as JSON, several lines, `id:secret` or a comment have.
    Structure,
}

impl Suspicion {
    /// The name, as events give it: `"whitespace"`, say. It does not change between releases.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.texts().0
    }

    /// What to do about it.
    pub(crate) fn remedy(self) -> &'static str {
        self.texts().1
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Whitespace => (
                "whitespace",
                "remove white space and invisible characters from its ends",
            ),
            Self::Quotes => ("quotes", "remove the quotes"),
            Self::Assignment => ("assignment", "set the value alone, without a name"),
            Self::Placeholder => ("placeholder", "set the client secret of the application"),
            Self::Reference => ("reference", "set the value that it refers to"),
            Self::Structure => (
                "structure",
                "set the client secret alone, as the Cronofy dashboard shows it",
            ),
        }
    }
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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

/// White space, and what `Debug` would escape as it cannot be seen.
fn is_invisible(c: char) -> bool {
    c.is_whitespace() || (!c.is_ascii_graphic() && c.escape_debug().len() > 1)
}

fn unquote(value: &str) -> Option<&str> {
    [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’')]
        .into_iter()
        .find_map(|(open, close)| value.strip_prefix(open)?.strip_suffix(close))
}

fn is_reference(value: &str) -> bool {
    const STARTS: [&str; 9] = [
        "$",
        "%{",
        "@",
        "/etc/",
        "/run/",
        "/var/",
        "arn:",
        "projects/",
        "vault:",
    ];
    STARTS.iter().any(|start| value.starts_with(start))
        || ["${", "$(", "{{", "://"]
            .iter()
            .any(|part| value.contains(part))
}

fn is_placeholder(value: &str) -> bool {
    const OTHER_SERVICES: [&str; 3] = ["sk_live_", "sk_test_", "whsec_"];
    #[rustfmt::skip]
    const WORDS: [&str; 17] = [
        "changeme", "clientsecret", "cronofyclientsecret", "dummy", "example", "hidden", "none", "null", "password",
        "placeholder", "redacted", "replaceme", "secret", "todo", "undefined", "yourclientsecret", "yoursecret",
    ];
    let letters = || {
        let letters = value.bytes().filter(u8::is_ascii_alphanumeric);
        letters.map(|byte| byte.to_ascii_lowercase())
    };
    OTHER_SERVICES.iter().any(|start| value.starts_with(start))
        || ["***", "•••"].iter().any(|mask| value.contains(mask))
        || (value.starts_with('<') && value.ends_with('>'))
        || WORDS.iter().any(|word| letters().eq(word.bytes()))
        || (letters().any(|letter| letter == b'x') && letters().all(|letter| letter == b'x'))
}

/// Whether the value is a line of a settings file. The `=` at the end of Base64 does not count.
fn is_assignment(value: &str) -> bool {
    let value = value.strip_prefix("export ").unwrap_or(value);
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let rest = value.trim_start_matches(is_in_name);
    let is_named = rest.len() < value.len() && !value.starts_with(|c: char| c.is_ascii_digit());
    is_named
        && match rest.trim_start().strip_prefix('=') {
            Some(value) => !value.trim_matches('=').is_empty(),
            None => rest.starts_with(": "),
        }
}

/// Whether something is there that is neither in Base64, of either alphabet, nor unreserved in URLs.
fn has_structure(value: &str) -> bool {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || "+/-_.~".contains(c);
    !value.trim_end_matches('=').chars().all(is_usual)
}
