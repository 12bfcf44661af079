//! The demonstration: a simulated Cronofy changes calendars and sends notifications, and the local copy must become equal.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cronofy_webhook::Verifier;
use cronofy_webhook_inbox::Inbox;
use cronofy_webhook_testing::{Payload, Sender};
use http::{Request, StatusCode, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::accounts::Accounts;
use crate::api::Api;
use crate::copy::LocalCopy;
use crate::daily::read_all_accounts;
use crate::event_sync::EventSync;
use crate::receiver::serve;
use crate::simulation::{Calendar, Figures, Kind, SimulatedApi};

const SECRET: &str = "CRN_demonstration";
/// What Cronofy would post to. A proxy would pass it on to the receiver, as the demonstration does.
const PUBLIC_URL: &str = "https://receiver.example";
const ACCOUNTS: usize = 4;
const CALENDARS: usize = 5;
const CHANGES: usize = 1_000;
/// How many notifications are posted at the same time.
const POSTING: usize = 16;
/// Of a hundred requests, how many the API refuses.
const FAULTS: u8 = 3;

/// For all jobs to be done: far longer than it takes.
const PATIENCE: Duration = Duration::from_secs(120);

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Prints what happens. False if the local copy differs in the end.
pub(crate) async fn run(seed: u64) -> Result<bool> {
    let directory = tempfile::tempdir()?;
    println!("seed {seed}: {ACCOUNTS} accounts with {CALENDARS} calendars and channels each");
    let (cronofy, accounts) = simulate(seed).await?;
    let sync = EventSync {
        api: Api::new(&cronofy.origin()),
        copy: LocalCopy::open(directory.path().join("events.db"))?,
        accounts,
    };
    read_all_accounts(&sync).await;
    println!("first full read: {}", figures(&cronofy));
    let mut is_equal = compare(&cronofy, &sync.copy).await?;

    let inbox = format!("sqlite:{}", directory.path().join("inbox.db").display());
    receive(seed, &cronofy, &sync, Inbox::open(inbox).await?).await?;
    println!(
        "for the changes, and another full read meanwhile: {}",
        figures(&cronofy)
    );
    is_equal &= compare(&cronofy, &sync.copy).await?;

    for account in 0..ACCOUNTS {
        cronofy.with(&token(account), |calendar| calendar.reveal(&calendar_id(0)));
    }
    println!("the window moves: in each account an event appears without a notification");
    read_all_accounts(&sync).await;
    println!("daily full read: {}", figures(&cronofy));
    is_equal &= compare(&cronofy, &sync.copy).await?;
    Ok(is_equal)
}

/// Accounts with events in their calendars.
async fn simulate(seed: u64) -> Result<(SimulatedApi, Accounts)> {
    let cronofy = SimulatedApi::start(seed, FAULTS).await?;
    let accounts = Accounts::default();
    for account in 0..ACCOUNTS {
        let mut calendar = Calendar::new(seed.wrapping_add(account as u64), Timestamp::now());
        for change in 0..150 {
            calendar.change_at_random(&calendar_id(change % CALENDARS));
        }
        cronofy.insert(&token(account), calendar);
        accounts.insert(&account.to_string(), &token(account));
    }
    Ok((cronofy, accounts))
}

/// Runs the receiver until it has received a burst of changes and all jobs are done, with a full read meanwhile.
async fn receive(seed: u64, cronofy: &SimulatedApi, sync: &EventSync, inbox: Inbox) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let receiver = listener.local_addr()?.to_string();
    let verifier = Verifier::new([SECRET])?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = serve(
        listener,
        verifier,
        PUBLIC_URL.parse()?,
        inbox.clone(),
        sync.clone(),
        async { drop(stopped.await) },
    );
    let server = tokio::spawn(server);
    let (posted, ()) = tokio::join!(burst(seed, cronofy, &receiver), read_all_accounts(sync));
    posted?;
    timeout(PATIENCE, until_idle(&inbox)).await??;
    drop(stop);
    server.await?
}

/// Changes calendars at random, and posts a notification of each change.
async fn burst(seed: u64, cronofy: &SimulatedApi, receiver: &str) -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let client = Client::builder(TokioExecutor::new()).build_http();
    let posting = Arc::new(Semaphore::new(POSTING));
    let started = Instant::now();
    let mut posts = JoinSet::new();
    let mut counts = [0; 3];
    for _ in 0..CHANGES {
        let permit = Arc::clone(&posting).acquire_owned().await?;
        let (account, calendar) = (rng.usize(0..ACCOUNTS), rng.usize(0..CALENDARS));
        let (kind, since) = cronofy.with(&token(account), |calendars| {
            calendars.change_at_random(&calendar_id(calendar))
        });
        counts[kind as usize] += 1;
        let answer = client.request(notification(receiver, account, calendar, since)?);
        posts.spawn(async move {
            let answer = answer.await;
            drop(permit);
            answer
        });
    }
    while let Some(post) = posts.join_next().await {
        let status = post??.status();
        if status != StatusCode::NO_CONTENT {
            return Err(format!("the receiver answered {status}").into());
        }
    }
    let count = |kind: Kind| counts[kind as usize];
    println!(
        "changes: {} created, {} changed, {} deleted; {CHANGES} notifications acknowledged in {:.1} s",
        count(Kind::Created),
        count(Kind::Changed),
        count(Kind::Deleted),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// A notification of the channel that each calendar has.
fn notification(
    receiver: &str,
    account: usize,
    calendar: usize,
    since: Timestamp,
) -> Result<Request<Full<Bytes>>> {
    let callback_url = format!("{PUBLIC_URL}/cronofy/{account}");
    let filters = serde_json::json!({ "calendar_ids": [calendar_id(calendar)] });
    let payload = Payload::change(since)
        .channel(&format!("chn_{account}_{calendar}"), &callback_url)
        .set("/channel/filters", filters);
    let mut request = Sender::new(SECRET).to(callback_url).request(payload);
    *request.uri_mut() = Uri::try_from(format!("http://{receiver}{}", request.uri()))?;
    Ok(request)
}

/// Waits until all jobs are done, those in a backoff included.
async fn until_idle(inbox: &Inbox) -> Result<()> {
    loop {
        let stats = inbox.stats().await?;
        if stats.waiting + stats.taken + stats.parked == 0 {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Whether the local copy has what the simulated Cronofy has.
async fn compare(cronofy: &SimulatedApi, copy: &LocalCopy) -> Result<bool> {
    let (mut equal, mut different) = (0, 0);
    for account in 0..ACCOUNTS {
        let mut local = Vec::new();
        for (uid, event) in copy.events(&account.to_string()).await? {
            local.push((uid, serde_json::from_str::<Value>(&event)?));
        }
        let remote = cronofy.with(&token(account), |calendar| calendar.events());
        let missing = remote.iter().filter(|event| !local.contains(event)).count();
        different += missing + local.iter().filter(|event| !remote.contains(event)).count();
        equal += remote.len() - missing;
    }
    println!("the local copy: {equal} events as in the API, {different} not");
    Ok(different == 0)
}

fn figures(cronofy: &SimulatedApi) -> String {
    let Figures {
        reads,
        further_pages,
        events,
        refused,
    } = cronofy.take_figures();
    format!(
        "{reads} reads, {further_pages} further pages, {events} events, {refused} requests refused"
    )
}

fn token(account: usize) -> String {
    format!("token_{account}")
}

fn calendar_id(calendar: usize) -> String {
    format!("cal_{calendar}")
}
