//! Tower middleware that receives [Cronofy](https://www.cronofy.com) push notifications.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod delivery;
#[cfg(feature = "axum")]
mod extract;
pub mod middleware;
pub mod notification;
mod observe;
mod rejection;
mod secret;
pub mod signature;

pub use self::delivery::Delivery;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub use self::extract::MissingDelivery;
pub use self::middleware::{CronofyWebhook, CronofyWebhookLayer, Overrun};
pub use self::notification::Notification;
pub use self::rejection::{Rejection, RejectionKind};
pub use self::secret::Secret;
pub use self::signature::Verifier;
