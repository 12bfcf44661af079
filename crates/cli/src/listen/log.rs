//! What has come, and what was answered: lines, the record, and what the page shows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use tokio::sync::mpsc::UnboundedSender;

use super::attempts::Attempts;
use super::delivery::{Answered, Received};
use super::guide::Guide;
use super::judge::Judgement;
use super::line::Line;
use super::store::{Store, channel_id};
use crate::error::Error;
use crate::output::{Output, note};
use crate::record::{Answer, Entry, Headers, RecordFile, Verdict};
use crate::secrets::Secrets;
use crate::times::millis;

/// How many requests a page may lag behind before it reads the list again.
const LAG: usize = 1024;

pub(super) struct Log {
    output: Output,
    pub(super) secrets: Option<Secrets>,
    until: Option<u64>,
    /// Told when listening is to end.
    end: UnboundedSender<Result<(), Error>>,
    /// Told the key of what is new.
    pub(super) news: broadcast::Sender<u64>,
    state: Mutex<State>,
}

/// What changes with each request.
pub(super) struct State {
    pub(super) attempts: Attempts,
    /// How many deliveries have come, without those from the page.
    pub(super) arrived: u64,
    pub(super) record: Option<RecordFile>,
    /// Where the record is, also when it is not written any more.
    pub(super) record_path: Option<String>,
    pub(super) guide: Guide,
    pub(super) store: Store,
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
            news: broadcast::Sender::new(LAG),
            state: Mutex::new(state),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what the first request from outside says about the tunnel.
    pub(super) fn seen(&self, received: &Received) {
        self.state().guide.seen(received);
    }

    /// Logs a request that was not sent on.
    pub(super) fn refused(&self, received: &Received, refusal: &Answered) {
        let outcome = Ok(refusal);
        let line = Line::new(received, outcome);
        self.print(&line);
        self.keep(other(received, outcome, &line), line.took_ms(), None);
    }

    /// Logs a request that was sent on, or would have been. Returns its key.
    pub(super) fn add(&self, received: &Received, outcome: Result<&Answered, &str>) -> u64 {
        let mut line = Line::new(received, outcome);
        if !received.is_delivery() {
            self.print(&line);
            return self.keep(other(received, outcome, &line), line.took_ms(), None);
        }
        let judgement = Judgement::new(self.secrets.as_ref(), &received.headers, &received.body);
        let mut state = self.state();
        let (id, attempt, of) = state
            .attempts
            .add(&received.uri.to_string(), &received.body);
        line.judged(id, attempt, of, &judgement);
        self.print(&line);
        state.guide.judged(received, &judgement);
        let entry = Entry {
            id,
            kind: judgement.kind().to_owned(),
            verdict: judgement.verdict,
            secret: judgement.secret,
            mistakes: judgement.mistakes(),
            attempt,
            of,
            ..other(received, outcome, &line)
        };
        state.append(&entry);
        let is_last = received.from_page.is_none() && {
            state.arrived += 1;
            self.until == Some(state.arrived)
        };
        drop(state);
        if is_last {
            // Listening has ended already if nobody is told.
            let _ = self.end.send(Ok(()));
        }
        let took_ms = line.took_ms();
        self.keep(entry, took_ms, Some(judgement))
    }

    /// Keeps a request for the page, and tells those that are open.
    fn keep(&self, entry: Entry, took_ms: f64, judgement: Option<Judgement>) -> u64 {
        let channel = judgement
            .as_ref()
            .and_then(|judgement| channel_id(&judgement.notification));
        let mut state = self.state();
        let key = state.store.add(entry, channel, Some(took_ms), judgement);
        // Nobody is told if no page is open.
        let _ = self.news.send(key);
        key
    }

    fn print(&self, line: &Line<'_>) {
        if let Err(error) = line.print(self.output, self.secrets.as_ref()) {
            let _ = self.end.send(Err(error));
        }
    }
}

impl State {
    /// Nothing has come, and nothing is recorded.
    pub(super) fn new(guide: Guide, store: Store) -> Self {
        Self {
            attempts: Attempts::default(),
            arrived: 0,
            record: None,
            record_path: None,
            guide,
            store,
        }
    }

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

/// What is known of any request. Its `id` is 0, as for what is not a delivery.
fn other(received: &Received, outcome: Result<&Answered, &str>, line: &Line<'_>) -> Entry {
    Entry {
        id: 0,
        at: received.at,
        method: received.method.to_string(),
        uri: received.uri.to_string(),
        headers: Headers::from(&received.headers),
        body: received.body.clone(),
        kind: String::new(),
        verdict: Verdict::Unchecked,
        secret: None,
        mistakes: Vec::new(),
        answer: outcome.ok().map(|answered| Answer {
            status: answered.response.status().as_u16(),
            by: answered.by,
            took_ms: millis(received.started.elapsed()),
            headers: Headers::from(answered.response.headers()),
            body: answered.response.body().clone(),
        }),
        error: line.error(),
        attempt: 1,
        of: None,
        from_page: received.from_page.map(|(what, _)| what),
        replay_of: received.from_page.and_then(|(_, of)| of),
    }
}
