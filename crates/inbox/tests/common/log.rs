use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{DefaultGuard, set_default};

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged on this thread until it is dropped: for a runtime that has no other.
pub(crate) struct Log {
    text: Text,
    _guard: DefaultGuard,
}

impl Log {
    pub(crate) fn start() -> Self {
        // With a single subscriber, tracing asks that of the thread that reaches an event first whether anybody is interested:
        // one without a subscriber would turn the event off for this one.
        static SECOND: LazyLock<Dispatch> =
            LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));
        LazyLock::force(&SECOND);

        let text = Text::default();
        let writer = text.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        Self {
            text,
            _guard: set_default(subscriber),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.text.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines with this text so far.
    pub(crate) fn lines(&self, message: &str) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains(message));
        lines.map(str::to_owned).collect()
    }

    /// The only line with this text.
    #[track_caller]
    pub(crate) fn line(&self, message: &str) -> String {
        let lines = self.lines(message);
        assert_eq!(lines.len(), 1, "{message}: {}", self.text());
        assert!(
            lines[0].contains(" cronofy_webhook_inbox: "),
            "{}",
            lines[0]
        );
        lines[0].clone()
    }
}
