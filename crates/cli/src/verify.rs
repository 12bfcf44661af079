use std::path::PathBuf;

use clap::{ArgGroup, Args};
use cronofy_webhook::Notification;
use cronofy_webhook::signature::{HEADER, SignatureError, SignatureMatch};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use crate::error::Error;
use crate::finding::FindingRecord;
use crate::input::{is_stdin, read};
use crate::output::Output;
use crate::secrets::{SecretArgs, Secrets};
use crate::text::Escaped;

/// Says whether a delivery is authentic, or why its signature does not match
///
/// Works offline. The body must be the bytes that arrived: the exit status is 0 if one of the client secrets signed them.
#[derive(Args)]
#[command(
    group(ArgGroup::new("signed").required(true).multiple(true).args(["signature", "headers"])),
    after_help = "Examples:
  cronofy-webhook verify --body body.json --signature 38ArsN7+J/O8joGsgirVEdV16a/+eb+5QgHGIiuv4hk=
  cronofy-webhook verify --body - --header 'Cronofy-HMAC-SHA256: …' --header 'Content-Length: 236' < body.json"
)]
pub(crate) struct Verify {
    /// File with the body, byte for byte as it arrived; `-` is standard input
    #[arg(long, value_name = "FILE")]
    body: PathBuf,

    /// The value of the header `Cronofy-HMAC-SHA256`
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    signature: Option<HeaderValue>,

    /// A header of the request; can be given several times. Others than the signature help to find a mistake
    #[arg(long = "header", value_name = "'NAME: VALUE'", value_parser = parse_header)]
    headers: Vec<(HeaderName, HeaderValue)>,

    #[command(flatten)]
    secrets: SecretArgs,
}

fn parse_header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("it has no colon")?;
    let name = name
        .trim()
        .parse()
        .map_err(|_| "the name is not that of a header")?;
    let value = HeaderValue::from_bytes(value.trim().as_bytes())
        .map_err(|_| "the value has control characters")?;
    Ok((name, value))
}

impl Verify {
    /// Says whether the delivery is authentic.
    pub(crate) fn run(&self, output: Output) -> Result<bool, Error> {
        if is_stdin(&self.body) && self.secrets.is_stdin() {
            return Err(Error::usage(
                "the body and the client secret cannot both be standard input",
            ));
        }
        let secrets = self.secrets.load()?;
        let body = read(&self.body)?;
        let mut headers: HeaderMap = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        if let Some(signature) = &self.signature {
            headers.append(HEADER, signature.clone());
        }
        let report = Report::new(&secrets, &headers, &body);
        if output.json {
            output.record("report", &report)?;
        } else {
            report.print(output, &secrets)?;
        }
        Ok(report.authentic)
    }
}

#[derive(Serialize)]
struct Report {
    authentic: bool,
    kind: Option<String>,
    secret: Option<usize>,
    unknown_signatures: usize,
    unused_secrets: Vec<usize>,
    error: Option<String>,
    findings: Vec<FindingRecord>,
    #[serde(skip)]
    usual_cause: &'static str,
}

impl Report {
    fn new(secrets: &Secrets, headers: &HeaderMap, body: &[u8]) -> Self {
        match secrets.verifier.verify(headers, body) {
            Ok(signature) => Self::authentic(&signature, body),
            Err(error) => Self {
                authentic: false,
                kind: None,
                secret: None,
                unknown_signatures: 0,
                unused_secrets: Vec::new(),
                error: Some(error.to_string()),
                usual_cause: usual_cause(&error),
                findings: secrets
                    .diagnosis
                    .explain(headers, body)
                    .iter()
                    .map(FindingRecord::from)
                    .collect(),
            },
        }
    }

    fn authentic(signature: &SignatureMatch, body: &[u8]) -> Self {
        Self {
            authentic: true,
            kind: Some(Notification::from_slice(body).kind().to_owned()),
            secret: Some(signature.index()),
            unknown_signatures: signature.unknown_signatures(),
            unused_secrets: signature.unused_secrets().map(|(index, _)| index).collect(),
            error: None,
            findings: Vec::new(),
            usual_cause: "",
        }
    }

    fn print(&self, output: Output, secrets: &Secrets) -> Result<(), Error> {
        let count = secrets.count;
        let (Some(kind), Some(secret)) = (&self.kind, self.secret) else {
            return self.print_findings(output, count);
        };
        let kind = Escaped(kind);
        let number = secret + 1;
        output.line(format_args!(
            "authentic: {kind}, signed with client secret {number} of {count}"
        ))?;
        if self.unknown_signatures > 0 {
            output.line(format_args!(
                "rotation: {} of the signatures is of a secret that was not given: if there is a new one, add it before the old one is revoked",
                self.unknown_signatures
            ))?;
        }
        for unused in &self.unused_secrets {
            output.line(format_args!(
                "rotation: client secret {} made none of the signatures: if that is so for every delivery, it is revoked and can be removed",
                unused + 1
            ))?;
        }
        Ok(())
    }

    fn print_findings(&self, output: Output, count: usize) -> Result<(), Error> {
        let error = self.error.as_deref().unwrap_or_default();
        output.line(format_args!("not authentic: {error}"))?;
        for finding in &self.findings {
            let FindingRecord {
                certainty, text, ..
            } = finding;
            match finding.secret {
                Some(index) => output.line(format_args!(
                    "{certainty}: {text} (client secret {} of {count})",
                    index + 1
                ))?,
                None => output.line(format_args!("{certainty}: {text}"))?,
            }
        }
        if !self.findings.is_empty() {
            return Ok(());
        }
        output.line(self.usual_cause)
    }
}

/// What is to be said where nothing explains the error.
fn usual_cause(error: &SignatureError) -> &'static str {
    match error {
        SignatureError::Missing => {
            "usually a proxy has removed the header, or Cronofy did not send the request: give all headers that arrived, each with --header"
        }
        SignatureError::Malformed { .. } => {
            "nothing explains it: usually the value of the header was changed or cut off on the way"
        }
        _ => {
            "nothing explains it: usually the client secret is that of another application or environment, or the body is not the bytes that arrived"
        }
    }
}
