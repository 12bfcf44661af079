use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Headers;

/// A delivery, and what was answered.
#[derive(Serialize, Deserialize)]
pub(crate) struct Entry {
    /// From 1.
    pub(crate) id: u64,
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) uri: String,
    pub(crate) headers: Headers,
    #[serde(rename = "body_b64", with = "super::base64")]
    pub(crate) body: Bytes,
    pub(crate) kind: String,
    pub(crate) verdict: Verdict,
    /// The client secret that signed it, from 0.
    pub(crate) secret: Option<usize>,
    /// What explains that the signature does not match.
    pub(crate) mistakes: Vec<String>,
    pub(crate) answer: Option<Answer>,
    /// Why there was no answer, or not the receiver's.
    pub(crate) error: Option<String>,
    /// How many times these bytes have come, this one included.
    pub(crate) attempt: u32,
    /// The first delivery of these bytes, if this is not it.
    pub(crate) of: Option<u64>,
    /// What it is if it was sent from the page.
    #[serde(default)]
    pub(crate) from_page: Option<FromPage>,
    /// The delivery that was sent again or edited.
    #[serde(default)]
    pub(crate) replay_of: Option<u64>,
}

/// What was sent from the page.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromPage {
    /// A delivery as it had come.
    Replay,
    /// A delivery with another body or signature.
    Edit,
    /// A delivery that had not come before.
    Trigger,
}

/// What the signature says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Authentic,
    Unauthentic,
    /// There was no client secret to check it with.
    Unchecked,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) by: AnsweredBy,
    pub(crate) took_ms: f64,
    pub(crate) headers: Headers,
    #[serde(rename = "body_b64", with = "super::base64")]
    pub(crate) body: Bytes,
}

/// Who has answered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AnsweredBy {
    Receiver,
    /// This program, as the receiver did not.
    Listen,
    /// The receiver, with another status in the place of its own.
    Fault,
}
