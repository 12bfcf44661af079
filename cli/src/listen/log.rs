//! What has come, and what was answered: lines, and the record.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::attempts::Attempts;
use super::delivery::{Answered, Received};
use super::guide::Guide;
use super::judge::Judgement;
use super::line::Line;
use crate::error::Error;
use crate::output::{Output, note};
use crate::record::{Answer, Entry, Headers, RecordFile};
use crate::secrets::Secrets;
use crate::times::millis;

pub(super) struct Log {
    output: Output,
    secrets: Option<Secrets>,
    until: Option<u64>,
    /// Told when listening is to end.
    end: UnboundedSender<Result<(), Error>>,
    state: Mutex<State>,
}

/// What changes with each request.
pub(super) struct State {
    pub(super) attempts: Attempts,
    pub(super) record: Option<RecordFile>,
    pub(super) guide: Guide,
}

impl Log {
    pub(super) fn new(
        output: Output,
        secrets: Option<Secrets>,
        until: Option<u64>,
        end: UnboundedSender<Result<(), Error>>,
        state: State,
    ) -> Self {
        Self {
            output,
            secrets,
            until,
            end,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what the first request from outside says about the tunnel.
    pub(super) fn seen(&self, received: &Received) {
        self.state().guide.seen(received);
    }

    /// Logs a request that was not sent on.
    pub(super) fn refused(&self, received: &Received, refusal: &Answered) {
        let line = Line::new(received, Ok(refusal));
        self.print(&line);
    }

    /// Logs a request that was sent on, or would have been.
    pub(super) fn add(&self, received: &Received, outcome: Result<&Answered, &str>) {
        let mut line = Line::new(received, outcome);
        if !received.is_delivery() {
            self.print(&line);
            return;
        }
        let judgement = Judgement::new(self.secrets.as_ref(), received);
        let mut state = self.state();
        let (id, attempt, of) = state
            .attempts
            .add(&received.uri.to_string(), &received.body);
        line.judged(id, attempt, of, &judgement);
        self.print(&line);
        state.guide.judged(received, &judgement);
        let entry = Entry {
            id,
            at: received.at,
            method: received.method.to_string(),
            uri: received.uri.to_string(),
            headers: Headers::from(&received.headers),
            body: received.body.clone(),
            kind: judgement.kind().to_owned(),
            verdict: judgement.verdict,
            secret: judgement.secret,
            mistakes: judgement.mistakes(),
            answer: outcome.ok().map(|answered| Answer {
                status: answered.response.status().as_u16(),
                by: answered.by,
                took_ms: millis(received.started.elapsed()),
                headers: Headers::from(answered.response.headers()),
                body: answered.response.body().clone(),
            }),
            error: line.error(),
            attempt,
            of,
        };
        state.append(&entry);
        if self.until == Some(state.attempts.since_start()) {
            // Listening has ended already if nobody is told.
            let _ = self.end.send(Ok(()));
        }
    }

    fn print(&self, line: &Line<'_>) {
        if let Err(error) = line.print(self.output, self.secrets.as_ref()) {
            let _ = self.end.send(Err(error));
        }
    }
}

impl State {
    /// A record that cannot be written is not written further: what is missing would not be noticed.
    fn append(&mut self, entry: &Entry) {
        let Some(record) = &mut self.record else {
            return;
        };
        if let Err(error) = record.append(entry) {
            note(format_args!(
                "warning: the record ends before delivery {}, nothing more is recorded: {error}",
                entry.id
            ));
            self.record = None;
        }
    }
}
