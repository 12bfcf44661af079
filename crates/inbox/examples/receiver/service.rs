//! The lines that say what a job does.

use std::error::Error;
use std::io::{self, Write as _};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use cronofy_webhook::Notification;
use cronofy_webhook_inbox::Job;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Does the work of a job, and prints a line before and after it.
pub(crate) async fn handle(
    job: Job,
    work: impl Future<Output = Result<(), Box<dyn Error + Send + Sync>>>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let run = Run::begin(&job)?;
    work.await?;
    run.done()?;
    Ok(())
}

/// A run that has begun. Dropped before it is done, it has failed.
struct Run {
    id: String,
    is_done: bool,
}

impl Run {
    fn begin(job: &Job) -> io::Result<Self> {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let id = format!("{}-{}", process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        let notification = job.notification();
        let key = notification
            .channel()
            .map_or("-".to_owned(), |channel| encoded(&channel.channel_id));
        let since = match notification {
            Notification::Change(change) => change.changes_since.to_string(),
            _ => "-".to_owned(),
        };
        print(&format!(
            "begin run={id} account={} key={key} kind={} since={since} attempt={} merged={}",
            encoded(job.account()),
            encoded(notification.kind()),
            job.attempt(),
            job.merged(),
        ))?;
        Ok(Self { id, is_done: false })
    }

    fn done(mut self) -> io::Result<()> {
        self.is_done = true;
        print(&format!("done run={}", self.id))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.is_done {
            // An error: nobody reads the lines.
            drop(print(&format!("failed run={}", self.id)));
        }
    }
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
