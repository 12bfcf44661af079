use cronofy_webhook_diagnosis::Finding;
use serde::Serialize;

/// What explains that a signature does not match, as it is printed in JSON.
#[derive(Clone, Serialize)]
pub(crate) struct FindingRecord {
    pub(crate) mistake: &'static str,
    pub(crate) certainty: &'static str,
    pub(crate) secret: Option<usize>,
    pub(crate) text: &'static str,
}

impl From<&Finding> for FindingRecord {
    fn from(finding: &Finding) -> Self {
        Self {
            mistake: finding.mistake.as_str(),
            certainty: finding.certainty.as_str(),
            secret: finding.secret,
            text: finding.mistake.sentence(),
        }
    }
}
