use clap::Args;
use clap::builder::PossibleValuesParser;
use cronofy_webhook_testing::{Payload, Sample};
use serde::Serialize;

use crate::error::Error;
use crate::output::Output;

/// Lists the sample bodies, or prints one as it would be sent
///
/// Of a `documented` sample, Cronofy's documentation prints the fields. Of a `type_documented` one it names the type, and the
/// fields are those of similar types. A `reconstructed` one is put together from code that receives it: do not rely on the
/// presence of a field. A `synthetic` one is made up.
#[derive(Args)]
#[command(after_help = "Examples:
  cronofy-webhook samples
  cronofy-webhook samples change > change.json")]
pub(crate) struct Samples {
    /// Print the body of this one
    #[arg(value_name = "KIND", value_parser = names(), hide_possible_values = true)]
    name: Option<String>,
}

#[derive(Serialize)]
struct Record {
    name: &'static str,
    kind: &'static str,
    family: &'static str,
    provenance: &'static str,
    body: String,
}

impl Samples {
    /// Prints, and says that all is as wanted.
    pub(crate) fn run(&self, output: Output) -> Result<bool, Error> {
        let mut samples = Payload::samples().filter(|sample| {
            self.name
                .as_deref()
                .is_none_or(|name| name == sample.name())
        });
        if output.json {
            samples.try_for_each(|sample| output.record("sample", &record(&sample)))?;
        } else if self.name.is_some() {
            samples.try_for_each(|sample| output.bytes(sample.payload().as_str().as_bytes()))?;
        } else {
            output.line(format_args!(
                "{:<43}{:<22}{}",
                "KIND", "SENT BY", "HOW SURE"
            ))?;
            for sample in samples {
                output.line(format_args!(
                    "{:<43}{:<22}{}",
                    sample.name(),
                    sample.family(),
                    sample.provenance().as_str()
                ))?;
            }
        }
        Ok(true)
    }
}

/// Parses the name of a sample.
pub(crate) fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(Payload::samples().map(|sample| sample.name()))
}

fn record(sample: &Sample) -> Record {
    Record {
        name: sample.name(),
        kind: sample.kind(),
        family: sample.family(),
        provenance: sample.provenance().as_str(),
        body: sample.payload().as_str().to_owned(),
    }
}
