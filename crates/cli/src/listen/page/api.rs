//! The calls of the page.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};
use tokio::task::{JoinError, spawn_blocking};

use super::curl::curl;
use super::detail::Detail;
use super::files;
use super::guard::{Guard, guard};
use super::refusal::Refusal;
use super::row::Row;
use super::sample::{Sample, Wanted, samples};
use super::search::search;
use super::send::{Draft, Progress};
use super::state;
use super::stream::stream;
use crate::listen::LIMIT;
use crate::listen::proxy::Proxy;
use crate::listen::store::Stored;

/// What the calls share.
pub(super) struct Context {
    pub(super) proxy: Arc<Proxy>,
    /// Where deliveries are posted to.
    pub(super) url: String,
    /// What is sent from the page is sent one after the other.
    pub(super) turn: Mutex<()>,
    pub(super) replays: watch::Sender<Progress>,
}

impl Context {
    pub(super) fn new(proxy: Arc<Proxy>, url: String) -> Self {
        Self {
            proxy,
            url,
            turn: Mutex::new(()),
            replays: watch::Sender::new(Progress::default()),
        }
    }

    pub(super) fn stored(&self, key: u64) -> Result<Arc<Stored>, Refusal> {
        let stored = self.proxy.log.state().store.get(key);
        stored.ok_or_else(Refusal::gone)
    }

    /// In a thread of its own, as deliveries are sent on in this one.
    async fn detail(&self, key: u64) -> Result<Json<Detail>, Refusal> {
        let (proxy, stored) = (Arc::clone(&self.proxy), self.stored(key)?);
        let detail = spawn_blocking(move || Detail::new(&proxy, &stored)).await;
        detail.map(Json).map_err(panicked)
    }
}

type Shared = State<Arc<Context>>;

pub(super) fn router(context: Arc<Context>, guarded: Arc<Guard>) -> Router {
    Router::new()
        .route("/api/state", get(state))
        .route("/api/stream", get(stream))
        .route("/api/deliveries", get(list))
        .route("/api/deliveries/{key}", get(detail))
        .route("/api/deliveries/{key}/curl", get(copy))
        .route("/api/search", post(find))
        .route("/api/samples", get(all_samples))
        .route("/api/sample", post(sample))
        .route("/api/replay", post(replay))
        .route("/api/replay-all", post(replay_all))
        .route("/api/stop", post(stop))
        .route("/api/send", post(send))
        // A body is escaped in JSON.
        .layer(DefaultBodyLimit::max(4 * LIMIT))
        .with_state(context)
        .merge(files::router())
        .layer(from_fn_with_state(guarded, guard))
}

async fn state(State(context): Shared) -> Json<state::State> {
    Json(state::State::of(&context).await)
}

/// The oldest first.
async fn list(State(context): Shared) -> Json<Vec<Row>> {
    let all = context.proxy.log.state().store.all();
    Json(all.iter().map(|stored| Row::new(stored)).collect())
}

async fn detail(State(context): Shared, Path(key): Path<u64>) -> Result<Json<Detail>, Refusal> {
    context.detail(key).await
}

async fn copy(State(context): Shared, Path(key): Path<u64>) -> Result<Json<Value>, Refusal> {
    let stored = context.stored(key)?;
    if stored.is_cut() {
        return Err(Refusal::unprocessable("the end of its body was not kept"));
    }
    Ok(Json(json!({ "text": curl(&context.proxy, &stored) })))
}

#[derive(Deserialize)]
struct Find {
    text: String,
}

/// In a thread of its own, as deliveries are sent on in this one.
async fn find(State(context): Shared, Json(find): Json<Find>) -> Result<Json<Vec<u64>>, Refusal> {
    let all = context.proxy.log.state().store.all();
    let found = spawn_blocking(move || search(&all, &find.text)).await;
    found.map(Json).map_err(panicked)
}

async fn all_samples() -> Json<Vec<Sample>> {
    Json(samples())
}

async fn sample(
    State(context): Shared,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Value>, Refusal> {
    let body = wanted.body(&context.callback_base())?;
    Ok(Json(json!({ "body": body })))
}

#[derive(Deserialize)]
struct One {
    key: u64,
}

async fn replay(State(context): Shared, Json(one): Json<One>) -> Result<Json<Detail>, Refusal> {
    let stored = context.stored(one.key)?;
    let key = context.replay(&stored).await?;
    context.detail(key).await
}

#[derive(Deserialize)]
struct Several {
    keys: Vec<u64>,
    confirmed: usize,
}

async fn replay_all(
    State(context): Shared,
    Json(several): Json<Several>,
) -> Result<StatusCode, Refusal> {
    let stored = several.keys.iter().map(|key| context.stored(*key));
    let stored = stored.collect::<Result<Vec<_>, _>>()?;
    context.replay_all(stored, several.confirmed)?;
    Ok(StatusCode::ACCEPTED)
}

async fn stop(State(context): Shared) -> StatusCode {
    context.stop();
    StatusCode::NO_CONTENT
}

async fn send(State(context): Shared, Json(draft): Json<Draft>) -> Result<Json<Detail>, Refusal> {
    let key = context.send(draft).await?;
    context.detail(key).await
}

fn panicked(error: JoinError) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error)
}
