//! What the tests share: secrets, a delivery, and the events that are emitted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::Id;
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

pub(crate) const SECRET: &str = "CRN_NggYusqPGLxwjw5FHOJYOqSrTPNXy8WQf14OID";
pub(crate) const OTHER_SECRET: &str = "CRN_nGlYDFXwfSXgB9rvGNBJyfE454GGPtWIbNuPwr";

/// A `change`, as Cronofy's documentation prints it.
pub(crate) const CHANGE: &[u8] = include_bytes!("../../../testing/samples/push-change.json");

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) target: &'static str,
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// The names of the spans that it is in, outermost first.
    pub(crate) spans: Vec<&'static str>,
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

#[derive(Clone, Default)]
pub(crate) struct Log {
    events: Arc<Mutex<Vec<Event>>>,
    /// Pairs of names of spans: the first follows from the second.
    follows: Arc<Mutex<Vec<(&'static str, &'static str)>>>,
}

impl Log {
    /// Records on this thread until the guard is dropped.
    pub(crate) fn start() -> (Self, DefaultGuard) {
        // With a single subscriber, tracing asks that of the thread that reaches an event first whether anybody is interested:
        // one without a subscriber would turn the event off for this one.
        static SECOND: LazyLock<Dispatch> =
            LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));
        LazyLock::force(&SECOND);

        let log = Self::default();
        let subscriber = tracing_subscriber::registry().with(log.clone());
        (log, subscriber.set_default())
    }

    /// The events so far, of the diagnosis and of the library, after a check that none shows a secret or the body.
    pub(crate) fn events(&self) -> Vec<Event> {
        let events = self.events.lock().unwrap().clone();
        for event in &events {
            let text = format!("{event:?}");
            for private in [SECRET, OTHER_SECRET, "callback_url", "receiver.example"] {
                assert!(!text.contains(private), "{private} in {text}");
            }
        }
        events
    }

    pub(crate) fn follows(&self) -> Vec<(&'static str, &'static str)> {
        self.follows.lock().unwrap().clone()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let scope = context.event_scope(event);
        let spans = scope.map(|scope| scope.from_root().map(|span| span.name()).collect());
        let mut recorded = Event {
            target: event.metadata().target(),
            level: *event.metadata().level(),
            message: String::new(),
            fields: BTreeMap::new(),
            spans: spans.unwrap_or_default(),
        };
        event.record(&mut recorded);
        self.events.lock().unwrap().push(recorded);
    }

    fn on_follows_from(&self, span: &Id, follows: &Id, context: Context<'_, S>) {
        let name = |id| context.span(id).unwrap().name();
        self.follows
            .lock()
            .unwrap()
            .push((name(span), name(follows)));
    }
}
