//! Notifications between processes.

use std::time::Duration;

use cronofy_webhook_inbox::Inbox;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::NoTls;

use crate::common::{Jobs, Log, change, verification};
use crate::pgbouncer::{Pooled, on_each_connection};
use crate::public_api::Place as _;
use crate::server::{Database, connect, number};
use crate::support::{block_on, block_on_this_thread, eventually, logged};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn a_put_wakes_a_worker_of_another_process() {
    block_on(async {
        let database = Database::create().await;
        each_put_wakes_a_worker(&database, &database.url).await;
    });
}

/// Of another process, through this URL.
async fn each_put_wakes_a_worker(database: &Database, url: &str) {
    let receiver = Inbox::open(url).await.unwrap();
    let worker = Inbox::open(url).await.unwrap();
    let jobs = Jobs::default();
    let running = worker.worker(jobs.noting()).run_until(async {
        let listening = "SELECT count(*) FROM pg_stat_activity
                         WHERE datname = current_database() AND query LIKE 'LISTEN cronofy_inbox;%'";
        let client = connect(&database.url).await;
        eventually(async || number(&client, listening).await == 1).await;
        let mut late = 0;
        // Without being told, it would be late for one in two.
        for put in 1..=12 {
            receiver.put("42", &verification()).await.unwrap();
            let started = Instant::now();
            eventually(async || jobs.len() == put).await;
            late += u32::from(started.elapsed() > SECOND / 2);
            sleep(Duration::from_millis(60)).await;
        }
        assert!(late <= 1, "{late}");
    });
    running.await.unwrap();
}

/// A transaction that notifies waits for all others that do.
pub(crate) fn others_are_told_once_in_50_ms_and_only_of_a_row_that_became_due() {
    block_on(async {
        let database = Database::create().await;
        let inbox = Inbox::open(&database.url).await.unwrap();
        let (client, mut connection) = tokio_postgres::connect(&database.url, NoTls).await.unwrap();
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) =
                std::future::poll_fn(|cx| connection.poll_message(cx)).await
            {
                if let tokio_postgres::AsyncMessage::Notification(_) = message {
                    let _ = sender.send(());
                }
            }
        });
        client.batch_execute("LISTEN cronofy_inbox").await.unwrap();

        let started = Instant::now();
        for number in 0..300 {
            inbox
                .put("42", &change(&format!("chn_{number}"), 1))
                .await
                .unwrap();
        }
        sleep(Duration::from_millis(200)).await;
        let most = started.elapsed().as_millis() / 50 + 1;
        let mut count = 0;
        while told.try_recv().is_ok() {
            count += 1;
        }
        assert!((1..=most).contains(&count), "{count} of {most}");

        // These wait already.
        for number in 0..300 {
            inbox
                .put("42", &change(&format!("chn_{number}"), 2))
                .await
                .unwrap();
        }
        let more = timeout(Duration::from_millis(200), told.recv()).await;
        assert!(more.is_err(), "told of a row that was due already");
    });
}

/// It would be the connections of others to the server that listen.
pub(crate) fn a_worker_does_not_listen_behind_a_pooler_in_transaction_mode() {
    block_on_this_thread(async {
        let pooled = Pooled::create().await;
        let log = Log::start();
        let inbox = Inbox::open(&pooled.url).await.unwrap();
        let jobs = Jobs::default();
        let worker = inbox.worker(jobs.noting()).run_until(async {
            let line = logged(&log, "no notification arrives").await;
            assert!(
                line.contains("DEBUG") && line.contains("not listening"),
                "{line}"
            );
            let channels = "SELECT pg_listening_channels()";
            let channels = on_each_connection(&pooled.url, channels).await;
            assert!(
                !channels.contains(&"cronofy_inbox".to_owned()),
                "{channels:?}"
            );
        });
        worker.await.unwrap();
    });
}

pub(crate) fn a_put_wakes_a_worker_behind_a_pooler_in_session_mode() {
    block_on(async {
        let pooled = Pooled::start("session", "default_pool_size = 20").await;
        each_put_wakes_a_worker(&pooled.database, &pooled.url).await;
    });
}
