//! The inbox on PostgreSQL, through its public API.

use std::time::Duration;

use cronofy_webhook_inbox::{Inbox, Job, OpenError, POSTGRES_SCHEMA, PutError};
use deadpool_postgres::{Manager, Pool};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_postgres::NoTls;

use crate::common::{Jobs, change, verification};
use crate::public_api::Place;
use crate::server::{Database, connect, number};
use crate::store::postgres::Postgres as Store;
use crate::store::postgres::batch::Batch;
use crate::store::{End, Options, Take};
use crate::support::{block_on, chain, eventually, post_change};

const SECOND: Duration = Duration::from_secs(1);

const OPTIONS: Options = Options {
    allow_loss: false,
    migrate: true,
    max_rows: None,
};

const COUNT: &str = "SELECT count(*) FROM cronofy_inbox";

pub(crate) fn processes_that_open_at_once_create_the_schema_once<P: Place>() {
    block_on(async {
        let place = P::create().await;
        let mut opening = JoinSet::new();
        for _ in 0..6 {
            let url = place.url();
            opening.spawn(async move { Inbox::open(url).await.map(drop) });
        }
        while let Some(opened) = opening.join_next().await {
            opened.unwrap().unwrap();
        }
    });
}

pub(crate) fn a_user_who_may_not_create_tables_needs_the_schema() {
    block_on(async {
        let database = Database::create().await;
        let admin = connect(&database.url).await;
        let user = format!("{}_user", database.name());
        let create = format!(
            "CREATE ROLE {user} LOGIN PASSWORD 'secret'; REVOKE CREATE ON SCHEMA public FROM public"
        );
        admin.batch_execute(&create).await.unwrap();
        let url = database.url_of(&user, "secret");

        let error = Inbox::open(&url).await.unwrap_err();
        assert!(matches!(error, OpenError::NotPermitted(_)), "{error:?}");
        let error = Inbox::open(&url).migrate(false).await.unwrap_err();
        assert!(matches!(error, OpenError::NotMigrated), "{error:?}");

        admin.batch_execute(POSTGRES_SCHEMA).await.unwrap();
        // As the docs say.
        let grant = format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON cronofy_inbox TO {user};
             GRANT SELECT ON cronofy_inbox_schema TO {user}"
        );
        admin.batch_execute(&grant).await.unwrap();
        let inbox = Inbox::open(&url).migrate(false).await.unwrap();
        inbox.put("42", &verification()).await.unwrap();
        let jobs = Jobs::default();
        inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
        assert_eq!(jobs.len(), 1);
        inbox.close().await;
        let drop = format!("DROP OWNED BY {user}; DROP ROLE {user}");
        admin.batch_execute(&drop).await.unwrap();
    });
}

pub(crate) fn a_database_that_does_not_exist_is_named() {
    block_on(async {
        let url = Database::create().await.url.clone();
        let error = Inbox::open(url).await.unwrap_err();
        assert!(matches!(error, OpenError::DatabaseNotFound(_)), "{error:?}");
        let text = chain(&error);
        assert!(
            text.contains("create it") && text.contains("\"inbox_"),
            "{text}"
        );
    });
}

pub(crate) fn an_isolation_level_under_which_puts_fail_is_refused() {
    block_on(async {
        let database = Database::create().await;
        let client = connect(&database.url).await;
        for (level, is_refused) in [
            ("serializable", true),
            ("repeatable read", true),
            ("read uncommitted", false),
        ] {
            let set = format!(
                "ALTER DATABASE {} SET default_transaction_isolation = '{level}'",
                database.name()
            );
            client.batch_execute(&set).await.unwrap();
            match Inbox::open(&database.url).allow_loss().await {
                Ok(_) => assert!(!is_refused, "{level}"),
                Err(error) => {
                    assert!(
                        is_refused && matches!(error, OpenError::UnsupportedIsolation { .. }),
                        "{error:?}"
                    );
                    let text = error.to_string();
                    assert!(text.contains(level), "{text}");
                    assert!(text.contains("default_transaction_isolation"), "{text}");
                }
            }
        }
    });
}

/// As a standby that took over without what the primary did last.
pub(crate) fn a_token_of_another_copy_of_the_database_has_no_effect() {
    block_on(async {
        let primary = Database::create().await;
        let inbox = Inbox::open(&primary.url).await.unwrap();
        inbox.put("42", &verification()).await.unwrap();
        inbox.close().await;
        let standby = primary.copy().await;

        let open = async |url: &str| Store::open(url, OPTIONS).await.unwrap();
        let take = async |store: &Store| match store.take(SECOND, None).await.unwrap() {
            Take::Taken(held, _) => held,
            other => panic!("{other:?}"),
        };
        let (primary, standby) = (open(&primary.url).await, open(&standby.url).await);
        let (lost, held) = (take(&primary).await, take(&standby).await);
        assert!(!standby.end(lost.token(), End::Done).await.unwrap());
        assert!(held.end(End::Done).await.unwrap());
    });
}

pub(crate) fn a_schema_that_a_later_release_made_incompatible_is_refused() {
    block_on(async {
        let database = Database::create().await;
        Inbox::open(&database.url).await.unwrap().close().await;
        let client = connect(&database.url).await;
        let set = async |version: i64, compatible_from: i64| {
            let sql = format!(
                "UPDATE cronofy_inbox_schema SET version = {version}, compatible_from = {compatible_from}"
            );
            client.batch_execute(&sql).await.unwrap();
        };
        set(3, 2).await;
        let error = Inbox::open(&database.url).await.unwrap_err();
        assert!(
            matches!(error, OpenError::NewerVersion { version: 3 }),
            "{error:?}"
        );
        set(3, 1).await;
        Inbox::open(&database.url).await.unwrap();
    });
}

pub(crate) fn a_batch_with_one_id_many_times_is_merged_as_one_by_one() {
    use crate::database::Database as _;
    use crate::model::entry;

    let entries: Vec<_> = [(1, 5), (2, 7), (3, 4), (4, 4), (5, 9)]
        .map(|(number, since)| entry(0, Some((0, since)), number))
        .into();
    let rows = [true, false].map(|is_batch| {
        let database = crate::postgres::Postgres::new();
        if is_batch {
            let mut batch = Batch::default();
            for entry in &entries {
                batch.add(entry.clone()).unwrap();
            }
            database.put_batch(&batch);
        } else {
            for entry in &entries {
                database.put(entry);
            }
        }
        database.row()
    });
    assert_eq!(rows[0], rows[1]);
    assert_eq!(rows[0].waiting.as_ref().unwrap().body, "body 3");
}

/// Each process merges what it has in another order: sorted, they do not wait for each other.
pub(crate) fn receivers_with_unsorted_batches_do_not_deadlock() {
    block_on(async {
        let database = Database::create().await;
        let mut puts = JoinSet::new();
        for receiver in 0..3 {
            let inbox = Inbox::open(&database.url).await.unwrap();
            for number in 0..40 {
                let inbox = inbox.clone();
                puts.spawn(async move {
                    for round in 0..40 {
                        let mut channel = (number * 7 + round * 13) % 40;
                        if receiver == 1 {
                            channel = 39 - channel;
                        }
                        let delivery = change(&format!("chn_{channel}"), round);
                        inbox.put("42", &delivery).await?;
                    }
                    Ok::<_, PutError>(())
                });
            }
        }
        while let Some(put) = puts.join_next().await {
            put.unwrap().unwrap();
        }
        let client = connect(&database.url).await;
        let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(number(&client, sql).await, 0);
        assert_eq!(number(&client, COUNT).await, 40);
    });
}

/// Closed, and not cancelled: the statement ends on the server all the same.
pub(crate) fn a_put_that_timed_out_closes_its_connection_and_cancels_nothing() {
    block_on(async {
        let database = Database::create().await;
        let inbox = Inbox::open(&database.url).await.unwrap();
        let mut admin = connect(&database.url).await;
        let observer = connect(&database.url).await;
        let lock = admin.transaction().await.unwrap();
        lock.batch_execute("LOCK TABLE cronofy_inbox")
            .await
            .unwrap();

        let started = Instant::now();
        let budget = Duration::from_millis(600);
        assert_eq!(post_change(&inbox, budget).await, (503, true));
        assert!(started.elapsed() < budget, "{:?}", started.elapsed());
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        assert_eq!(number(&observer, waiting).await, 1);
        let waiting = format!(
            "SELECT pid::bigint {}",
            &waiting["SELECT count(*) ".len()..]
        );
        let of_put = number(&observer, &waiting).await;

        lock.commit().await.unwrap();
        eventually(async || number(&observer, COUNT).await == 1).await;
        let ended = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {of_put}");
        eventually(async || number(&observer, &ended).await == 0).await;
        assert_eq!(post_change(&inbox, 4 * SECOND).await, (204, false));
        let sql = "SELECT waiting_count FROM cronofy_inbox";
        assert_eq!(number(&observer, sql).await, 2);
    });
}

pub(crate) fn a_full_queue_refuses_at_once_and_loses_nothing_that_it_took() {
    block_on(async {
        let database = Database::create().await;
        let inbox = Inbox::open(&database.url).await.unwrap();
        let mut admin = connect(&database.url).await;
        let lock = admin.transaction().await.unwrap();
        lock.batch_execute("LOCK TABLE cronofy_inbox")
            .await
            .unwrap();
        let mut puts = JoinSet::new();
        for number in 0..1_025 {
            let inbox = inbox.clone();
            puts.spawn(async move { inbox.put(number.to_string(), &verification()).await });
        }
        let refused = puts.join_next().await.unwrap().unwrap();
        assert!(matches!(refused, Err(PutError::Full)), "{refused:?}");
        lock.commit().await.unwrap();
        while let Some(put) = puts.join_next().await {
            put.unwrap().unwrap();
        }
        assert_eq!(inbox.stats().await.unwrap().waiting, 1_024);
    });
}

pub(crate) fn a_pool_of_the_application_is_used_and_left_open() {
    block_on(async {
        let database = Database::create().await;
        let manager = Manager::new(database.url.parse().unwrap(), NoTls);
        let pool = Pool::builder(manager).max_size(2).build().unwrap();
        let inbox = Inbox::from_pool(pool.clone()).await.unwrap();
        let other = Inbox::open(&database.url).await.unwrap();
        let jobs = Jobs::default();
        let worker = inbox
            .worker(jobs.noting())
            .concurrency(50)
            .run_until(async {
                for number in 0..100 {
                    inbox
                        .put(number.to_string(), &verification())
                        .await
                        .unwrap();
                }
                eventually(async || jobs.len() == 100).await;
                // Found without being told.
                other.put("42", &verification()).await.unwrap();
                eventually(async || jobs.len() == 101).await;
            });
        worker.await.unwrap();
        inbox.close().await;
        let closed = inbox.put("42", &verification()).await;
        assert!(matches!(closed, Err(PutError::Closed)), "{closed:?}");
        assert!(inbox.stats().await.unwrap_err().is_closed());
        assert_eq!(number(&pool.get().await.unwrap(), COUNT).await, 0);
    });
}

pub(crate) fn a_pool_without_a_free_connection_is_named() {
    block_on(async {
        let database = Database::create().await;
        let manager = Manager::new(database.url.parse().unwrap(), NoTls);
        let pool = Pool::builder(manager).max_size(1).build().unwrap();
        let _taken = pool.get().await.unwrap();
        let error = Inbox::from_pool(pool.clone()).await.unwrap_err();
        assert!(matches!(error, OpenError::Store(_)), "{error:?}");
        let text = chain(&error);
        assert!(text.contains("the pool had no connection free"), "{text}");
    });
}

pub(crate) fn a_dropped_or_closed_inbox_leaves_no_connection() {
    block_on(async {
        let database = Database::create().await;
        let observer = connect(&database.url).await;
        let connections = "SELECT count(*) FROM pg_stat_activity
                           WHERE datname = current_database() AND pid <> pg_backend_pid()
                             AND backend_type = 'client backend'";
        for is_closed in [true, false] {
            let inbox = Inbox::open(&database.url).await.unwrap();
            inbox.put("42", &verification()).await.unwrap();
            let jobs = Jobs::default();
            let worker = inbox.worker(jobs.noting());
            worker
                .run_until(eventually(async || jobs.len() == 1))
                .await
                .unwrap();
            assert!(number(&observer, connections).await > 0);
            if is_closed {
                inbox.close().await;
            }
            drop(inbox);
            eventually(async || number(&observer, connections).await == 0).await;
        }
    });
}

pub(crate) fn after_the_grace_jobs_are_released_and_the_attempt_does_not_count() {
    block_on(async {
        let database = Database::create().await;
        let inbox = Inbox::open(&database.url).await.unwrap();
        for number in 0..20 {
            inbox
                .put(number.to_string(), &verification())
                .await
                .unwrap();
        }
        let service = tower::service_fn(|_| std::future::pending::<Result<(), PutError>>());
        let worker = inbox.worker(service).concurrency(20).grace(Duration::ZERO);
        let taken = eventually(async || inbox.stats().await.unwrap().taken == 20);
        worker.run_until(taken).await.unwrap();
        let stats = inbox.stats().await.unwrap();
        assert_eq!((stats.waiting, stats.taken), (20, 0));
        let jobs = Jobs::default();
        inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
        assert!(jobs.all().iter().all(|job| job.attempt() == 1));
    });
}

/// A row that another transaction has locked is passed, and looked at again.
pub(crate) fn a_row_that_is_being_put_to_is_taken_soon_after() {
    block_on(async {
        let database = Database::create().await;
        let inbox = Inbox::open(&database.url).await.unwrap();
        inbox.put("42", &verification()).await.unwrap();
        let mut admin = connect(&database.url).await;
        let lock = admin.transaction().await.unwrap();
        lock.batch_execute("SELECT FROM cronofy_inbox FOR UPDATE")
            .await
            .unwrap();
        let jobs = Jobs::default();
        let worker = inbox.worker(jobs.noting()).run_until(async {
            sleep(Duration::from_millis(300)).await;
            assert_eq!(jobs.len(), 0);
            lock.commit().await.unwrap();
            let started = Instant::now();
            eventually(async || jobs.len() == 1).await;
            assert!(started.elapsed() < SECOND / 2, "{:?}", started.elapsed());
        });
        worker.await.unwrap();
    });
}

/// By the time it began, another worker could have taken it.
pub(crate) fn a_job_that_was_taken_too_late_for_its_lease_does_not_begin() {
    block_on(async {
        let database = Database::create().await;
        let inbox = Inbox::open(&database.url).await.unwrap();
        inbox.put("42", &verification()).await.unwrap();
        let mut admin = connect(&database.url).await;
        let lock = admin.transaction().await.unwrap();
        // Only reads pass.
        let share = "LOCK TABLE cronofy_inbox IN SHARE MODE";
        lock.batch_execute(share).await.unwrap();
        let jobs = Jobs::default();
        let noted = jobs.clone();
        let service = tower::service_fn(move |job| {
            let note = tower::Service::call(&mut noted.noting(), job);
            async move {
                sleep(SECOND / 5).await;
                note.await
            }
        });
        let worker = inbox.worker(service).lease(SECOND / 2).run_until(async {
            sleep(SECOND).await;
            lock.commit().await.unwrap();
            eventually(async || jobs.len() > 0).await;
        });
        worker.await.unwrap();
        let attempts: Vec<_> = jobs.all().iter().map(Job::attempt).collect();
        assert_eq!(attempts, [1]);
    });
}
