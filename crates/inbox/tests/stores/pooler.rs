//! The inbox behind a pooler: PgBouncer, with fewer connections to the server than the inbox has to it.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cronofy_webhook_inbox::{Inbox, Job, POSTGRES_SCHEMA};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

use crate::cluster::Cluster;
use crate::common::{Jobs, change, verification};
use crate::pgbouncer::{PgBouncer, Pooled, on_each_connection};
use crate::public_api::Place as _;
use crate::server::{connect, number};
use crate::support::{block_on, chain, eventually};

async fn is_empty(inbox: &Inbox) -> bool {
    let stats = inbox.stats().await;
    stats.is_ok_and(|stats| stats.waiting + stats.taken + stats.parked == 0)
}

pub(crate) fn every_operation_works() {
    block_on(async {
        let pooled = Pooled::create().await;
        let inbox = Inbox::open(&pooled.url).max_rows(10).await.unwrap();
        for since in [2, 1] {
            inbox.put("works", &change("chn_1", since)).await.unwrap();
        }
        for account in ["fails", "forgotten"] {
            inbox.put(account, &verification()).await.unwrap();
        }
        assert_eq!(inbox.stats().await.unwrap().waiting, 3);
        assert_eq!(inbox.forget("forgotten").await.unwrap(), 1);

        let runs = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&runs);
        let service = service_fn(move |job: Job| {
            let run = (job.account().to_owned(), job.attempt(), job.merged());
            noted.lock().unwrap().push(run);
            let fails = job.account() == "fails";
            ready(if fails { Err("a failure") } else { Ok(()) })
        });
        let worker = inbox.worker(service).max_attempts(2);
        let worker = worker.backoff(|_, _| Duration::from_millis(1));
        let ended = eventually(async || {
            let stats = inbox.stats().await.unwrap();
            (stats.waiting + stats.taken, stats.parked) == (0, 1)
        });
        worker.run_until(ended).await.unwrap();
        let mut runs = runs.lock().unwrap().clone();
        runs.sort();
        let run = |account: &str, attempt, merged| (account.to_owned(), attempt, merged);
        let expected = [run("fails", 1, 1), run("fails", 2, 1), run("works", 1, 2)];
        assert_eq!(runs, expected);

        let parked = inbox.parked(10).await.unwrap();
        assert!(inbox.unpark(&parked[0]).await.unwrap());
        let jobs = Jobs::default();
        inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
        assert_eq!(jobs.len(), 1);
        assert!(is_empty(&inbox).await);

        let prepared = "SELECT name FROM pg_prepared_statements";
        let none: [&str; 0] = [];
        assert_eq!(on_each_connection(&pooled.url, prepared).await, none);
    });
}

pub(crate) fn the_lease_of_a_run_is_renewed() {
    block_on(async {
        let pooled = Pooled::create().await;
        let inbox = Inbox::open(&pooled.url).await.unwrap();
        inbox.put("42", &verification()).await.unwrap();
        let client = connect(&pooled.database.url).await;
        let is_renewed = CancellationToken::new();
        let service = service_fn(|_: Job| {
            let is_renewed = is_renewed.clone();
            async move {
                is_renewed.cancelled().await;
                Ok::<_, Infallible>(())
            }
        });
        let worker = inbox.worker(service).lease(Duration::from_secs(3));
        let ended = async {
            eventually(async || inbox.stats().await.unwrap().taken == 1).await;
            let token = number(&client, "SELECT token FROM cronofy_inbox").await;
            let ends = format!(
                "SELECT coalesce(max(extract(epoch FROM due) * 1000), 0)::bigint
                 FROM cronofy_inbox WHERE token = {token}"
            );
            let first = number(&client, &ends).await;
            eventually(async || number(&client, &ends).await > first).await;
            is_renewed.cancel();
            eventually(async || is_empty(&inbox).await).await;
        };
        worker.run_until(ended).await.unwrap();
    });
}

/// An account and a channel.
type Key = (String, String);

#[derive(Default)]
struct Runs {
    running: HashSet<Key>,
    twice_at_once: Vec<Key>,
    counts: HashMap<Key, u64>,
    of_worker: [u64; 2],
}

async fn run(runs: Arc<Mutex<Runs>>, worker: usize, job: Job) -> Result<(), Infallible> {
    let channel = job.notification().channel();
    let channel = channel.map_or("-", |channel| &channel.channel_id);
    let key = (job.account().to_owned(), channel.to_owned());
    {
        let mut runs = runs.lock().unwrap();
        runs.of_worker[worker] += 1;
        *runs.counts.entry(key.clone()).or_default() += 1;
        if !runs.running.insert(key.clone()) {
            runs.twice_at_once.push(key.clone());
        }
    }
    sleep(Duration::from_millis(10)).await;
    runs.lock().unwrap().running.remove(&key);
    Ok(())
}

pub(crate) fn two_inboxes_share_the_jobs() {
    block_on(async {
        let pooled = Pooled::create().await;
        let runs = Arc::new(Mutex::new(Runs::default()));
        let is_done = CancellationToken::new();
        let (mut puts, mut workers) = (JoinSet::new(), JoinSet::new());
        let mut inboxes = Vec::new();
        for number in 0..2 {
            let inbox = Inbox::open(&pooled.url).await.unwrap();
            let (runs, is_done) = (Arc::clone(&runs), is_done.clone());
            let service = service_fn(move |job| run(Arc::clone(&runs), number, job));
            let worker = inbox.worker(service);
            workers.spawn(async move { worker.run_until(is_done.cancelled()).await });
            for put in 0..300 {
                let inbox = inbox.clone();
                puts.spawn(async move {
                    let channel = change(&format!("chn_{}", put % 12), 1);
                    inbox.put("changes", &channel).await?;
                    let account = format!("{number}-{put}");
                    inbox.put(account, &verification()).await
                });
            }
            inboxes.push(inbox);
        }
        while let Some(put) = puts.join_next().await {
            put.unwrap().unwrap();
        }
        eventually(async || is_empty(&inboxes[0]).await).await;
        is_done.cancel();
        while let Some(worker) = workers.join_next().await {
            worker.unwrap().unwrap();
        }

        let runs = runs.lock().unwrap();
        assert!(runs.twice_at_once.is_empty(), "{:?}", runs.twice_at_once);
        assert!(
            runs.of_worker.iter().all(|runs| *runs > 100),
            "{:?}",
            runs.of_worker
        );
        let (changes, others): (Vec<_>, Vec<_>) = runs
            .counts
            .iter()
            .partition(|((account, _), _)| account == "changes");
        assert_eq!(changes.len(), 12);
        assert_eq!(others.len(), 600);
        assert!(others.iter().all(|(_, runs)| **runs == 1), "{others:?}");
    });
}

/// A worker looks once a second, more or less.
pub(crate) fn a_job_of_another_process_runs_within_two_seconds() {
    block_on(async {
        let pooled = Pooled::create().await;
        let receiver = Inbox::open(&pooled.url).await.unwrap();
        let worker = Inbox::open(&pooled.url).await.unwrap();
        let jobs = Jobs::default();
        let running = worker.worker(jobs.noting()).run_until(async {
            for put in 1..=3 {
                receiver.put("42", &verification()).await.unwrap();
                let started = Instant::now();
                eventually(async || jobs.len() == put).await;
                let elapsed = started.elapsed();
                assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
            }
        });
        running.await.unwrap();
    });
}

pub(crate) fn a_server_that_was_restarted_has_what_was_acknowledged() {
    let cluster = Cluster::start("").unwrap();
    block_on(async {
        let pooler = PgBouncer::start(&cluster.url(), "transaction", "").await;
        let inbox = Inbox::open(pooler.url(&cluster.url())).await.unwrap();
        for _ in 0..20 {
            inbox.put("42", &verification()).await.unwrap();
        }
        cluster.restart();
        let started = Instant::now();
        eventually(async || inbox.put("42", &verification()).await.is_ok()).await;
        let elapsed = started.elapsed();
        assert!(elapsed < Duration::from_secs(8), "{elapsed:?}");
        let client = connect(&cluster.url()).await;
        let stored = number(&client, "SELECT count(*) FROM cronofy_inbox").await;
        assert!(stored >= 21, "{stored}");

        let jobs = Jobs::default();
        let worker = inbox.worker(jobs.noting()).run_until(async {
            eventually(async || jobs.len() > 5).await;
            cluster.restart();
            eventually(async || is_empty(&inbox).await).await;
        });
        worker.await.unwrap();
        assert!(i64::try_from(jobs.len()).unwrap() >= stored);
    });
}

/// Most are for the client, and not sent.
pub(crate) fn a_parameter_that_the_pooler_refuses_is_named() {
    block_on(async {
        let pooled = Pooled::create().await;
        let parameters = "connect_timeout=5&keepalives_idle=9&tcp_user_timeout=9&target_session_attrs=any\
                          &application_name=mine&channel_binding=disable";
        let inbox = Inbox::open(format!("{}&{parameters}", pooled.url))
            .await
            .unwrap();
        inbox.put("42", &verification()).await.unwrap();

        let url = format!("{}&options=-c%20search_path%3Dother", pooled.url);
        let error = Inbox::open(url).await.unwrap_err();
        let text = chain(&error);
        assert!(text.contains("unsupported startup parameter"), "{text}");
    });
}

/// Each operation is one statement. Creating the schema is a transaction of several.
pub(crate) fn in_statement_mode_everything_works_once_there_is_a_schema() {
    block_on(async {
        let pooled = Pooled::start("statement", "").await;
        let error = Inbox::open(&pooled.url).await.unwrap_err();
        let text = chain(&error);
        assert!(text.contains("transaction blocks not allowed"), "{text}");

        let client = connect(&pooled.database.url).await;
        client.batch_execute(POSTGRES_SCHEMA).await.unwrap();
        let inbox = Inbox::open(&pooled.url).await.unwrap();
        inbox.put("42", &verification()).await.unwrap();
        let jobs = Jobs::default();
        inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
        assert_eq!(jobs.len(), 1);
        assert!(is_empty(&inbox).await);
    });
}
