//! The line of a request.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::delivery::{Answered, Received};
use super::judge::Judgement;
use crate::error::Error;
use crate::finding::FindingRecord;
use crate::output::Output;
use crate::record::{AnsweredBy, FromPage, Verdict};
use crate::secrets::Secrets;
use crate::text::Escaped;
use crate::times::millis;

#[derive(Serialize)]
pub(super) struct Line<'a> {
    id: Option<u64>,
    at: Timestamp,
    method: &'a str,
    uri: String,
    kind: Option<&'a str>,
    channel: Option<&'a str>,
    verdict: Option<Verdict>,
    secret: Option<usize>,
    findings: &'a [FindingRecord],
    attempt: Option<u32>,
    of: Option<u64>,
    from_page: Option<FromPage>,
    replay_of: Option<u64>,
    status: Option<u16>,
    by: Option<AnsweredBy>,
    took_ms: f64,
    error: Option<&'a str>,
    #[serde(skip)]
    mismatch: Option<&'a str>,
}

impl<'a> Line<'a> {
    pub(super) fn new(received: &'a Received, outcome: Result<&'a Answered, &'a str>) -> Self {
        Self {
            id: None,
            at: received.at,
            method: received.method.as_str(),
            uri: received.uri.to_string(),
            kind: None,
            channel: None,
            verdict: None,
            secret: None,
            findings: &[],
            attempt: None,
            of: None,
            from_page: received.from_page.map(|(what, _)| what),
            replay_of: received.from_page.and_then(|(_, of)| of),
            status: outcome
                .ok()
                .map(|answered| answered.response.status().as_u16()),
            by: outcome.ok().map(|answered| answered.by),
            took_ms: millis(received.started.elapsed()),
            error: match outcome {
                Ok(answered) => answered.error.as_deref(),
                Err(error) => Some(error),
            },
            mismatch: None,
        }
    }

    /// Adds what a delivery is.
    pub(super) fn judged(
        &mut self,
        id: u64,
        attempt: u32,
        of: Option<u64>,
        judgement: &'a Judgement,
    ) {
        let channel = judgement.notification.channel();
        self.id = Some(id);
        self.kind = Some(judgement.kind());
        self.channel = channel.map(|channel| channel.channel_id.as_str());
        self.verdict = Some(judgement.verdict);
        self.secret = judgement.secret;
        self.findings = &judgement.findings;
        self.attempt = Some(attempt);
        self.of = of;
        self.mismatch = judgement.error.as_deref();
    }

    pub(super) fn error(&self) -> Option<String> {
        self.error.map(str::to_owned)
    }

    pub(super) fn took_ms(&self) -> f64 {
        self.took_ms
    }

    pub(super) fn print(&self, output: Output, secrets: Option<&Secrets>) -> Result<(), Error> {
        if output.json {
            return output.record("delivery", self);
        }
        let time = self.at.strftime("%H:%M:%S");
        let what = match self.id {
            Some(id) => self.delivery(id, secrets.map_or(0, |secrets| secrets.count)),
            None => format!(
                "{} {}, not a delivery",
                Escaped(self.method),
                Escaped(&self.uri)
            ),
        };
        let status = match self.status {
            Some(status) => status.to_string(),
            None => "no answer".to_owned(),
        };
        let error = match self.error {
            Some(error) => format!(": {}", Escaped(error)),
            None => String::new(),
        };
        let took = Duration::from_secs_f64(self.took_ms / 1e3).as_millis();
        output.line(format_args!(
            "{time} {what}: {status} after {took} ms{error}"
        ))
    }

    fn delivery(&self, id: u64, secrets: usize) -> String {
        let kind = Escaped(self.kind.unwrap_or_default());
        let mut text = format!("{id} {kind}");
        if let Some(channel) = self.channel {
            text += &format!(" {}", Escaped(channel));
        }
        text += &match (self.verdict, self.secret) {
            (Some(Verdict::Authentic), Some(secret)) if secrets > 1 => {
                format!(", authentic (client secret {} of {secrets})", secret + 1)
            }
            (Some(Verdict::Authentic), _) => ", authentic".to_owned(),
            (Some(Verdict::Unauthentic), _) => format!(", not authentic ({})", self.reason()),
            (Some(Verdict::Unchecked) | None, _) => ", unchecked".to_owned(),
        };
        if let (Some(attempt), Some(of)) = (self.attempt, self.of) {
            text += &format!(", attempt {attempt} of delivery {of}");
        }
        text += &match (self.from_page, self.replay_of) {
            (Some(FromPage::Replay), Some(of)) => format!(", replay of {of}"),
            (Some(FromPage::Edit), Some(of)) => format!(", edited from {of}"),
            (Some(_), _) => ", triggered from the page".to_owned(),
            (None, _) => String::new(),
        };
        text
    }

    /// Why it is not authentic, in short.
    fn reason(&self) -> String {
        match (self.findings.first(), self.mismatch) {
            (Some(finding), _) => format!("{}: {}", finding.certainty, finding.text),
            (None, mismatch) => mismatch.unwrap_or_default().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_sends_is_told_apart() {
        for (from_page, replay_of, text) in [
            (None, None, "7 change, unchecked"),
            (
                Some(FromPage::Replay),
                Some(3),
                "7 change, unchecked, replay of 3",
            ),
            (
                Some(FromPage::Edit),
                Some(3),
                "7 change, unchecked, edited from 3",
            ),
            (
                Some(FromPage::Trigger),
                None,
                "7 change, unchecked, triggered from the page",
            ),
        ] {
            let line = Line {
                id: Some(7),
                at: Timestamp::UNIX_EPOCH,
                method: "POST",
                uri: "/".to_owned(),
                kind: Some("change"),
                channel: None,
                verdict: Some(Verdict::Unchecked),
                secret: None,
                findings: &[],
                attempt: None,
                of: None,
                from_page,
                replay_of,
                status: Some(204),
                by: Some(AnsweredBy::Receiver),
                took_ms: 1.0,
                error: None,
                mismatch: None,
            };
            assert_eq!(line.delivery(7, 0), text);
        }
    }
}
