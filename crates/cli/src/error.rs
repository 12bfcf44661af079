use std::fmt;

/// Why a command could not do what was asked.
#[derive(Debug)]
pub(crate) enum Error {
    /// It was asked for in a way that is not possible.
    Usage(String),
    /// Something outside failed.
    Failed(String),
}

impl Error {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::Usage(message.to_string())
    }

    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::Failed(message.to_string())
    }

    /// As clap, for what it cannot check itself.
    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(message) | Self::Failed(message)) = self;
        f.write_str(message)
    }
}
