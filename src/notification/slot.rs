use std::mem;

use super::UnknownReason;

/// The place of a member of a body. A member that is `null` counts as absent.
#[derive(Default)]
pub(super) enum Slot<T> {
    #[default]
    Absent,
    Is(T),
    /// Not as it should be, or there twice: what is wrong, without a word of what was received, as this gets into logs.
    Malformed(Box<str>),
}

impl<T> Slot<T> {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Puts in what was read of a member, unless it is `null`.
    pub(super) fn put(&mut self, read: serde_json::Result<Option<T>>) {
        let slot = match read {
            Ok(None) => return,
            Ok(Some(value)) => Self::Is(value),
            Err(error) => Self::Malformed(detail(&error).into()),
        };
        *self = match self {
            Self::Absent => slot,
            Self::Is(_) | Self::Malformed(_) => Self::Malformed("there is more than one".into()),
        };
    }

    /// Takes a member of the body that is promised.
    pub(super) fn promised(&mut self, member: &'static str) -> Result<T, UnknownReason> {
        self.optional(member)?
            .ok_or(UnknownReason::Missing { member })
    }

    /// Takes a member of the body that is not promised.
    pub(super) fn optional(&mut self, member: &'static str) -> Result<Option<T>, UnknownReason> {
        match mem::take(self) {
            Self::Absent => Ok(None),
            Self::Is(value) => Ok(Some(value)),
            Self::Malformed(detail) => Err(UnknownReason::Malformed {
                member,
                detail: detail.into(),
            }),
        }
    }

    /// Takes a member of `notification` that is promised.
    pub(super) fn promised_in_head(&mut self, name: &str) -> Result<T, UnknownReason> {
        self.optional_in_head(name)?
            .ok_or_else(|| UnknownReason::Malformed {
                member: "notification",
                detail: format!("`{name}` is missing"),
            })
    }

    /// Takes a member of `notification` that is not promised.
    pub(super) fn optional_in_head(&mut self, name: &str) -> Result<Option<T>, UnknownReason> {
        if let Self::Malformed(detail) = self {
            *detail = format!("`{name}` is malformed: {detail}").into();
        }
        self.optional("notification")
    }
}

fn detail(error: &serde_json::Error) -> String {
    let message = error.to_string();
    // Of serde's messages, these name a member of ours. Others quote what they did not expect.
    if message.starts_with("missing field ") || message.starts_with("duplicate field ") {
        message
    } else {
        format!(
            "not as expected at line {} column {}",
            error.line(),
            error.column()
        )
    }
}
