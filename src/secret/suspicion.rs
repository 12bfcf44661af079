use std::fmt;

/// A sign that a [`Secret`](crate::Secret) is not the value that the dashboard shows.
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

/// What looks wrong with a value.
pub(super) fn of(value: &str) -> Vec<Suspicion> {
    let trimmed = value.trim_matches(is_invisible);
    let unquoted = unquote(trimmed);
    let bare = unquoted.unwrap_or(trimmed).trim_matches(is_invisible);
    let form = if is_reference(bare) {
        Some(Suspicion::Reference)
    } else if is_placeholder(bare) {
        Some(Suspicion::Placeholder)
    } else if is_assignment(bare) {
        Some(Suspicion::Assignment)
    } else {
        has_structure(bare).then_some(Suspicion::Structure)
    };
    let has_ends = trimmed.len() < value.len();
    [
        has_ends.then_some(Suspicion::Whitespace),
        unquoted.map(|_| Suspicion::Quotes),
        form,
    ]
    .into_iter()
    .flatten()
    .collect()
}

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
