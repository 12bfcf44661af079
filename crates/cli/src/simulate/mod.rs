//! Cronofy at work, in fast motion.

mod post;
mod report;

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use cronofy_webhook_testing::{Cronofy, OpenChannel, Payload, Schedule, Sender};
use http_body_util::Full;
use jiff::Timestamp;
use tokio::select;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::post::Post;
use self::report::{Plan, Tally};
use crate::client::Client;
use crate::error::Error;
use crate::fault::{Fault, Faults, parse_duration};
use crate::output::Output;
use crate::progress::with_progress;
use crate::secrets::SecretArgs;
use crate::target::Target;
use crate::tls;

/// The intervals are not published; these are of the library.
const FIRST_RETRY: Duration = Duration::from_secs(60);
const LONGEST_INTERVAL: Duration = Duration::from_secs(60 * 60);

const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Each opens a connection, and a process may have only so many.
const OPENED_AT_ONCE: usize = 50;

type Channel = OpenChannel<Post, Full<Bytes>>;

/// Sends what Cronofy would in a day, in fast motion: a verification, changes, retries
///
/// Cronofy retries a delivery for 24 hours, and closes the channel if none succeeded in that time. The 24 hours, the intervals of
/// the retries and --for are simulated: an hour takes a second at the speed of 3600. The interval is not published: it is
/// assumed to be 1 minute, doubling to 1 hour. Real are --rate, the 5 seconds that Cronofy waits, and the delay of a fault.
///
/// The exit status is 0 if changes were sent, nothing was lost, no channel closed and no verification failed.
#[derive(Args)]
#[command(after_help = "Examples:
  cronofy-webhook simulate --to 3000/cronofy/42
  cronofy-webhook simulate --to 3000/cronofy/42 --for 48h --speed 7200 --rate 50/s --channels 10
  cronofy-webhook simulate --to 3000/cronofy/42 --fault status=503@10% --fault delay=6s@1% --seed 7")]
pub(crate) struct Simulate {
    /// The URL of the receiver; `3000/cronofy/42` is `http://127.0.0.1:3000/cronofy/42`
    #[arg(long, value_name = "URL", env = "CRONOFY_WEBHOOK_TO", hide_env_values = true, value_parser = Target::parse)]
    to: Target,

    /// How long changes are sent, in simulated time
    #[arg(long = "for", value_name = "TIME", default_value = "24h", value_parser = parse_duration)]
    time: Duration,

    /// How many times as fast as real time
    #[arg(long, value_name = "N", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..=86400))]
    speed: u32,

    /// How many channels are opened, all with the URL of --to
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10000))]
    channels: u32,

    /// How many changes are sent in a second of real time, over all channels
    #[arg(long, value_name = "N/s", default_value = "10/s", value_parser = parse_rate)]
    rate: u32,

    /// What goes wrong, with a share of the attempts to send a change: `delay=6s` posts later, `status=503` posts and takes the answer for that
    /// status, `drop` does not post. `@10%` is the share, all without it. Can be given several times
    #[arg(long = "fault", value_name = "FAULT[@PERCENT]", value_parser = Fault::parse)]
    faults: Vec<Fault>,

    /// Draws the same faults again [default: another one each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Allow a host that is not this machine
    #[arg(long)]
    allow_remote: bool,

    #[command(flatten)]
    secrets: SecretArgs,
}

fn parse_rate(text: &str) -> Result<u32, String> {
    let rate = text.strip_suffix("/s").unwrap_or(text).parse().ok();
    rate.filter(|rate| (1..=10_000).contains(rate))
        .ok_or_else(|| "it is not a rate from 1/s to 10000/s".to_owned())
}

impl Simulate {
    /// Whether everything was delivered.
    pub(crate) async fn run(&self, output: Output) -> Result<bool, Error> {
        let secrets = self.secrets.load()?;
        let addresses = self.to.resolve().await?;
        if !self.allow_remote {
            addresses.require_loopback("simulate")?;
        }
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..1 << 53));
        let client = Client::new(self.to.clone(), addresses, tls::config(tls::roots())?);
        let plan = Plan {
            url: self.to.to_string(),
            time: self.time,
            speed: self.speed,
            rate: self.rate,
            seed,
        };
        let faults = Faults::new(self.faults.clone(), seed);
        let post = Post::new(client, faults, plan.warning_of_timeouts());
        let sender = Sender::from_verifier(secrets.verifier);
        let cronofy = Cronofy::new(sender, post.clone())
            .schedule(Schedule::doubling(
                FIRST_RETRY / self.speed,
                LONGEST_INTERVAL / self.speed,
            ))
            .give_up_after(GIVE_UP_AFTER / self.speed);

        let started = Instant::now();
        let tally = RefCell::new(Tally::default());
        let state = || {
            let simulated = started.elapsed().saturating_mul(self.speed);
            tally.borrow().progress(simulated)
        };
        let work = async {
            let channels = self.open(&cronofy).await?;
            self.notify(&channels, &tally).await?;
            Ok::<_, Error>(channels)
        };
        let channels = with_progress(work, state).await?;
        let channels: Vec<_> = channels
            .iter()
            .map(|channel| (channel.is_open(), channel.attempts()))
            .collect();
        let tally = tally.into_inner();
        tally.finish(&plan, &channels, &mut post.seen(), output)
    }

    async fn open(&self, cronofy: &Cronofy<Post, Full<Bytes>>) -> Result<Vec<Channel>, Error> {
        let mut opening = JoinSet::new();
        let mut channels = Vec::new();
        let mut numbers = 1..=self.channels;
        loop {
            for number in numbers.by_ref().take(OPENED_AT_ONCE - opening.len()) {
                let (cronofy, url) = (cronofy.clone(), self.to.to_string());
                let id = format!("chn_{number:024x}");
                opening.spawn(async move { cronofy.open_channel_with_id(&id, &url).await });
            }
            let Some(channel) = opening.join_next().await else {
                break;
            };
            channels.push(channel.map_err(Error::failed)?);
        }
        Ok(channels)
    }

    /// Sends changes through all channels in turn, and waits for what became of them.
    async fn notify(&self, channels: &[Channel], tally: &RefCell<Tally>) -> Result<(), Error> {
        let started = Instant::now();
        let mut ticks = interval(Duration::from_secs(1) / self.rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut left = self.changes();
        let mut turns = channels.iter().cycle();
        let mut under_way = JoinSet::new();
        while left > 0 {
            select! {
                biased;
                Some(outcome) = under_way.join_next() => tally.borrow_mut().add(&outcome.map_err(Error::failed)?),
                _ = ticks.tick() => {
                    let mut turns = turns.by_ref().take(channels.len());
                    let Some(channel) = turns.find(|channel| channel.is_open()) else {
                        break;
                    };
                    let body = self.change(channel, started.elapsed());
                    let channel = channel.clone();
                    under_way.spawn(async move { channel.notify(body).await });
                    left -= 1;
                }
            }
        }
        while let Some(outcome) = under_way.join_next().await {
            tally.borrow_mut().add(&outcome.map_err(Error::failed)?);
        }
        Ok(())
    }

    /// How many changes are sent in all. The last may come late on a busy machine.
    fn changes(&self) -> u128 {
        let simulated_s = u128::from(self.speed) * Duration::from_secs(1).as_nanos();
        (self.time.as_nanos() * u128::from(self.rate)).div_ceil(simulated_s)
    }

    /// A change of now, in simulated time that ends in the present.
    fn change(&self, channel: &Channel, elapsed: Duration) -> Payload {
        let left = self.time.saturating_sub(elapsed.saturating_mul(self.speed));
        let since = Timestamp::now().saturating_sub(left).unwrap_or_default();
        let since = Timestamp::from_second(since.as_second()).unwrap_or_default();
        Payload::change(since).channel(channel.id(), channel.callback_url())
    }
}
