//! Signs a body and posts it.

mod body;

use std::cell::Cell;
use std::path::PathBuf;

use bytes::Bytes;
use clap::{ArgGroup, Args};
use cronofy_webhook::Notification;
use cronofy_webhook_testing::{Sender, time_limit};
use http_body_util::{BodyExt as _, Full};
use tokio::task::JoinSet;

use crate::client::{Client, Exchange};
use crate::edit::Setting;
use crate::error::Error;
use crate::input::is_stdin;
use crate::output::Output;
use crate::progress::with_progress;
use crate::report::{Delivery, Summary};
use crate::samples::names;
use crate::secrets::SecretArgs;
use crate::target::Target;
use crate::text::Escaped;
use crate::tls;

/// More deliveries than this are a load.
const LOAD: u32 = 10;

/// Signs a delivery, posts it, and prints the answer
///
/// The exit status is 0 if each answer was a 2xx within the time that Cronofy waits: 5 seconds, and 7 for an
/// `event_subscription` with `transitions`.
#[derive(Args)]
#[command(
    group(ArgGroup::new("what").required(true).args(["name", "body"])),
    after_help = "Examples:
  cronofy-webhook trigger change --to 3000/cronofy/42
  cronofy-webhook trigger smart_invite --to https://receiver.example/cronofy/42 --set /smart_invite/reply/status=declined
  cronofy-webhook trigger --body body.json --to 3000/cronofy/42 --secret-file secret.txt
  cronofy-webhook trigger change --to 3000/cronofy/42 --repeat 1000 --concurrency 20"
)]
pub(crate) struct Trigger {
    /// The sample to send, of those that `cronofy-webhook samples` lists. Its `callback_url` becomes the URL of --to
    #[arg(value_name = "KIND", value_parser = names(), hide_possible_values = true)]
    name: Option<String>,

    /// File with the body to send, byte for byte; `-` is standard input
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,

    /// The URL of the receiver; `3000/cronofy/42` is `http://127.0.0.1:3000/cronofy/42`
    #[arg(long, value_name = "URL", env = "CRONOFY_WEBHOOK_TO", hide_env_values = true, value_parser = Target::parse)]
    to: Target,

    /// Set the value at a JSON pointer: `/channel/channel_id=chn_1`. It is parsed as JSON, or else is text
    #[arg(long, value_name = "/POINTER=VALUE", value_parser = Setting::parse)]
    set: Vec<Setting>,

    /// Send it so many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    /// Send so many at the same time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    concurrency: Option<u32>,

    /// Allow more than 10 deliveries, or several at the same time, to a host that is not this machine
    #[arg(long)]
    allow_remote: bool,

    #[command(flatten)]
    secrets: SecretArgs,
}

impl Trigger {
    /// Whether everything was delivered.
    pub(crate) async fn run(&self, output: Output) -> Result<bool, Error> {
        if self.body.as_deref().is_some_and(is_stdin) && self.secrets.is_stdin() {
            return Err(Error::usage(
                "the body and the client secret cannot both be standard input",
            ));
        }
        let secrets = self.secrets.load()?;
        let body = self.body()?;
        let addresses = match self.to.resolve().await {
            Ok(addresses) => addresses,
            Err(error) => return self.print_unresolved(&error, &body, output),
        };
        if !self.allow_remote && (self.repeat > LOAD || self.concurrency.is_some()) {
            let what = format!("--concurrency, or --repeat with more than {LOAD},");
            addresses.require_loopback(&what)?;
        }
        let tls = tls::config(tls::roots())?;
        let client = Client::new(self.to.clone(), addresses, tls);
        self.send(
            &client,
            &Sender::from_verifier(secrets.verifier),
            &body,
            output,
        )
        .await
    }

    fn body(&self) -> Result<Bytes, Error> {
        match (&self.name, &self.body) {
            (Some(name), _) => body::of_sample(name, &self.to.to_string(), &self.set),
            (None, Some(path)) => body::of_file(path, &self.set),
            (None, None) => Err(Error::usage("neither a kind nor a body was given")),
        }
    }

    /// Prints a delivery that failed, and says that not everything was delivered.
    fn print_unresolved(&self, error: &Error, body: &Bytes, output: Output) -> Result<bool, Error> {
        let exchange = Exchange::unresolved(error);
        let url = self.to.to_string();
        let notification = Notification::from_slice(body);
        let mut summary = Summary::default();
        summary.add(&exchange);
        self.print_heading(&notification, output)?;
        Delivery::new(notification.kind(), &url, 1, &exchange, time_limit(body))
            .print(output, "")?;
        summary.print(output)?;
        Ok(false)
    }

    fn print_heading(&self, notification: &Notification, output: Output) -> Result<(), Error> {
        if output.json {
            return Ok(());
        }
        let (kind, url) = (notification.kind(), self.to.to_string());
        output.line(format_args!("{} to {}", Escaped(kind), Escaped(&url)))
    }

    async fn send(
        &self,
        client: &Client,
        sender: &Sender,
        body: &Bytes,
        output: Output,
    ) -> Result<bool, Error> {
        let url = self.to.to_string();
        let notification = Notification::from_slice(body);
        let limit = time_limit(body);
        let concurrency = self.concurrency.unwrap_or(1) as usize;
        let mut summary = Summary::default();
        let answered = Cell::new(0);
        let mut under_way = JoinSet::new();
        let mut numbers = 1..=self.repeat;
        self.print_heading(&notification, output)?;
        let work = async {
            loop {
                for number in numbers.by_ref().take(concurrency - under_way.len()) {
                    let client = client.clone();
                    let request = sender.request::<Full<Bytes>>(body.clone());
                    let request = request.map(|body| body.boxed_unsync());
                    under_way.spawn(async move { (number, client.send(request, limit).await) });
                }
                let Some(done) = under_way.join_next().await else {
                    return Ok::<_, Error>(());
                };
                let (number, exchange) = done.map_err(Error::failed)?;
                answered.set(answered.get() + 1);
                summary.add(&exchange);
                let prefix = match self.repeat {
                    1 => String::new(),
                    _ => format!("{number}: "),
                };
                Delivery::new(notification.kind(), &url, number.into(), &exchange, limit)
                    .print(output, prefix)?;
            }
        };
        with_progress(work, || {
            format!("{} of {} answered", answered.get(), self.repeat)
        })
        .await?;
        summary.print(output)?;
        Ok(summary.all_delivered())
    }
}
