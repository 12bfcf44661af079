//! Sends what was recorded.

mod selection;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use cronofy_webhook::Verifier;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook_testing::time_limit;
use http::header::{CONTENT_LENGTH, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};

use self::selection::Selection;
use crate::client::{Body, Client};
use crate::edit::{Setting, edited_bytes};
use crate::error::Error;
use crate::fault::parse_duration;
use crate::listen::end_to_end;
use crate::output::{Output, note};
use crate::record::{Entry, read};
use crate::report::{Delivery, Summary};
use crate::secrets::SecretArgs;
use crate::target::Target;
use crate::text::Escaped;
use crate::tls;

/// More deliveries than this are a load.
const LOAD: usize = 10;

/// Sends deliveries of a record again, one after the other
///
/// What is sent are the bytes that came, with the headers that came and their signature, which has no expiry. Credentials are
/// not in a record, and not sent.
///
/// The exit status is 0 if each answer was a 2xx within the time that Cronofy waits.
#[derive(Args)]
#[command(after_help = "Examples:
  cronofy-webhook replay deliveries.ndjson --to 3000/cronofy/42
  cronofy-webhook replay deliveries.ndjson --to 3000/cronofy/42 --kind change --since 10m
  cronofy-webhook replay deliveries.ndjson --to 3000/cronofy/42 --id 7 --set /notification/changes_since=2026-01-01T00:00:00Z")]
pub(crate) struct Replay {
    /// The record, as `cronofy-webhook listen --record` writes it
    record: PathBuf,

    /// Only this one. Can be given several times
    #[arg(long = "id", value_name = "N")]
    ids: Vec<u64>,

    /// Only those of this kind. Can be given several times
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,

    /// Only those of this time before the last one of the record: `10m`
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    since: Option<Duration>,

    /// The URL of the receiver; `3000/cronofy/42` is `http://127.0.0.1:3000/cronofy/42`
    #[arg(long, value_name = "URL", env = "CRONOFY_WEBHOOK_TO", hide_env_values = true, value_parser = Target::parse)]
    to: Target,

    /// Set the value at a JSON pointer: `/channel/channel_id=chn_1`. It is parsed as JSON, or else is text. Implies --resign
    #[arg(long, value_name = "/POINTER=VALUE", value_parser = Setting::parse)]
    set: Vec<Setting>,

    /// Sign with the client secret, instead of sending the signature that came
    #[arg(long)]
    resign: bool,

    /// Allow more than 10 deliveries to a host that is not this machine
    #[arg(long)]
    allow_remote: bool,

    #[command(flatten)]
    secrets: SecretArgs,
}

impl Replay {
    /// Whether everything was delivered.
    pub(crate) async fn run(&self, output: Output) -> Result<bool, Error> {
        let verifier = self.verifier()?;
        let entries = self.entries()?;
        let addresses = self.to.resolve().await?;
        if entries.len() > LOAD && !self.allow_remote {
            addresses.require_loopback(&format!("more than {LOAD} deliveries"))?;
        }
        let requests = entries
            .iter()
            .map(|entry| self.request(entry, verifier.as_ref()));
        let requests: Vec<_> = requests.collect::<Result<_, _>>()?;
        let client = Client::new(self.to.clone(), addresses, tls::config(tls::roots())?);
        let url = self.to.to_string();
        let mut summary = Summary::default();
        for (entry, (request, limit)) in entries.iter().zip(requests) {
            let exchange = client.send(request, limit).await;
            summary.add(&exchange);
            let prefix = format!("{} {}: ", entry.id, Escaped(&entry.kind));
            Delivery::new(&entry.kind, &url, entry.id, &exchange, limit).print(output, prefix)?;
        }
        summary.print(output)?;
        Ok(summary.all_delivered())
    }

    /// What signs, if something is to.
    fn verifier(&self) -> Result<Option<Verifier>, Error> {
        if !self.resign && self.set.is_empty() {
            return Ok(None);
        }
        let verifier = self.secrets.load()?.verifier;
        if !self.resign {
            note("--set changes the bodies: they are signed with the client secret");
        }
        Ok(Some(verifier))
    }

    /// Those of the record that are asked for.
    fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut selection = Selection::new(&self.ids, &self.kinds, self.since);
        let skipped = read(BufReader::new(open(&self.record)?), |entry| {
            selection.add(entry);
        })?;
        if skipped > 0 {
            note(format_args!(
                "warning: {skipped} lines of the record are no delivery, and were skipped"
            ));
        }
        let entries = selection.finish();
        let found: BTreeSet<_> = entries.iter().map(|entry| entry.id).collect();
        if let Some(missing) = self.ids.iter().find(|id| !found.contains(id)) {
            return Err(Error::usage(format!(
                "delivery {missing} is not in the record, or not of this kind and time"
            )));
        }
        if entries.is_empty() {
            return Err(Error::usage(
                "the record has no delivery of this kind and time",
            ));
        }
        Ok(entries)
    }

    /// The request that came, for another host, and how long Cronofy waits for its answer.
    fn request(
        &self,
        entry: &Entry,
        verifier: Option<&Verifier>,
    ) -> Result<(Request<Body>, Duration), Error> {
        let body = if self.set.is_empty() {
            entry.body.clone()
        } else {
            edited_bytes(entry.body.to_vec(), &self.set)?
        };
        let mut headers = end_to_end(&entry.headers.to_map());
        headers.remove(HOST);
        headers.remove(CONTENT_LENGTH);
        if let Some(verifier) = verifier {
            headers.insert(HEADER, verifier.sign(&body));
        }
        let limit = time_limit(&body);
        let mut request = Request::new(Full::<Bytes>::new(body).boxed_unsync());
        *request.method_mut() = Method::POST;
        *request.headers_mut() = headers;
        Ok((request, limit))
    }
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| Error::usage(format!("{}: {error}", path.display())))
}
