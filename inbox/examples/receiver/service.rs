//! What a job does, and the lines that say so.

use std::error::Error;
use std::io::{self, Write as _};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cronofy_webhook::Notification;
use cronofy_webhook_inbox::Job;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Handles a job, and prints a line before and after it. `work` is how long it takes.
pub(crate) async fn handle(job: Job, work: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = format!("{}-{}", process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    begin(&run, &job)?;
    let result = sync(&job, work).await;
    match &result {
        Ok(()) => print(&format!("done run={run}"))?,
        Err(_) => print(&format!("failed run={run}"))?,
    }
    result
}

/// Stands for the real work: for a `change`, to read the account's events with `changes_since` as `last_modified`.
async fn sync(_: &Job, work: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
    tokio::time::sleep(work).await;
    Ok(())
}

fn begin(run: &str, job: &Job) -> io::Result<()> {
    let notification = job.notification();
    let key = notification
        .channel()
        .map_or("-".to_owned(), |channel| encoded(&channel.channel_id));
    let since = match notification {
        Notification::Change(change) => change.changes_since.to_string(),
        _ => "-".to_owned(),
    };
    print(&format!(
        "begin run={run} account={} key={key} kind={} since={since} attempt={} merged={}",
        encoded(job.account()),
        encoded(notification.kind()),
        job.attempt(),
        job.merged(),
    ))
}

/// In one piece, and at once: a reader has it even if the process is killed then.
fn print(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
