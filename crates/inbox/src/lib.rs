//! Keeps [Cronofy](https://www.cronofy.com) push notifications until they are processed: stored durably, acknowledged at
//! once, processed later.
//!
//! Cronofy waits [5 seconds](https://docs.cronofy.com/developers/push-notifications/) for the answer to a notification, and
//! recommends queueing the notifications. [`cronofy_webhook`] checks and parses a notification; an [`Inbox`] stores it, and
//! after the answer a [`Worker`] calls your service with it.
//!
#![cfg_attr(feature = "axum", doc = "```")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! use axum::Router;
//! use axum::extract::{Path, State};
//! use axum::http::StatusCode;
//! use axum::routing::post;
//! use cronofy_webhook::{CronofyWebhookLayer, Delivery, Notification, PublicUrl};
//! use cronofy_webhook_inbox::{Inbox, Job, PutError};
//! use tower::service_fn;
//!
//! async fn receive(
//!     State(inbox): State<Inbox>,
//!     Path(account): Path<String>,
//!     delivery: Delivery,
//! ) -> Result<StatusCode, PutError> {
//!     inbox.put(account, &delivery).await?; // It is on the disk: now it can be acknowledged.
//!     Ok(StatusCode::NO_CONTENT)
//! }
//!
//! async fn sync(job: Job) -> Result<(), std::io::Error> {
//!     if let Notification::Change(change) = job.notification() {
//!         // Read the account's events with this as `last_modified`. It may take its time.
//!         println!("{} changed since {}", job.account(), change.changes_since);
//!     }
//!     Ok(())
//! }
//!
//! fn app(client_secret: String, public_url: PublicUrl, inbox: Inbox) -> Router {
//!     let layer = CronofyWebhookLayer::new(client_secret).public_url(public_url);
//!     Router::new()
//!         .route("/cronofy/{account}", post(receive).layer(layer))
//!         .with_state(inbox)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # std::env::set_current_dir(&directory)?;
//! # let client_secret = "CRN_an_example".to_owned();
//! let inbox = Inbox::open("sqlite:cronofy-inbox.db").await?;
//! let app = app(client_secret, "https://receiver.example".parse()?, inbox.clone());
//! # use axum::body::Body;
//! # use cronofy_webhook_testing::{Payload, Sender};
//! # use tower::ServiceExt as _;
//! # for channel in ["chn_1", "chn_2", "chn_1"] {
//! #     let change = Payload::sample("change").channel(channel, "https://receiver.example/cronofy/42");
//! #     let request = Sender::new("CRN_an_example").to("/cronofy/42").request::<Body>(change);
//! #     assert_eq!(app.clone().oneshot(request).await?.status(), 204);
//! # }
//! # assert_eq!(inbox.stats().await?.waiting, 2);
//! # let shutdown = async {
//! #     while inbox.stats().await.is_ok_and(|stats| stats.waiting + stats.taken > 0) {
//! #         tokio::task::yield_now().await;
//! #     }
//! # };
//! inbox.worker(service_fn(sync)).concurrency(8).run_until(shutdown).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The example `receiver` is a complete program, with a shutdown; `sync` also reads the events that have changed, from
//! Cronofy's API into SQLite. With `Inbox::open("postgres://…")` and the feature `postgres` the same program
//! runs on many machines: any number of them receive, and any number of them process.
//!
//! # What is guaranteed
//!
//! - What [`put`](Inbox::put) has accepted runs until a run returns `Ok`, unless its account is [forgotten](Inbox::forget), or it
//!   is parked: across errors, panics, crashes and power failures. A job can run more than once, so make the handling
//!   idempotent.
//! - Of the `change`s of an account and a channel, **one** job waits, with the earliest `changes_since`. A burst of them
//!   results in few runs, none of which starts reading too late. What comes in during a run leads to another run, which does
//!   not read from the old time again.
//! - Two runs for one account and channel do not overlap, while their [leases](Worker::lease) hold.
//! - Other kinds are never merged: `accepted`, `declined`, `accepted` are three jobs. They have no order. Read the current
//!   state from Cronofy instead of trusting the last one.
//! - The job that has been due for longest is taken first: a channel that changes all the time does not delay the others for
//!   ever.
//! - Nothing is dropped. What always fails runs again for ever, or is parked after [`max_attempts`](Worker::max_attempts).
//!
//! *Stored* means:
//!
//! | | |
//! |---|---|
//! | SQLite | The transaction was flushed to the disk: `synchronous = FULL` in WAL mode; on macOS `fullfsync`. |
//! | PostgreSQL | The primary has flushed the transaction to its disk. To survive the loss of that machine it takes [synchronous replication](https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION): with `synchronous_standby_names` set, a put returns once a standby has it too. A server with `fsync` or `synchronous_commit` off is refused: [`OpenError::NotDurable`]. |
//!
//! Puts that come in at the same time share a flush.
//!
//! A `change` that was merged is acknowledged, so Cronofy does not send it again. Once its job is taken, an equal one is a
//! new one: there is no deduplication by `changes_since`, as two different changes can have the same.
//!
//! # What to know
//!
//! - **One process for a SQLite file.** A second one waits for 10 seconds, then fails with [`OpenError::InUse`]: enough for one release
//!   to replace another. The file must be on a local disk.
//! - **The account is not signed.** It comes from the URL, which the signature does not cover: somebody who has recorded one
//!   delivery can post it for any account. Set [`public_url`](cronofy_webhook::CronofyWebhookLayer::public_url), look the
//!   account up before `put`, and set [`max_rows`](Open::max_rows).
//! - **Leave [`Overrun`](cronofy_webhook::Overrun) at `Finish`.** Under `Accept`, a put that is late is acknowledged before it
//!   is known to be stored.
//! - `Ok` from a job also means "nobody needs this any more". Return it for accounts that were deleted.
//! - **A failover** of PostgreSQL to a standby that was not synchronous loses what the standby did not have, acknowledged or not,
//!   and jobs run again that were done since. Connections to a server that no longer takes writes are dropped, and made anew to one
//!   of the hosts in the URL that does.
//! - When the store fails, `put` does, and the answer is 503: Cronofy retries for 24 hours. Nothing has to be restarted once
//!   the fault is gone.
//!
//! # Operation
//!
//! - **Alert** when [`Stats::oldest_due_age`] exceeds what you accept as delay, when [`Stats::parked`] is not 0, and on events at
//!   error level of the target `cronofy_webhook_inbox`. Without `max_attempts` a job that always fails is only logged, as `job
//!   failed` with a rising `attempt`.
//! - **Retention**: a job is deleted when it is done. What is parked stays until it is unparked and done, or the account is
//!   [forgotten](Inbox::forget).
//! - **Personal data**: bodies of Smart Invites hold e-mail addresses. The SQLite files are readable by their owner only. What is
//!   deleted stays in SQLite's log (`-wal`) until the next checkpoint, and in unused pages until they are overwritten; in
//!   PostgreSQL until the table is vacuumed, and in archived WAL. No event shows an account or a body.
//! - **Backup**: `sqlite3 cronofy-inbox.db ".backup copy.db"` works while the inbox is in use. To copy the file alone is not
//!   enough. Before the copy replaces the file, delete `cronofy-inbox.db-wal` and `-shm`: SQLite would apply the log to it. For
//!   PostgreSQL, use `pg_dump` or a base backup. A restored backup runs jobs again that were done since.
//! - **Shutdown**: see [below](#shutdown).
//! - The schema ([SQLite](SQLITE_SCHEMA),
#![cfg_attr(feature = "postgres", doc = "  [PostgreSQL](POSTGRES_SCHEMA))")]
#![cfg_attr(not(feature = "postgres"), doc = "  PostgreSQL)")]
//!   is part of the API: look into it with `sqlite3` or `psql`.
//!
//! # Shutdown
//!
//! At the signal tell server and worker at the same time: the worker takes nothing more, while the server still responds. Then wait
//! for the server, for the handlers in the background, and for the worker, and [`close`](Inbox::close) the inbox. The examples
//! `receiver` and `sync` do this.
//!
//! | | takes at most | by default |
//! |---|---|---|
//! | server | the [budget](cronofy_webhook::CronofyWebhookLayer::budget) and a second; a graceful shutdown of `axum::serve` has no bound of its own, and half a request head holds it up: [why](cronofy_webhook::_documentation::slow_handlers#shutdown) | 5 s from the signal |
//! | handlers in the background | the budget, for those that `put` | 9 s from the signal |
//! | worker | its [grace](Worker::grace): runs that are not done by then are dropped, and run again without counting the attempt | 30 s from the signal |
//! | PostgreSQL that cannot be reached | the release of the jobs, and `close`, wait for it | 20 s more |
//!
//! So a shutdown takes up to 30 s on SQLite and 50 s on PostgreSQL, and less if the runs end before. What
//! starts the process has to wait for longer before it kills it: a run that is killed counts as an attempt, and on PostgreSQL runs
//! again only after its [lease](Worker::lease).
//!
//! | | waits by default | set |
//! |---|---|---|
//! | Kubernetes | 30 s, `preStop` included | `terminationGracePeriodSeconds: 60`: 5 s of `preStop`, 50 s, and some to spare |
//! | Docker | 10 s | `docker run --stop-timeout 60`; in Compose `stop_grace_period: 60s`. Or a grace of 8 s |
//! | systemd | 90 s | nothing |
//!
//! As a SQLite file is for one process, the next release waits for 10 s, and then fails. Let Kubernetes replace the pod with
//! `strategy: { type: Recreate }`, which starts the next one when the last has ended.
//!
//! # Metrics
//!
//! With the feature `metrics`, through the facade [`metrics`](https://docs.rs/metrics) 0.24. Install a recorder before the inbox is
//! opened: the metrics are described to it then.
//!
//! | metric | type | what |
//! |---|---|---|
//! | `cronofy_webhook_inbox.waiting` | gauge | [`Stats::waiting`] |
//! | `cronofy_webhook_inbox.taken` | gauge | [`Stats::taken`] |
//! | `cronofy_webhook_inbox.parked` | gauge | [`Stats::parked`] |
//! | `cronofy_webhook_inbox.oldest_due.age` | gauge, seconds | [`Stats::oldest_due_age`], 0 if no job is due |
//! | `cronofy_webhook_inbox.runs` | counter | jobs that this process has taken, by `outcome` |
//!
//! | `outcome` | what became of a job |
//! |---|---|
//! | `done` | the service returned `Ok` |
//! | `failed` | the service returned an error, or panicked |
//! | `released` | it was dropped before that: the grace period ended, the lease was not renewed, the account was forgotten, or the worker or the inbox was dropped or closed |
//! | `parked` | it had [`max_attempts`](Worker::max_attempts) before, and was not run |
//!
//! Each process that has the inbox open sets the gauges, when it is opened and every 15 seconds, with or without a worker: on
//! PostgreSQL by counting the rows. Of several processes on one database aggregate with `max`, not `sum`. Two inboxes in one
//! process overwrite each other's. While the store fails, the gauges keep their values: what cannot be stored shows in the
//! [metrics of the layer](cronofy_webhook::_documentation::metrics), as `deliveries` that `failed` (feature `metrics` of
//! `cronofy-webhook`).
//!
//! # On PostgreSQL
//!
//! Tested with PostgreSQL 15, and PgBouncer 1.18.
//!
//! - **Users that may not create tables**: apply the schema as another one, and
//!   `GRANT SELECT, INSERT, UPDATE, DELETE ON cronofy_inbox` and `GRANT SELECT ON cronofy_inbox_schema`. Then open with
//!   [`migrate(false)`](Open::migrate).
//! - **Connections**: up to 8 for each process, and one more for a worker, which listens for what other processes store.
//! - **Poolers**: behind one in transaction mode everything works, as nothing depends on the session, and nothing is prepared.
//!   Only [notifications](https://www.postgresql.org/docs/current/sql-notify.html) do not arrive there: a worker notices it
//!   within 2 seconds, does not listen, tries again after 10 seconds, doubling to 10 minutes, and looks for jobs once a second.
//!   In session mode it listens. In statement mode `open` cannot create the schema, which takes a transaction: apply it past the
//!   pooler. PgBouncer refuses `options` in the URL, or ignores them if its `ignore_startup_parameters` names them: use `ALTER
//!   ROLE … SET` instead.
//! - **The clock** is the database's. Those of the receivers and workers do not matter.
//! - **Vacuum**: each job updates its row a few times. The table has settings for that (`fillfactor`, and an autovacuum that begins
//!   early). A transaction that was left open with a snapshot, or after it has written, keeps dead rows from being removed, and so
//!   does a prepared one; each take has to pass them. A worker warns of one that is older than 5 minutes, of those that its user may
//!   see (`GRANT pg_read_all_stats` for all). It does not see what else keeps them: a standby with
//!   [`hot_standby_feedback`](https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-HOT-STANDBY-FEEDBACK), and a
//!   replication slot: look at `pg_stat_replication.backend_xmin` and `pg_replication_slots.xmin`.
//! - **A worker that dies** leaves its jobs taken until their [lease](Worker::lease) ends. Then others run them.
//!
//! # Where to start
//!
//! | for | see |
//! |---|---|
//! | storing | [`Inbox::open`], [`Inbox::put`] |
//! | processing | [`Worker`], [`Job`] |
//! | what a failure means | [`OpenError`], [`PutError`] |
//! | looking inside | [`Inbox::stats`], [`Inbox::parked`], [metrics](#metrics) |
//! | tests of your own | [`Inbox::in_memory`], [`Job::from_delivery`], [`Worker::run_until_idle`] |
//!
//! # Features
//!
//! - `axum` (default): [`PutError`] as a response.
//! - `metrics`: gauges and a counter, through the facade [`metrics`](https://docs.rs/metrics).
//! - `postgres`: the store in a PostgreSQL database, over TLS by rustls with `ring`.
//! - `sqlite` (default): the store in a SQLite file. SQLite is compiled in, which needs a C compiler.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(any(feature = "postgres", feature = "sqlite")))]
compile_error!("cronofy-webhook-inbox needs a store: turn on the feature `postgres` or `sqlite`");

mod clock;
mod entry;
mod error;
mod events;
#[cfg(feature = "metrics")]
mod gauges;
mod inbox;
mod inspect;
mod job;
mod limiter;
mod open;
#[cfg(feature = "axum")]
mod response;
mod store;
mod worker;

pub use self::error::{OpenError, PutError, StoreError};
pub use self::inbox::Inbox;
pub use self::inspect::{Parked, Stats};
pub use self::job::Job;
pub use self::open::Open;
#[cfg(feature = "postgres")]
pub use self::store::POSTGRES_SCHEMA;
#[cfg(feature = "sqlite")]
pub use self::store::SQLITE_SCHEMA;
pub use self::worker::Worker;

#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
