use std::time::{Duration, Instant};

use cronofy_webhook::Notification;
use cronofy_webhook::notification::ReplyStatus;
use cronofy_webhook_testing::Payload;
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use jetstream_example::queue::Job;
use jetstream_example::receiver;
use jiff::Timestamp;

use crate::support::{Queue, Worker};

/// A change since this second.
fn change(second: i64) -> Payload {
    Payload::change(Timestamp::from_second(second).unwrap())
}

fn second(job: &Job) -> i64 {
    let Notification::Change(change) = &job.notification else {
        panic!("not a change: {job:?}");
    };
    change.changes_since.as_second()
}

pub(crate) async fn every_sample_comes_out_as_it_was() {
    let queue = Queue::start().await;
    let mut sent = Vec::new();
    for (stored, sample) in (1..).zip(Payload::samples()) {
        // Each through a channel of its own.
        let payload = match sample
            .payload()
            .try_set("/channel/channel_id", sample.name())
        {
            Ok(payload) if sample.payload().as_str().contains("channel_id") => payload,
            _ => sample.payload(),
        };
        sent.push(Notification::from_slice(payload.as_str().as_bytes()));
        assert_eq!(queue.send(payload).await, 204, "{}", sample.name());
        assert_eq!(queue.stored().await, stored, "{}", sample.name());
    }

    let mut worker = queue.worker().await;
    for _ in 0..sent.len() {
        let job = worker.next().await.done();
        assert_eq!(job.account, "42");
        let sent_as = sent
            .iter()
            .position(|notification| *notification == job.notification);
        sent.swap_remove(sent_as.expect("one that was sent"));
    }
    queue.has_left(0).await;
    assert_eq!(worker.stop().await, []);
}

pub(crate) async fn changes_during_a_run_lead_to_one_more_from_the_earliest() {
    let queue = Queue::start().await;
    let mut worker = queue.worker().await;
    assert_eq!(queue.send(change(1_000)).await, 204);
    let first = worker.next().await;
    // Neither the first of them nor the last is the earliest.
    let seconds = (0..200).map(|n| 2_000 + (n + 100) % 200);
    let sent = join_all(seconds.map(|second| queue.send(change(second)))).await;
    assert!(sent.iter().all(|status| *status == 204), "{sent:?}");
    assert_eq!(second(&first.done()), 1_000);

    assert_eq!(second(&worker.next().await.done()), 2_000);
    queue.has_left(0).await;
    assert_eq!(worker.stop().await, []);
}

pub(crate) async fn accepted_declined_and_accepted_are_three_runs() {
    let queue = Queue::start().await;
    for status in [
        ReplyStatus::Accepted,
        ReplyStatus::Declined,
        ReplyStatus::Accepted,
    ] {
        assert_eq!(queue.send(Payload::smart_invite(status)).await, 204);
    }
    let mut worker = queue.worker().await;
    let mut replies = Vec::new();
    for _ in 0..3 {
        let job = worker.next().await.done();
        let Notification::SmartInvite(invite) = job.notification else {
            panic!("not a smart invite: {job:?}");
        };
        replies.push(invite.reply.status);
    }
    replies.sort_by_key(|status| *status != ReplyStatus::Accepted);
    assert_eq!(
        replies,
        [
            ReplyStatus::Accepted,
            ReplyStatus::Accepted,
            ReplyStatus::Declined
        ]
    );
    queue.has_left(0).await;
    assert_eq!(worker.stop().await, []);
}

pub(crate) async fn channels_run_at_the_same_time() {
    let queue = Queue::start().await;
    for channel in ["chn_1", "chn_2", "chn_1"] {
        let payload = change(1_000).channel(channel, "https://receiver.example/cronofy/42");
        assert_eq!(queue.send(payload).await, 204);
    }
    let mut worker = queue.worker().await;
    let (one, other) = (worker.next().await, worker.next().await);
    one.done();
    other.done();
    queue.has_left(0).await;
    assert_eq!(worker.stop().await, []);
}

pub(crate) async fn a_run_that_was_dropped_is_run_again() {
    let queue = Queue::start().await;
    let consumer = queue.consumer(Duration::from_secs(1)).await;
    let mut worker = Worker::start(consumer.clone());
    assert_eq!(queue.send(change(1_000)).await, 204);
    let run = worker.next().await;
    worker.kill().await;
    assert_eq!(queue.stored().await, 1);

    // Later than that, and merged with it.
    assert_eq!(queue.send(change(2_000)).await, 204);
    let mut worker = Worker::start(consumer);
    let mut seconds = vec![second(&worker.next().await.done())];
    if !seconds.contains(&1_000) {
        seconds.push(second(&worker.next().await.done()));
    }
    assert!(seconds.contains(&second(&run.job)), "{seconds:?}");
    queue.has_left(0).await;
    assert_eq!(worker.stop().await, []);
}

pub(crate) async fn a_failed_run_is_run_again_later() {
    let queue = Queue::start().await;
    let mut worker = queue.worker().await;
    assert_eq!(queue.send(change(1_000)).await, 204);
    let mut delays = Vec::new();
    for _ in 0..2 {
        drop(worker.next().await);
        let failed = Instant::now();
        let run = worker.next().await;
        assert_eq!(second(&run.job), 1_000);
        delays.push(failed.elapsed());
        drop(run);
    }
    assert_eq!(second(&worker.next().await.done()), 1_000);
    assert!(delays[0] >= Duration::from_millis(900), "{delays:?}");
    assert!(delays[1] >= Duration::from_millis(3_900), "{delays:?}");
    queue.has_left(0).await;
    assert_eq!(worker.stop().await, []);
}

pub(crate) async fn a_long_run_is_not_delivered_again() {
    let queue = Queue::start().await;
    let ack_wait = Duration::from_secs(1);
    let consumer = queue.consumer(ack_wait).await;
    let mut worker = Worker::start(consumer.clone());
    assert_eq!(queue.send(change(1_000)).await, 204);
    let run = worker.next().await;
    // As another process would ask.
    let again = consumer.batch().max_messages(1).expires(ack_wait * 3);
    let again: Vec<_> = again.messages().await.unwrap().try_collect().await.unwrap();
    assert_eq!(again.len(), 0);
    run.done();
    queue.has_left(0).await;
    assert_eq!(worker.stop().await, []);
}

pub(crate) async fn a_message_that_is_no_job_keeps_no_other_from_running() {
    let queue = Queue::start().await;
    let sent = queue.jetstream.publish("cronofy.42.chn", "no job".into());
    sent.await.unwrap().await.unwrap();
    assert_eq!(queue.send(change(1_000)).await, 204);
    let mut worker = queue.worker().await;
    assert_eq!(second(&worker.next().await.done()), 1_000);
    worker.stop().await;
    // Not deleted: a later release may be able to parse it.
    queue.has_left(1).await;
}

pub(crate) async fn an_account_or_a_channel_is_any_text() {
    let long = "é".repeat(100_000);
    let texts = [
        "a",
        "a.b",
        "a%2Eb",
        "*",
        ">",
        "=",
        " \r\n\t\0",
        "",
        "å∫ç",
        &long,
        &long[2..],
    ];
    let queue = Queue::start().await;
    let mut jobs = Vec::new();
    for account in texts {
        for channel in texts {
            let payload = change(1_000).channel(channel, "https://receiver.example/");
            let job = Job {
                account: account.to_owned(),
                notification: Notification::from_slice(payload.as_str().as_bytes()),
            };
            receiver::store(&queue.jetstream, &job).await.unwrap();
            jobs.push(job);
        }
    }

    let mut worker = queue.worker().await;
    for _ in 0..jobs.len() {
        let job = worker.next().await.done();
        let stored_as = jobs.iter().position(|stored| *stored == job);
        jobs.swap_remove(stored_as.expect("one that was stored"));
    }
    queue.has_left(0).await;
    assert_eq!(worker.stop().await, []);
}

pub(crate) async fn it_goes_on_after_the_server_was_restarted() {
    let mut queue = Queue::start().await;
    let consumer = queue.consumer(Duration::from_secs(1)).await;
    let mut worker = Worker::start(consumer);
    assert_eq!(queue.send(change(1_000)).await, 204);
    let run = worker.next().await;
    queue.server.kill();
    // Its acknowledgement may be lost.
    run.done();
    queue.server.start_again();
    while queue.send(Payload::verification()).await != 204 {}

    // Run again, if its acknowledgement was lost.
    while worker.next().await.done().notification.kind() != "verification" {}
    // What was answered with 503 can be stored nevertheless.
    let others = async {
        loop {
            worker.next().await.done();
        }
    };
    tokio::select! {
        () = queue.has_left(0) => {}
        () = others => {}
    }
}
