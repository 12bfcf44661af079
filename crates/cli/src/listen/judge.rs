use cronofy_webhook::Notification;
use cronofy_webhook::signature::HEADER;
use http::HeaderMap;

use crate::finding::FindingRecord;
use crate::record::Verdict;
use crate::secrets::Secrets;

/// Larger bodies are not searched for a mistake: each is hashed many times.
const DIAGNOSED: usize = 256 * 1024;

/// What a delivery is, and what its signature says.
#[derive(Clone)]
pub(super) struct Judgement {
    pub(super) notification: Notification,
    pub(super) verdict: Verdict,
    pub(super) secret: Option<usize>,
    /// How many signatures are listed, and how many of them no secret made.
    pub(super) listed: usize,
    pub(super) unknown: Option<usize>,
    /// The secrets that made none of them.
    pub(super) unused: Vec<usize>,
    pub(super) findings: Vec<FindingRecord>,
    /// Why it is not authentic.
    pub(super) error: Option<String>,
}

impl Judgement {
    pub(super) fn new(secrets: Option<&Secrets>, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut judgement = Self {
            notification: Notification::from_slice(body),
            verdict: Verdict::Unchecked,
            secret: None,
            listed: listed(headers),
            unknown: None,
            unused: Vec::new(),
            findings: Vec::new(),
            error: None,
        };
        let Some(secrets) = secrets else {
            return judgement;
        };
        match secrets.verifier.verify(headers, body) {
            Ok(signature) => {
                judgement.verdict = Verdict::Authentic;
                judgement.secret = Some(signature.index());
                judgement.unknown = Some(signature.unknown_signatures());
                judgement.unused = signature.unused_secrets().map(|(index, _)| index).collect();
            }
            Err(error) => {
                judgement.verdict = Verdict::Unauthentic;
                judgement.error = Some(error.to_string());
                if body.len() <= DIAGNOSED {
                    let findings = secrets.diagnosis.explain(headers, body);
                    judgement.findings = findings.iter().map(FindingRecord::from).collect();
                }
            }
        }
        judgement
    }

    pub(super) fn kind(&self) -> &str {
        self.notification.kind()
    }

    pub(super) fn mistakes(&self) -> Vec<String> {
        let mistakes = self.findings.iter().map(|finding| finding.mistake);
        mistakes.map(str::to_owned).collect()
    }
}

/// How many items the header has.
fn listed(headers: &HeaderMap) -> usize {
    let values = headers.get_all(HEADER).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter(|item| !item.trim_ascii().is_empty())
        .count()
}
