//! What the signature says, without the signature.

use serde::Serialize;

use crate::finding::FindingRecord;
use crate::listen::judge::Judgement;
use crate::listen::store::Stored;
use crate::record::Verdict;
use crate::secrets::Secrets;

#[derive(Serialize)]
pub(super) struct Signature {
    verdict: Verdict,
    secret: Option<String>,
    listed: usize,
    unknown: Option<usize>,
    unused: Vec<String>,
    error: Option<String>,
    findings: Vec<Explanation>,
}

#[derive(Serialize)]
struct Explanation {
    mistake: &'static str,
    certainty: &'static str,
    secret: Option<String>,
    text: &'static str,
}

impl Signature {
    /// Judges it again, unless the end of the body was not kept.
    pub(super) fn new(secrets: Option<&Secrets>, stored: &Stored) -> Self {
        let entry = &stored.entry;
        let count = secrets.map_or(0, |secrets| secrets.count);
        match &stored.judgement {
            Some(judgement) => Self::of(judgement, count),
            None => {
                let headers = entry.headers.to_map();
                Self::of(&Judgement::new(secrets, &headers, &entry.body), count)
            }
        }
    }

    fn of(judgement: &Judgement, count: usize) -> Self {
        let label = |index: &usize| label(*index, count);
        let findings = judgement.findings.iter().map(|finding| {
            let FindingRecord {
                mistake,
                certainty,
                secret,
                text,
            } = finding;
            Explanation {
                mistake,
                certainty,
                secret: secret.as_ref().map(label),
                text,
            }
        });
        Self {
            verdict: judgement.verdict,
            secret: judgement.secret.as_ref().map(label),
            listed: judgement.listed,
            unknown: judgement.unknown,
            unused: judgement.unused.iter().map(label).collect(),
            error: judgement.error.clone(),
            findings: findings.collect(),
        }
    }
}

/// A client secret, by its place among those that were given.
pub(super) fn label(index: usize, count: usize) -> String {
    format!("client secret {} of {count}", index + 1)
}

/// Enough of each signature to tell one from another.
pub(super) fn masked(header: &str) -> String {
    let masked = header.split(',').map(|item| {
        let start: String = item.trim().chars().take(4).collect();
        format!("{start}…")
    });
    masked.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_masked() {
        let header = "38ArsN7+J/O8joGsgirVEdV16a/+eb+5QgHGIiuv4hk=, x,é";
        assert_eq!(masked(header), "38Ar…, x…, é…");
    }
}
