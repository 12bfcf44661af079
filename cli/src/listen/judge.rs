use cronofy_webhook::Notification;

use super::delivery::Received;
use crate::finding::FindingRecord;
use crate::record::Verdict;
use crate::secrets::Secrets;

/// Larger bodies are not searched for a mistake: each is hashed many times.
const DIAGNOSED: usize = 256 * 1024;

/// What a delivery is, and what its signature says.
pub(super) struct Judgement {
    pub(super) notification: Notification,
    pub(super) verdict: Verdict,
    pub(super) secret: Option<usize>,
    pub(super) findings: Vec<FindingRecord>,
    /// Why it is not authentic.
    pub(super) error: Option<String>,
}

impl Judgement {
    pub(super) fn new(secrets: Option<&Secrets>, received: &Received) -> Self {
        let mut judgement = Self {
            notification: Notification::from_slice(&received.body),
            verdict: Verdict::Unchecked,
            secret: None,
            findings: Vec::new(),
            error: None,
        };
        let Some(secrets) = secrets else {
            return judgement;
        };
        match secrets.verifier.verify(&received.headers, &received.body) {
            Ok(signature) => {
                judgement.verdict = Verdict::Authentic;
                judgement.secret = Some(signature.index());
            }
            Err(error) => {
                judgement.verdict = Verdict::Unauthentic;
                judgement.error = Some(error.to_string());
                if received.body.len() <= DIAGNOSED {
                    let findings = secrets.diagnosis.explain(&received.headers, &received.body);
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
