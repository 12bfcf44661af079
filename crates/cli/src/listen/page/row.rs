use jiff::Timestamp;
use serde::Serialize;

use crate::listen::store::Stored;
use crate::record::{AnsweredBy, FromPage, Verdict};
use crate::times::millis;

/// What the list shows of a request.
#[derive(Serialize)]
pub(super) struct Row {
    key: u64,
    id: Option<u64>,
    at: Timestamp,
    method: String,
    uri: String,
    kind: String,
    channel: Option<String>,
    verdict: Verdict,
    status: Option<u16>,
    by: Option<AnsweredBy>,
    took_ms: Option<f64>,
    limit_ms: f64,
    error: Option<String>,
    attempt: u32,
    of: Option<u64>,
    from_page: Option<FromPage>,
    replay_of: Option<u64>,
    length: usize,
    is_cut: bool,
}

impl Row {
    pub(super) fn new(stored: &Stored) -> Self {
        let entry = &stored.entry;
        let answer = entry.answer.as_ref();
        Self {
            key: stored.key,
            id: stored.id(),
            at: entry.at,
            method: entry.method.clone(),
            uri: entry.uri.clone(),
            kind: entry.kind.clone(),
            channel: stored.channel.clone(),
            verdict: entry.verdict,
            status: answer.map(|answer| answer.status),
            by: answer.map(|answer| answer.by),
            took_ms: stored.took_ms,
            limit_ms: millis(stored.limit),
            error: entry.error.clone(),
            attempt: entry.attempt,
            of: entry.of,
            from_page: entry.from_page,
            replay_of: entry.replay_of,
            length: stored.body_length,
            is_cut: stored.is_cut(),
        }
    }
}
