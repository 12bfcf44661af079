//! The events and spans that the crate emits, as a subscriber sees them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::Id;
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::support::{CHANGE, OTHER_SECRET, SECRET, verifier};

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) target: &'static str,
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// The names of the spans that it is in, outermost first.
    pub(crate) spans: Vec<&'static str>,
}

impl Event {
    /// Asserts the level and some of the fields.
    #[track_caller]
    pub(crate) fn is(&self, level: Level, fields: &[(&'static str, &str)]) {
        assert_eq!(self.level, level, "{self:?}");
        for (name, value) in fields {
            assert_eq!(self.field(name), Some(*value), "{name} of {self:?}");
        }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

impl Visit for Event {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = value.to_owned();
        } else {
            self.fields.insert(field.name(), value.to_owned());
        }
    }
}

#[derive(Default)]
struct Recorded {
    events: Vec<Event>,
    closed: Vec<&'static str>,
    follows: Vec<(&'static str, &'static str)>,
}

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Recorded>>);

impl Log {
    /// Records on this thread until the guard is dropped.
    pub(crate) fn start() -> (Self, DefaultGuard) {
        // With a single subscriber, tracing asks that of the thread that reaches an event first whether anybody is interested:
        // one without a subscriber would turn the event off for this one.
        static SECOND: LazyLock<Dispatch> =
            LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));
        LazyLock::force(&SECOND);

        let log = Self::default();
        let guard = tracing_subscriber::registry()
            .with(log.clone())
            .set_default();
        (log, guard)
    }

    /// The events so far, after a check that none shows anything private.
    pub(crate) fn events(&self) -> Vec<Event> {
        let events = self.recorded(|recorded| recorded.events.clone());
        let signature = verifier().sign(CHANGE);
        let private = [
            SECRET,
            OTHER_SECRET,
            signature.to_str().unwrap(),
            r#"callback_url\""#, // a field of a body, as `Debug` shows it
            "receiver.example",
        ];
        for event in &events {
            let text = format!("{event:?}");
            for private in private {
                assert!(!text.contains(private), "{private} in {text}");
            }
        }
        events
    }

    /// The only event so far.
    #[track_caller]
    pub(crate) fn event(&self) -> Event {
        let mut events = self.events();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    /// The names of the spans that were closed, in that order.
    pub(crate) fn closed(&self) -> Vec<&'static str> {
        self.recorded(|recorded| recorded.closed.clone())
    }

    /// Pairs of span names: the first follows from the second.
    pub(crate) fn follows(&self) -> Vec<(&'static str, &'static str)> {
        self.recorded(|recorded| recorded.follows.clone())
    }

    fn recorded<T>(&self, f: impl FnOnce(&mut Recorded) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        if !matches!(
            event.metadata().target(),
            "cronofy_webhook" | "cronofy_webhook_diagnosis"
        ) {
            assert!(!event.metadata().target().starts_with("cronofy"));
            return;
        }
        let scope = context.event_scope(event);
        let mut recorded = Event {
            target: event.metadata().target(),
            level: *event.metadata().level(),
            message: String::new(),
            fields: BTreeMap::new(),
            spans: scope.map_or_else(Vec::new, |scope| {
                scope.from_root().map(|span| span.name()).collect()
            }),
        };
        event.record(&mut recorded);
        self.recorded(|all| all.events.push(recorded));
    }

    fn on_follows_from(&self, span: &Id, follows: &Id, context: Context<'_, S>) {
        let name = |id| context.span(id).unwrap().name();
        self.recorded(|all| all.follows.push((name(span), name(follows))));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let name = context.span(&id).unwrap().name();
        self.recorded(|all| all.closed.push(name));
    }
}
