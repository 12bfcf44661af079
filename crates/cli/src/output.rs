//! Standard output and standard error.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};

use serde::Serialize;

use crate::error::Error;
use crate::text::escaped_json;

/// Standard output, as text or as JSON.
///
/// If it is closed, what is printed is dropped: the exit status still says how it went.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    pub(crate) fn line(self, line: impl fmt::Display) -> Result<(), Error> {
        self.bytes(format!("{line}\n").as_bytes())
    }

    /// Prints one JSON object with the version and the type in front.
    pub(crate) fn record(self, r#type: &'static str, fields: &impl Serialize) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Record<'a, T> {
            v: u8,
            r#type: &'static str,
            #[serde(flatten)]
            fields: &'a T,
        }

        let record = Record {
            v: 1,
            r#type,
            fields,
        };
        let json = serde_json::to_string(&record).map_err(Error::failed)?;
        self.line(escaped_json(&json))
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Error::failed(format!("standard output: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// Prints a line on standard error, where nothing can be done about a failure.
pub(crate) fn note(line: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
