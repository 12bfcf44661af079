//! The lines, as they are printed.

use serde::Serialize;

use super::line::Line;
use crate::error::Error;
use crate::output::Output;
use crate::target::Target;
use crate::text::Escaped;

/// Prints lines and counts them.
pub(super) struct Report {
    output: Output,
    /// By verdict.
    counts: [usize; 4],
}

impl Report {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            counts: [0; 4],
        }
    }

    pub(super) fn print(&mut self, lines: &[Line]) -> Result<(), Error> {
        for line in lines {
            self.counts[line.verdict as usize] += 1;
            if self.output.json {
                self.output.record("check", line)?;
            } else {
                let verdict = line.verdict.as_str();
                self.output.line(format_args!(
                    "{verdict:<8} {:<21} {}",
                    line.id,
                    Escaped(&line.text)
                ))?;
            }
        }
        Ok(())
    }

    pub(super) fn skip(&mut self, ids: &[&'static str], why: &str) -> Result<(), Error> {
        let lines: Vec<_> = ids.iter().map(|id| Line::unknown(id, why)).collect();
        self.print(&lines)
    }

    /// Whether nothing failed.
    pub(super) fn finish(&self, target: &Target) -> Result<bool, Error> {
        #[derive(Serialize)]
        struct Record {
            url: String,
            pass: usize,
            unknown: usize,
            warn: usize,
            fail: usize,
            not_checked: Option<String>,
        }

        let [pass, unknown, warn, fail] = self.counts;
        let record = Record {
            url: target.to_string(),
            pass,
            unknown,
            warn,
            fail,
            not_checked: target.is_https().then(|| format!(
                "cipher suites and the rest of the grade, of which Cronofy asks for A (HSTS matters for A+ only): https://www.ssllabs.com/ssltest/analyze.html?d={}",
                target.host()
            )),
        };
        if self.output.json {
            self.output.record("summary", &record)?;
        } else {
            self.output.line(format_args!(
                "{pass} pass, {warn} warn, {fail} fail, {unknown} unknown"
            ))?;
            if let Some(not_checked) = &record.not_checked {
                self.output
                    .line(format_args!("not checked: {}", Escaped(not_checked)))?;
            }
        }
        Ok(fail == 0)
    }
}
