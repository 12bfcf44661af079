//! The demonstration: a simulated Cronofy changes calendars and sends notifications, and the local copy must become equal.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cronofy_webhook::Verifier;
use cronofy_webhook::testing::{Payload, Sender};
use cronofy_webhook_inbox::Inbox;
use http::{StatusCode, Uri};
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
    let inbox = format!("sqlite:{}", directory.path().join("inbox.db").display());
    let inbox = Inbox::open(inbox).await?;
    let sync = EventSync {
        api: Api::new(&cronofy.origin()),
        copy: LocalCopy::open(directory.path().join("events.db"))?,
        accounts,
    };

    println!(
        "seed {seed}: {ACCOUNTS} accounts with {CALENDARS} calendars and as many channels each"
    );
    read_all_accounts(&sync).await;
    println!("first full read: {}", figures(&cronofy));
    let mut is_equal = compare(&cronofy, &sync.copy).await?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let receiver = listener.local_addr()?.to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let verifier = Verifier::new([SECRET])?;
    let stopped = async { drop(stopped.await) };
    let server = serve(
        listener,
        verifier,
        PUBLIC_URL,
        inbox.clone(),
        sync.clone(),
        stopped,
    );
    let server = tokio::spawn(server);
    let (posted, ()) = tokio::join!(burst(&cronofy, &receiver, seed), read_all_accounts(&sync));
    posted?;
    timeout(PATIENCE, until_idle(&inbox)).await??;
    println!(
        "for the changes, and another full read meanwhile: {}",
        figures(&cronofy)
    );
    is_equal &= compare(&cronofy, &sync.copy).await?;
    drop(stop);
    server.await??;

    for account in 0..ACCOUNTS {
        cronofy.with(&token(account), |calendar| calendar.reveal(&calendar_id(0)));
    }
    println!(
        "the window moves, and an event of each account becomes visible without a notification"
    );
    read_all_accounts(&sync).await;
    println!("daily full read: {}", figures(&cronofy));
    is_equal &= compare(&cronofy, &sync.copy).await?;
    Ok(is_equal)
}

/// Changes calendars at random, and posts a notification of each change.
async fn burst(cronofy: &SimulatedApi, receiver: &str, seed: u64) -> Result<()> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let posting = Arc::new(Semaphore::new(POSTING));
    let started = Instant::now();
    let mut posts = JoinSet::new();
    let mut counts = [0; 3];
    for _ in 0..CHANGES {
        let permit = Arc::clone(&posting).acquire_owned().await?;
        let (account, calendar) = (rng.usize(0..ACCOUNTS), rng.usize(0..CALENDARS));
        let id = calendar_id(calendar);
        let (kind, since) =
            cronofy.with(&token(account), |calendar| calendar.change_at_random(&id));
        counts[kind as usize] += 1;
        let callback_url = format!("{PUBLIC_URL}/cronofy/{account}");
        let payload = Payload::change(since)
            .channel(&format!("chn_{account}_{calendar}"), &callback_url)
            .set(
                "/channel/filters",
                serde_json::json!({ "calendar_ids": [id] }),
            );
        let mut request = Sender::new(SECRET).to(callback_url).request(payload);
        *request.uri_mut() = Uri::try_from(format!("http://{receiver}{}", request.uri()))?;
        let client = client.clone();
        posts.spawn(async move {
            let _permit = permit;
            let response = client.request(request).await?;
            Ok::<_, Box<dyn Error + Send + Sync>>(response.status())
        });
    }
    while let Some(post) = posts.join_next().await {
        let status = post??;
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
