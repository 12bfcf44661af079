//! What was found out, a line for each question.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

/// The answer to a question, the worse the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Pass,
    /// It depends on something that failed, or could not be found out.
    Unknown,
    Warn,
    /// Deliveries do not arrive, or not only Cronofy's do.
    Fail,
}

impl Verdict {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// A question, its answer, and what to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Line {
    pub(super) id: &'static str,
    pub(super) verdict: Verdict,
    pub(super) text: String,
}

impl Line {
    pub(super) fn pass(id: &'static str, text: impl fmt::Display) -> Self {
        Self::new(id, Verdict::Pass, text)
    }

    pub(super) fn unknown(id: &'static str, text: impl fmt::Display) -> Self {
        Self::new(id, Verdict::Unknown, text)
    }

    pub(super) fn warn(id: &'static str, text: impl fmt::Display) -> Self {
        Self::new(id, Verdict::Warn, text)
    }

    pub(super) fn fail(id: &'static str, text: impl fmt::Display) -> Self {
        Self::new(id, Verdict::Fail, text)
    }

    fn new(id: &'static str, verdict: Verdict, text: impl fmt::Display) -> Self {
        Self {
            id,
            verdict,
            text: text.to_string(),
        }
    }
}

/// One line for each question that was put to several addresses: the worst answer, and where it was given.
pub(super) fn merged(answers: &[(IpAddr, Vec<Line>)]) -> Vec<Line> {
    let Some((_, first)) = answers.first() else {
        return Vec::new();
    };
    let questions = first.iter().enumerate();
    let merge = |(index, line): (usize, &Line)| {
        let all = answers
            .iter()
            .map(|(address, lines)| (address, &lines[index]));
        let worst = all.clone().map(|(_, line)| line.verdict).max();
        let verdict = worst.unwrap_or(line.verdict);
        let of_worst: Vec<_> = all
            .clone()
            .filter(|(_, line)| line.verdict == verdict)
            .collect();
        let (_, given) = of_worst[0];
        let text = if of_worst.len() == answers.len()
            && of_worst.iter().all(|(_, line)| line.text == given.text)
        {
            given.text.clone()
        } else {
            let texts: Vec<_> = of_worst
                .iter()
                .map(|(address, line)| format!("{address}: {}", line.text))
                .collect();
            texts.join("; ")
        };
        Line::new(line.id, verdict, text)
    };
    questions.map(merge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_answer_is_told_with_its_address() {
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let good = vec![Line::pass("a", "fine"), Line::pass("b", "fine")];
        let bad = vec![Line::pass("a", "fine"), Line::fail("b", "expired")];
        let merged = merged(&[(address(1), good), (address(2), bad)]);
        assert_eq!(
            merged,
            [
                Line::pass("a", "fine"),
                Line::fail("b", "192.0.2.2: expired")
            ]
        );
    }
}
