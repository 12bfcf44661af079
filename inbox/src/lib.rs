//! Stores [Cronofy](https://www.cronofy.com) push notifications durably.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(feature = "sqlite"))]
compile_error!("cronofy-webhook-inbox needs a store: turn on the feature `sqlite`");

mod clock;
mod entry;
mod error;
mod events;
mod inbox;
mod inspect;
mod job;
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
#[cfg(feature = "sqlite")]
pub use self::store::SQLITE_SCHEMA;
pub use self::worker::Worker;
