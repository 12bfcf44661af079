//! The subscriber of a service in production: events at warn level and above are formatted and written.

use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Installs the subscriber on this thread until the guard is dropped.
pub(crate) fn at_warn() -> DefaultGuard {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_writer(std::io::sink)
        .set_default()
}
