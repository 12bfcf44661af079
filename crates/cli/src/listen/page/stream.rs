//! What is new, for as long as a page is open.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};
use tokio_stream::{Stream, StreamExt as _};

use super::api::Context;
use super::row::Row;

/// How often a sign of life is sent.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// `row` is a request, `replays` how far several replays are, `reset` says that the list must be read again.
pub(super) async fn stream(
    State(context): State<Arc<Context>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let replays = WatchStream::new(context.replays.subscribe());
    let replays = replays.map(|progress| Event::default().event("replays").json_data(progress));
    let rows = BroadcastStream::new(context.proxy.log.news.subscribe());
    let rows = rows.filter_map(move |key| {
        let Ok(key) = key else {
            return Some(Ok(reset()));
        };
        // One that has been dropped from memory meanwhile is not shown.
        let stored = context.proxy.log.state().store.get(key)?;
        let row = Row::new(&stored);
        Some(Event::default().event("row").json_data(row))
    });
    // What cannot be written is read with the list.
    let events = replays
        .merge(rows)
        .map(|event| Ok(event.unwrap_or_else(|_| reset())));
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

fn reset() -> Event {
    Event::default().event("reset").data("")
}
