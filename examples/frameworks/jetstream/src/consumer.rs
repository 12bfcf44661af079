//! Takes what is stored, and runs one job for the changes of a channel that wait.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{AckKind, Message};
use cronofy_webhook::Notification;
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::queue::Job;

/// How many messages are taken at most. A group can have as many.
const BATCH: usize = 256;

/// How many jobs run at the same time.
const CONCURRENCY: usize = 8;

/// How long a request for messages waits for one.
const WAIT: Duration = Duration::from_secs(5);

/// How long to wait after the server could not be asked.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs jobs until `stop` is ready and those that have begun are done. One of these at a time: with two, the runs of a
/// channel can overlap.
///
/// A batch is done before the next one is taken, so that of each channel one job runs, and so that what waits meanwhile is in
/// the stream, where it expects no acknowledgement yet.
pub async fn run<F>(consumer: PullConsumer, work: impl Fn(Job) -> F, stop: impl Future<Output = ()>)
where
    F: Future<Output = Result<(), async_nats::Error>>,
{
    let renewal = consumer.cached_info().config.ack_wait / 3;
    let mut stop = pin!(stop);
    loop {
        let batch = tokio::select! {
            biased;
            () = &mut stop => return,
            batch = next_batch(&consumer) => batch,
        };
        match batch {
            Ok(messages) => {
                let permits = Semaphore::new(CONCURRENCY);
                let groups = groups(messages);
                let runs = groups
                    .into_iter()
                    .map(|group| group.run(&work, &permits, renewal));
                join_all(runs).await;
            }
            Err(error) => {
                eprintln!("cannot take messages: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Waits for a message, and takes all that are there then. What it had taken when it fails, or is dropped, is delivered again.
async fn next_batch(consumer: &PullConsumer) -> Result<Vec<Message>, async_nats::Error> {
    let first = consumer.batch().max_messages(1).expires(WAIT);
    let mut messages: Vec<_> = first.messages().await?.try_collect().await?;
    if !messages.is_empty() {
        let more = consumer.fetch().max_messages(BATCH - 1).messages().await?;
        // Without an end of its own, should the connection be lost.
        let more: Vec<_> = timeout(WAIT, more.try_collect()).await??;
        messages.extend(more);
    }
    Ok(messages)
}

/// A job, and the messages that are done when it is.
struct Group {
    job: Result<Job, serde_json::Error>,
    messages: Vec<Message>,
}

/// One for the changes of each channel, with the earliest `changes_since`; and one for each other message.
fn groups(messages: Vec<Message>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut of_channel: HashMap<String, usize> = HashMap::new();
    for message in messages {
        let job = serde_json::from_slice(&message.payload);
        let index = match changes_since(&job) {
            Some(_) => *of_channel
                .entry(message.subject.to_string())
                .or_insert(groups.len()),
            None => groups.len(),
        };
        match groups.get_mut(index) {
            Some(group) => {
                if changes_since(&job) < changes_since(&group.job) {
                    group.job = job;
                }
                group.messages.push(message);
            }
            None => groups.push(Group {
                job,
                messages: vec![message],
            }),
        }
    }
    groups
}

fn changes_since<E>(job: &Result<Job, E>) -> Option<Timestamp> {
    match &job.as_ref().ok()?.notification {
        Notification::Change(change) => Some(change.changes_since),
        _ => None,
    }
}

impl Group {
    /// Acknowledges the messages once the job is done, and asks for them again if it has failed.
    async fn run<F>(self, work: &impl Fn(Job) -> F, permits: &Semaphore, renewal: Duration)
    where
        F: Future<Output = Result<(), async_nats::Error>>,
    {
        let Self { job, messages } = self;
        let run = async {
            let _permit = permits.acquire().await?;
            work(job?).await
        };
        let done = tokio::select! {
            done = run => done,
            never = renew(&messages, renewal) => match never {},
        };
        let answer = done.map_or_else(
            |error| {
                eprintln!("failed: {error}");
                AckKind::Nak(Some(delay(&messages)))
            },
            |()| AckKind::Ack,
        );
        acknowledge(&messages, answer).await;
    }
}

/// Says that the messages are worked on, before the server delivers them again.
async fn renew(messages: &[Message], interval: Duration) -> Infallible {
    loop {
        sleep(interval).await;
        acknowledge(messages, AckKind::Progress).await;
    }
}

/// One second, which doubles with each attempt, up to 512 seconds.
fn delay(messages: &[Message]) -> Duration {
    let attempts = messages
        .iter()
        .filter_map(|message| Some(message.info().ok()?.delivered));
    let attempts = attempts.max().unwrap_or(1);
    Duration::from_secs(1 << (attempts - 1).clamp(0, 9))
}

/// If this does not arrive, the messages are delivered again.
async fn acknowledge(messages: &[Message], kind: AckKind) {
    for message in messages {
        if let Err(error) = message.ack_with(kind).await {
            eprintln!("cannot acknowledge: {error}");
        }
    }
}
