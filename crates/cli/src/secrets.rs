use std::env;
use std::path::PathBuf;

use clap::Args;
use cronofy_webhook::{Secret, SecretError, Verifier};
use cronofy_webhook_diagnosis::Diagnosis;

use crate::error::Error;
use crate::input::{is_stdin, read};
use crate::output::note;

const VARIABLE: &str = "CRONOFY_CLIENT_SECRET";

/// Where the client secrets are.
#[derive(Args)]
pub(crate) struct SecretArgs {
    /// File with the client secret; several, one a line, while rotating. `-` is standard input
    ///
    /// Without it, the secrets are those in the environment variable `CRONOFY_CLIENT_SECRET`, separated by commas.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// The client secrets, ready for use.
pub(crate) struct Secrets {
    pub(crate) verifier: Verifier,
    pub(crate) diagnosis: Diagnosis,
    pub(crate) count: usize,
    /// Each on its own, to sign with.
    pub(crate) each: Vec<Verifier>,
}

impl SecretArgs {
    pub(crate) fn is_stdin(&self) -> bool {
        self.secret_file.as_deref().is_some_and(is_stdin)
    }

    /// As [`load`](Self::load), but nothing if neither the variable is set nor a file named.
    pub(crate) fn load_if_given(&self) -> Result<Option<Secrets>, Error> {
        if self.secret_file.is_none() && env::var_os(VARIABLE).is_none() {
            return Ok(None);
        }
        self.load().map(Some)
    }

    /// Reads the secrets, and says on standard error what looks wrong with them.
    pub(crate) fn load(&self) -> Result<Secrets, Error> {
        let secrets = match &self.secret_file {
            Some(path) => {
                let bytes = read(path)?;
                let text = String::from_utf8(bytes)
                    .map_err(|_| Error::usage("the file with the client secret is not UTF-8"))?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                text.split('\n').map(Secret::from).collect()
            }
            None => Secret::from_env(VARIABLE).map_err(|error| match error {
                SecretError::NotSet { .. } => {
                    Error::usage(format!("{error}, or name a file with --secret-file"))
                }
                error => Error::usage(error),
            })?,
        };
        Secrets::new(secrets)
    }
}

impl Secrets {
    fn new(secrets: Vec<Secret>) -> Result<Self, Error> {
        let count = secrets.len();
        let verifier = Verifier::new(secrets.clone()).map_err(Error::usage)?;
        let each = secrets.iter().map(|secret| Verifier::new([secret.clone()]));
        let each: Vec<_> = each.collect::<Result<_, _>>().map_err(Error::usage)?;
        let diagnosis = Diagnosis::new(secrets).map_err(Error::usage)?;
        for finding in diagnosis.check_secrets() {
            let number = finding.secret.map_or(1, |index| index + 1);
            let sentence = finding.mistake.sentence();
            note(format_args!(
                "warning: probably, {sentence} (client secret {number} of {count})"
            ));
        }
        Ok(Self {
            verifier,
            diagnosis,
            count,
            each,
        })
    }
}
