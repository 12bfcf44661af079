//! The lines, as they are printed.

use std::net::IpAddr;

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
            not_checked: String,
        }

        let [pass, unknown, warn, fail] = self.counts;
        let record = Record {
            url: target.to_string(),
            pass,
            unknown,
            warn,
            fail,
            not_checked: not_checked(target),
        };
        if self.output.json {
            self.output.record("summary", &record)?;
        } else {
            self.output.line(format_args!(
                "{pass} pass, {warn} warn, {fail} fail, {unknown} unknown"
            ))?;
            let not_checked = Escaped(&record.not_checked);
            self.output
                .line(format_args!("not checked: {not_checked}"))?;
        }
        Ok(fail == 0)
    }
}

/// What this command cannot tell. SSL Labs tests hosts of the public DNS at the port 443, and nothing else.
fn not_checked(target: &Target) -> String {
    const FIREWALL: &str = "whether a firewall lets Cronofy in";
    const TEST: &str = "https://www.ssllabs.com/ssltest/";

    if !target.is_https() {
        return format!(
            "{FIREWALL}; the TLS of what is in front of this receiver: check its https URL"
        );
    }
    let grade = format!(
        "{FIREWALL}; cipher suites and the rest of the grade, of which Cronofy asks for A (HSTS matters for A+ only)"
    );
    let host = target.host();
    if target.port() == 443 && host.contains('.') && host.parse::<IpAddr>().is_err() {
        format!("{grade}: {TEST}analyze.html?d={host}")
    } else {
        format!("{grade}, which {TEST} tells of a public host name, at port 443 only")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_of_ssl_labs_is_linked_where_there_is_one() {
        for (url, end) in [
            ("http://a.example/", "check its https URL"),
            (
                "https://a.example/cronofy",
                ": https://www.ssllabs.com/ssltest/analyze.html?d=a.example",
            ),
            ("https://a.example:443/", "analyze.html?d=a.example"),
            ("https://a.example:8443/", "at port 443 only"),
            ("https://localhost/", "at port 443 only"),
            ("https://192.0.2.1/", "at port 443 only"),
            ("https://[2001:db8::1.2.3.4]/", "at port 443 only"),
        ] {
            let text = not_checked(&Target::parse(url).unwrap());
            assert!(text.ends_with(end), "{text}");
            assert_eq!(text.contains("HSTS"), url.starts_with("https:"));
        }
    }
}
