//! What happens while a server is away, slow, or does not do what it has to. Each has a server of its own.

use std::time::Duration;

use cronofy_webhook_inbox::{Inbox, Job, OpenError, PutError};
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, Error, NoTls};
use tower::service_fn;

use crate::cluster::Cluster;
use crate::common::{Jobs, verification};
use crate::server::{connect, number};
use crate::support::{block_on, chain, eventually, post_change};

/// The time that a receiver has for an answer here.
const BUDGET: Duration = Duration::from_millis(1_500);

fn cluster(configuration: &str) -> Cluster {
    Cluster::start(configuration).unwrap()
}

/// 503 within the deadline, and from the handler.
async fn is_refused(inbox: &Inbox) {
    let started = Instant::now();
    assert_eq!(post_change(inbox, BUDGET).await, (503, true));
    assert!(started.elapsed() < BUDGET, "{:?}", started.elapsed());
}

/// Within a few seconds, as nothing has to be restarted.
async fn recovers(inbox: &Inbox) {
    let started = Instant::now();
    eventually(async || post_change(inbox, BUDGET).await.0 == 204).await;
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "{:?}",
        started.elapsed()
    );
}

pub(crate) fn a_server_that_is_away_refuses_until_it_is_back() {
    let cluster = cluster("");
    block_on(async {
        let inbox = Inbox::open(cluster.url()).await.unwrap();
        let jobs = Jobs::default();
        let worker = inbox.worker(jobs.noting()).run_until(async {
            cluster.stop();
            for _ in 0..5 {
                is_refused(&inbox).await;
            }
            let error = inbox.put("42", &verification()).await.unwrap_err();
            assert!(
                chain(&error).contains("error connecting to server"),
                "{}",
                chain(&error)
            );
            let error = Inbox::open(cluster.url()).await.unwrap_err();
            assert!(matches!(error, OpenError::Unreachable(_)), "{error:?}");
            let text = chain(&error);
            assert!(
                text.contains("check host and port") && text.contains("refused"),
                "{text}"
            );

            cluster.start_again();
            recovers(&inbox).await;
            // The worker has found its way back as well.
            eventually(async || jobs.len() >= 1).await;
        });
        worker.await.unwrap();
    });
}

/// What was acknowledged before is there after.
pub(crate) fn a_server_that_was_restarted_has_what_was_acknowledged() {
    let cluster = cluster("");
    block_on(async {
        let inbox = Inbox::open(cluster.url()).await.unwrap();
        let mut acknowledged = 0;
        for _ in 0..3 {
            for _ in 0..50 {
                acknowledged += i64::from(inbox.put("42", &verification()).await.is_ok());
            }
            cluster.restart();
        }
        assert!(acknowledged >= 140, "{acknowledged}");
        let client = connect(&cluster.url()).await;
        let stored = number(&client, "SELECT count(*) FROM cronofy_inbox").await;
        assert!(stored >= acknowledged, "{stored} of {acknowledged}");

        // A run that is under way when the server restarts ends, and its job with it.
        let jobs = Jobs::default();
        let noted = jobs.clone();
        let cluster = &cluster;
        let service = service_fn(move |job: Job| {
            let mut note = noted.noting();
            async move {
                sleep(Duration::from_millis(100)).await;
                tower::Service::call(&mut note, job).await
            }
        });
        let worker = inbox.worker(service).concurrency(20).run_until(async {
            eventually(async || jobs.len() > 20).await;
            cluster.restart();
            eventually(async || {
                inbox
                    .stats()
                    .await
                    .is_ok_and(|stats| stats.waiting + stats.taken == 0)
            })
            .await;
        });
        worker.await.unwrap();
        assert!(i64::try_from(jobs.len()).unwrap() >= stored);
    });
}

pub(crate) fn a_server_that_does_not_answer_is_given_up_in_time() {
    let cluster = cluster("");
    block_on(async {
        let inbox = Inbox::open(cluster.url()).await.unwrap();
        assert_eq!(post_change(&inbox, BUDGET).await.0, 204);
        cluster.signal("STOP");
        let opening = Inbox::open(cluster.url()).into_future();
        let (opened, ()) = tokio::join!(opening, async {
            is_refused(&inbox).await;
            is_refused(&inbox).await;
        });
        let error = opened.unwrap_err();
        assert!(matches!(error, OpenError::Unreachable(_)), "{error:?}");
        cluster.signal("CONT");
        recovers(&inbox).await;
    });
}

pub(crate) fn a_server_without_a_connection_left_says_what_to_raise() {
    let cluster = cluster("max_connections = 6\nsuperuser_reserved_connections = 0");
    block_on(async {
        let mut others = vec![connect(&cluster.url()).await];
        Inbox::open(cluster.url()).await.unwrap().close().await;
        let inbox = Inbox::open(cluster.url()).await.unwrap();
        let full = fill(&cluster, &mut others).await;
        assert!(
            chain(&full).contains("too many clients"),
            "{}",
            chain(&full)
        );
        let error = Inbox::open(cluster.url()).await.unwrap_err();
        assert!(
            matches!(error, OpenError::TooManyConnections(_)),
            "{error:?}"
        );
        assert!(
            chain(&error).contains("raise `max_connections`"),
            "{}",
            chain(&error)
        );

        // The connections of the inbox are ended, and others take their place.
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE application_name = 'cronofy-webhook-inbox'";
        let ended = eventually(async || {
            let ended = number(&others[0], end).await;
            fill(&cluster, &mut others).await;
            ended == 0
        });
        ended.await;
        let error = loop {
            match inbox.put("42", &verification()).await {
                Err(error) if chain(&error).contains("too many clients") => break error,
                _ => sleep(Duration::from_millis(10)).await,
            }
        };
        assert!(matches!(error, PutError::Store(_)), "{error:?}");
        is_refused(&inbox).await;
        drop(others);
        recovers(&inbox).await;
    });
}

/// Takes the connections that are left, until one is refused.
async fn fill(cluster: &Cluster, others: &mut Vec<Client>) -> Error {
    loop {
        match tokio_postgres::connect(&cluster.url(), NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                others.push(client);
            }
            Err(error) => return error,
        }
    }
}

pub(crate) fn a_wrong_password_is_named_and_not_shown() {
    let cluster = cluster("");
    block_on(async {
        let url = cluster.url_of("postgres", "a-wrong-one");
        let error = Inbox::open(&url).await.unwrap_err();
        assert!(matches!(error, OpenError::AccessDenied(_)), "{error:?}");
        let text = chain(&error);
        assert!(text.contains("check user and password"), "{text}");
        assert!(text.contains("password authentication failed"), "{text}");
        let debug = format!("{error:?} {:?}", Inbox::open(&url));
        assert!(
            !text.contains("a-wrong-one") && !debug.contains("a-wrong-one"),
            "{debug}"
        );
    });
}

pub(crate) fn a_server_that_is_not_durable_is_refused_unless_loss_is_allowed() {
    let cluster = cluster("fsync = off");
    block_on(async {
        let error = Inbox::open(cluster.url()).await.unwrap_err();
        assert!(matches!(error, OpenError::NotDurable(_)), "{error:?}");
        assert!(
            chain(&error).contains("`fsync` is off"),
            "{}",
            chain(&error)
        );
        Inbox::open(cluster.url()).allow_loss().await.unwrap();

        let admin = connect(&cluster.url()).await;
        for sql in [
            "ALTER SYSTEM SET fsync = on",
            "ALTER ROLE postgres SET synchronous_commit = off",
            "SELECT pg_reload_conf()",
        ] {
            admin.batch_execute(sql).await.unwrap();
        }
        eventually(async || {
            let error = Inbox::open(cluster.url()).await.unwrap_err();
            chain(&error).contains("`synchronous_commit` is off")
        })
        .await;
        // Still on the disk of this server.
        let local = "ALTER ROLE postgres SET synchronous_commit = local";
        admin.batch_execute(local).await.unwrap();
        Inbox::open(cluster.url()).await.unwrap();
    });
}

/// As a standby, after a failover.
pub(crate) fn a_connection_to_a_server_that_became_read_only_is_dropped() {
    let cluster = cluster("");
    block_on(async {
        let inbox = Inbox::open(cluster.url()).await.unwrap();
        let admin = connect(&cluster.url()).await;
        let set = async |value: &str| {
            let sql = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
            admin
                .batch_execute("SET default_transaction_read_only = off")
                .await
                .unwrap();
            admin.batch_execute(&sql).await.unwrap();
            admin
                .batch_execute("SELECT pg_reload_conf()")
                .await
                .unwrap();
        };
        set("on").await;
        let failing = async || match inbox.put("42", &verification()).await {
            Err(error) => chain(&error).contains("does not allow writes"),
            Ok(()) => false,
        };
        eventually(failing).await;
        let error = Inbox::open(cluster.url()).await.unwrap_err();
        assert!(matches!(error, OpenError::Unreachable(_)), "{error:?}");
        set("off").await;
        recovers(&inbox).await;
    });
}
