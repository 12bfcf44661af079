//! The stream, its consumer, and what is stored.

use std::time::Duration;

use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, Stream};
use async_nats::jetstream::{Context, ContextBuilder};
use cronofy_webhook::Notification;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Less than the 4 s of the layer, so that the handler says what went wrong.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A dot and asterisks have a meaning in subjects; spaces and control characters end them.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// A server closes the connection of a client that sends a line of more than 4 KiB, by default.
const LONGEST_TOKEN: usize = 255;

/// What a message holds: a notification, and the account that it was sent for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Job {
    pub account: String,
    pub notification: Notification,
}

impl Job {
    /// `cronofy.<account>.<channel>`, `=` if it came through no channel.
    ///
    /// What is long is replaced by its hash. The notifications of an account are deleted with
    /// `nats stream purge CRONOFY --subject 'cronofy.<account>.*'`.
    pub fn subject(&self) -> String {
        let channel = self.notification.channel();
        let channel = channel.map_or("", |channel| channel.channel_id.as_str());
        format!("cronofy.{}.{}", token(&self.account), token(channel))
    }
}

fn token(text: &str) -> String {
    let token = utf8_percent_encode(text, ESCAPED).to_string();
    match token.len() {
        0 => "=".to_owned(),
        1..=LONGEST_TOKEN => token,
        // The `=` is none of the characters that percent-encoding leaves.
        _ => Sha256::digest(text)
            .iter()
            .fold("=".to_owned(), |hash, byte| format!("{hash}{byte:02x}")),
    }
}

/// JetStream, with a time limit for all that it is asked.
pub fn jetstream(client: async_nats::Client) -> Context {
    ContextBuilder::new().timeout(TIMEOUT).build(client)
}

pub fn stream_config() -> Config {
    Config {
        name: "CRONOFY".to_owned(),
        subjects: vec!["cronofy.*.*".to_owned()],
        // What is acknowledged is deleted.
        retention: RetentionPolicy::WorkQueue,
        max_bytes: 1024 * 1024 * 1024,
        // By default a full stream deletes the oldest message, which was promised to be kept.
        discard: DiscardPolicy::New,
        ..Config::default()
    }
}

pub fn consumer_config() -> pull::Config {
    pull::Config {
        durable_name: Some("worker".to_owned()),
        // When a message is delivered again, if nothing was heard of it.
        ack_wait: Duration::from_secs(30),
        // Those that wait for another attempt count, and should not keep new ones from being delivered.
        max_ack_pending: 100_000,
        ..pull::Config::default()
    }
}

/// The stream, created if it is absent. One that exists is not changed.
pub async fn stream(jetstream: &Context) -> Result<Stream, async_nats::Error> {
    Ok(jetstream.get_or_create_stream(stream_config()).await?)
}

/// The consumer, created if it is absent. One that exists is not changed.
pub async fn consumer(stream: &Stream) -> Result<PullConsumer, async_nats::Error> {
    let config = consumer_config();
    Ok(stream.get_or_create_consumer("worker", config).await?)
}
