//! What an answer means for Cronofy, in a sentence.

use http::StatusCode;
use serde::Serialize;

use crate::hint;
use crate::listen::store::Stored;
use crate::record::{Answer, AnsweredBy, Verdict};

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Outcome {
    tone: Tone,
    text: String,
    hint: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Tone {
    Good,
    Warning,
    Bad,
    Neutral,
}

impl Outcome {
    pub(super) fn new(stored: &Stored) -> Self {
        let entry = &stored.entry;
        let took = stored.took_ms.unwrap_or_default().round();
        let error = entry.error.as_deref().unwrap_or_default();
        let Some(answer) = &entry.answer else {
            return Self {
                tone: Tone::Bad,
                text: format!("No answer: {error}: Cronofy would retry"),
                hint: None,
            };
        };
        let took = format!("{} in {took} ms", answer.status);
        if !stored.is_delivery() {
            return Self {
                tone: Tone::Neutral,
                text: format!("{took}: not a delivery"),
                hint: None,
            };
        }
        let mut outcome = Self::of_delivery(&took, answer, entry.verdict);
        if answer.by != AnsweredBy::Receiver {
            outcome.text += &format!(" ({error})");
        }
        outcome
    }

    fn of_delivery(took: &str, answer: &Answer, verdict: Verdict) -> Self {
        let status = StatusCode::from_u16(answer.status).unwrap_or_default();
        let is_by_receiver = answer.by == AnsweredBy::Receiver;
        let hint = hint::of_status(status).filter(|_| is_by_receiver);
        let (tone, what, hint) = match (status.is_success(), verdict) {
            (true, Verdict::Unauthentic) if is_by_receiver => (
                Tone::Warning,
                "the receiver accepts what Cronofy did not sign",
                Some(
                    "either it does not check the signature, or it has another client secret than this command",
                ),
            ),
            (true, _) => (Tone::Good, "Cronofy is content", None),
            (false, Verdict::Unauthentic) if status == StatusCode::UNAUTHORIZED => (
                Tone::Warning,
                "refused, as its signature does not match",
                Some(
                    "if it is from Cronofy, which would retry, the tab Signature helps to find out why",
                ),
            ),
            (false, _) => (Tone::Bad, "Cronofy would retry", hint),
        };
        Self {
            tone,
            text: format!("{took}: {what}"),
            hint,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::record::Headers;

    fn outcome(status: u16, by: AnsweredBy, verdict: Verdict) -> (Tone, String, bool) {
        let answer = Answer {
            status,
            by,
            took_ms: 12.0,
            headers: Headers::from(&HeaderMap::new()),
            body: bytes::Bytes::new(),
        };
        let outcome = Outcome::of_delivery(&format!("{status} in 12 ms"), &answer, verdict);
        (outcome.tone, outcome.text, outcome.hint.is_some())
    }

    #[test]
    fn it_says_what_cronofy_does() {
        use AnsweredBy::{Listen, Receiver};
        use Verdict::{Authentic, Unauthentic, Unchecked};

        let (content, retry) = ("Cronofy is content", "Cronofy would retry");
        let refused = "refused, as its signature does not match";
        let accepted = "the receiver accepts what Cronofy did not sign";
        for (status, by, verdict, tone, text, has_hint) in [
            (204, Receiver, Authentic, Tone::Good, content, false),
            (204, Receiver, Unchecked, Tone::Good, content, false),
            (401, Receiver, Authentic, Tone::Bad, retry, true),
            (504, Listen, Authentic, Tone::Bad, retry, false),
            (401, Receiver, Unauthentic, Tone::Warning, refused, true),
            (500, Receiver, Unauthentic, Tone::Bad, retry, false),
            (204, Receiver, Unauthentic, Tone::Warning, accepted, true),
        ] {
            let expected = (tone, format!("{status} in 12 ms: {text}"), has_hint);
            assert_eq!(outcome(status, by, verdict), expected);
        }
    }
}
