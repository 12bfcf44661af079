use std::sync::Arc;
use std::time::Duration;

use super::mismatch::OnMismatch;
use super::timer::now;
use super::{Background, Overrun};
use crate::callback_url::PublicUrl;
use crate::events::Limiter;
use crate::signature::Verifier;

/// Leaves one of the five seconds that Cronofy waits for the network.
const BUDGET: Duration = Duration::from_secs(4);

/// Hundreds of times the size of a notification, and small enough to buffer for many unauthenticated clients.
const BODY_LIMIT: usize = 256 * 1024;

const GRACE: Duration = Duration::from_secs(30);

/// The settings of a layer, shared by all its services.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) verifier: Verifier,
    pub(super) budget: Duration,
    pub(super) body_limit: usize,
    pub(super) overrun: Overrun,
    pub(super) grace: Duration,
    pub(super) background: Background,
    pub(super) limiter: Arc<Limiter>,
    pub(super) on_mismatch: Option<OnMismatch>,
    pub(super) public_url: Option<PublicUrl>,
}

impl Config {
    pub(super) fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            budget: BUDGET,
            body_limit: BODY_LIMIT,
            overrun: Overrun::default(),
            grace: GRACE,
            background: Background::new(),
            limiter: Arc::new(Limiter::new(now)),
            on_mismatch: None,
            public_url: None,
        }
    }
}
