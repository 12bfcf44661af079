use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::calendar::{Calendar, Selection};
use crate::query::Window;

/// How many events a page has at most.
const PAGE: usize = 10;

/// An API that listens on a free port of this machine. Clones are the same one.
#[derive(Clone)]
pub(crate) struct SimulatedApi(Arc<Mutex<Accounts>>);

struct Accounts {
    origin: String,
    /// By access token.
    calendars: HashMap<String, Calendar>,
    /// What is left of answers, by the id of their next page.
    pages: HashMap<String, Rest>,
    rng: Rng,
    /// The share of requests that are refused without a reason, in percent.
    faults: u8,
    figures: Figures,
}

/// The pages after another one. They do not change any more.
#[derive(Clone)]
struct Rest {
    token: String,
    current: usize,
    total: usize,
    events: Vec<Value>,
}

/// What was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Reads: first pages.
    pub(crate) reads: u64,
    /// Pages after the first.
    pub(crate) further_pages: u64,
    pub(crate) events: u64,
    pub(crate) refused: u64,
}

impl SimulatedApi {
    /// Starts to serve. `faults` of a hundred requests are answered with 429 or 503.
    pub(crate) async fn start(seed: u64, faults: u8) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let api = Self(Arc::new(Mutex::new(Accounts {
            origin: format!("http://{}", listener.local_addr()?),
            calendars: HashMap::new(),
            pages: HashMap::new(),
            rng: Rng::with_seed(seed),
            faults,
            figures: Figures::default(),
        })));
        let app = Router::new()
            .route("/v1/events", get(read_events))
            .route("/v1/events/pages/{id}", get(read_page))
            .with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(api)
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        self.lock().origin.clone()
    }

    pub(crate) fn insert(&self, token: &str, calendar: Calendar) {
        self.lock().calendars.insert(token.to_owned(), calendar);
    }

    /// Changes or looks at the calendars of an account, which must be there.
    pub(crate) fn with<T>(&self, token: &str, f: impl FnOnce(&mut Calendar) -> T) -> T {
        f(self.lock().calendars.get_mut(token).expect("was inserted"))
    }

    /// What was answered since this was called before.
    pub(crate) fn take_figures(&self) -> Figures {
        std::mem::take(&mut self.lock().figures)
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As a network and a busy service: some time, and sometimes an error.
    async fn answer(
        &self,
        f: impl FnOnce(&mut Accounts) -> Result<Response, StatusCode>,
    ) -> Response {
        let millis = self.lock().rng.u64(2..20);
        sleep(Duration::from_millis(millis)).await;
        let mut accounts = self.lock();
        let answer = if accounts.rng.u8(0..100) < accounts.faults {
            Err(*accounts
                .rng
                .choice(&[
                    StatusCode::TOO_MANY_REQUESTS,
                    StatusCode::SERVICE_UNAVAILABLE,
                ])
                .expect("not empty"))
        } else {
            f(&mut accounts)
        };
        answer.unwrap_or_else(|status| {
            accounts.figures.refused += 1;
            match status {
                StatusCode::TOO_MANY_REQUESTS => {
                    (status, [(header::RETRY_AFTER, "1")]).into_response()
                }
                status => status.into_response(),
            }
        })
    }
}

async fn read_events(
    State(api): State<SimulatedApi>,
    headers: HeaderMap,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Response {
    api.answer(|accounts| {
        let token = token(&headers);
        let calendar = accounts
            .calendars
            .get(&token)
            .ok_or(StatusCode::UNAUTHORIZED)?;
        let selection = selection(parameters).ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
        let events = calendar.select(&selection);
        accounts.figures.reads += 1;
        let total = events.len().div_ceil(PAGE).max(1);
        Ok(accounts.page(Rest {
            token,
            current: 1,
            total,
            events,
        }))
    })
    .await
}

async fn read_page(
    State(api): State<SimulatedApi>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    api.answer(|accounts| {
        let rest = accounts
            .pages
            .get(&id)
            .ok_or(StatusCode::NOT_FOUND)?
            .clone();
        if rest.token != token(&headers) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        accounts.figures.further_pages += 1;
        Ok(accounts.page(rest))
    })
    .await
}

impl Accounts {
    /// The first page of what is left.
    fn page(&mut self, mut rest: Rest) -> Response {
        let after = rest.events.split_off(rest.events.len().min(PAGE));
        self.figures.events += rest.events.len() as u64;
        let mut pages = json!({ "current": rest.current, "total": rest.total });
        if !after.is_empty() {
            let id = format!("{:016x}", self.rng.u64(..));
            pages["next_page"] = format!("{}/v1/events/pages/{id}", self.origin).into();
            let next = Rest {
                current: rest.current + 1,
                events: after,
                ..rest
            };
            self.pages.insert(id, next);
        }
        Json(json!({ "pages": pages, "events": rest.events })).into_response()
    }
}

fn token(headers: &HeaderMap) -> String {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    value
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default()
        .to_owned()
}

/// `None` if a parameter is unknown or malformed, or if a required one is absent.
fn selection(parameters: Vec<(String, String)>) -> Option<Selection> {
    let mut selection = Selection::default();
    let (mut from, mut to, mut tzid) = (None, None, None);
    for (name, value) in parameters {
        match name.as_str() {
            "tzid" => tzid = Some(value),
            "from" => from = Some(value.parse().ok()?),
            "to" => to = Some(value.parse().ok()?),
            "last_modified" => selection.last_modified = Some(value.parse().ok()?),
            "include_deleted" => selection.include_deleted = value.parse().ok()?,
            "include_moved" => selection.include_moved = value.parse().ok()?,
            "include_managed" => selection.include_managed = value.parse().ok()?,
            "only_managed" => selection.only_managed = value.parse().ok()?,
            "calendar_ids[]" => selection.calendar_ids.push(value),
            _ => return None,
        }
    }
    selection.window = Some(Window {
        from: from?,
        to: to?,
    });
    (tzid? == "Etc/UTC").then_some(selection)
}
