use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::events::{self, Subject};
use crate::store::{Store, Token};

/// Renews the lease of a run, in a task of its own: a run that blocks its thread does not keep it from being renewed.
pub(super) struct Lease {
    pub(super) store: Store,
    pub(super) token: Token,
    pub(super) duration: Duration,
    /// From before the row was asked for: it ends here not later than in the store.
    pub(super) asked: Instant,
}

/// Why a run is dropped.
enum Lost {
    /// Not within the lease.
    NotRenewed,
    /// The row is gone, or another run holds it.
    NotHeld,
    Closed,
}

/// When a run is dropped: a tenth of the lease before another worker may take its row.
pub(super) fn usable(lease: Duration) -> Duration {
    lease.mul_f64(0.9)
}

impl Lease {
    /// Renews until `ended` is closed. If that fails, drops the run while the lease still lasts.
    pub(super) async fn keep(
        self,
        run: AbortHandle,
        ended: oneshot::Receiver<()>,
        subject: Subject,
    ) {
        tokio::select! {
            biased;
            _ = ended => {}
            lost = self.lost() => {
                match lost {
                    Lost::NotRenewed => events::lease_lost(&subject),
                    Lost::NotHeld => events::no_longer_held(&subject),
                    Lost::Closed => events::closed_before(&subject),
                }
                run.abort();
            }
        }
    }

    /// Returns once a tenth of the lease is left, or it cannot be renewed any more.
    async fn lost(mut self) -> Lost {
        loop {
            let drop_at = self.asked + usable(self.duration);
            match timeout_at(drop_at, self.renewed()).await {
                Ok(Ok(asked)) => self.asked = asked,
                Ok(Err(lost)) => return lost,
                Err(_) => return Lost::NotRenewed,
            }
        }
    }

    /// Waits for a third of the lease, then renews it.
    async fn renewed(&self) -> Result<Instant, Lost> {
        sleep_until(self.asked + self.duration / 3).await;
        loop {
            let asked = Instant::now();
            match self.store.renew(self.token, self.duration).await {
                Ok(true) => return Ok(asked),
                Ok(false) => return Err(Lost::NotHeld),
                Err(error) if error.is_closed() => return Err(Lost::Closed),
                Err(error) => events::store_failed("renew", &error),
            }
            sleep(self.duration / 20).await;
        }
    }
}
