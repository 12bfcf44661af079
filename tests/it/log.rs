//! What is logged, as an operator reads it.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::util::SubscriberInitExt as _;

use crate::support::{CHANGE, OTHER_SECRET, SECRET, verifier};

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// What was logged in this thread until the guard is dropped.
    pub(crate) fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let guard = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .set_default();
        (log, guard)
    }

    /// The lines, checked for what must never be in them.
    pub(crate) fn lines(&self) -> Vec<String> {
        let bytes = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let text = String::from_utf8(bytes).unwrap();
        let signature = verifier().sign(CHANGE);
        for private in [
            SECRET,
            OTHER_SECRET,
            signature.to_str().unwrap(),
            "callback_url",
        ] {
            assert!(!text.contains(private), "{private} in {text}");
        }
        text.lines().map(|line| line.trim().to_owned()).collect()
    }
}
