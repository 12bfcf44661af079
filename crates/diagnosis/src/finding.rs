use std::fmt;

use crate::Mistake;

/// A mistake that explains why a signature did not match.
///
/// [`Display`](fmt::Display) is a sentence that says what is wrong and what to do. Neither it nor the
/// [`Debug`] output has any part of a secret, a signature or a body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong.
    pub mistake: Mistake,
    /// How certain that is.
    pub certainty: Certainty,
    /// The secret that it was found with: its place in the set, counted from 0. `None` if no secret was involved.
    pub secret: Option<usize>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.certainty {
            Certainty::Proven => "",
            Certainty::Likely => "probably, ",
            Certainty::Possible => "possibly, ",
        })?;
        f.write_str(self.mistake.sentence())?;
        match self.secret {
            Some(index) => write!(f, " (client secret at index {index})"),
            None => Ok(()),
        }
    }
}

/// How certain a [`Finding`] is, ordered by increasing certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Certainty {
    /// A guess, as nothing else explains it.
    Possible,
    /// Inferred from what was received, not proven.
    Likely,
    /// With this mistake undone, the signature matched.
    Proven,
}

impl Certainty {
    /// The name, as events give it: `"proven"`, say.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Proven => "proven",
        }
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
