use super::{End, Pause, Store, Token};
use crate::error::StoreError;
use crate::events;

/// Holds a row for a run. Released when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    store: Store,
    token: Token,
    ended: bool,
}

impl Held {
    pub(super) fn new(store: Store, token: Token) -> Self {
        Self {
            store,
            token,
            ended: false,
        }
    }

    pub(crate) fn token(&self) -> Token {
        self.token
    }

    /// Frees the row. Tries until the store answers: a run that was done would run again otherwise.
    ///
    /// Whether this still held the row.
    pub(crate) async fn end(mut self, end: End) -> Result<bool, StoreError> {
        let mut pause = Pause::default();
        loop {
            match self.store.end(self.token, end).await {
                Err(error) if !error.is_closed() => {
                    events::store_failed("end", &error);
                    pause.wait().await;
                }
                result => {
                    self.ended = true;
                    #[cfg(feature = "metrics")]
                    events::run_ended(end.as_str());
                    return result;
                }
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.ended {
            #[cfg(feature = "metrics")]
            events::run_ended(End::Released.as_str());
            self.store.release(self.token);
        }
    }
}
