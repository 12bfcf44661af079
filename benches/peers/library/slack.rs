//! `slack-morphism`: its axum layer, with the hexadecimal HMAC of a version, a timestamp and the body.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Extension, Router};
use hyper_util::client::legacy::connect::HttpConnector;
use slack_morphism::axum_support::{SlackEventsAxumListener, SlackEventsExtractors};
use slack_morphism::events::SlackPushEvent;
use slack_morphism::hyper_tokio::SlackClientHyperConnector;
use slack_morphism::listener::SlackClientEventsListenerEnvironment;
use slack_morphism::signature_verifier::SlackEventSignatureVerifier;
use slack_morphism::{SlackClient, SlackSigningSecret};

use crate::Peer;
use crate::setup::{BODY, SECRET};

/// A small event, with a token that makes it as long as the other bodies.
const EVENT: &str = concat!(
    r#"{"token":"Jhj5dZrVaK7ZwHHjRyZ","team_id":"T061EG9R6","api_app_id":"A0PNCHHK2","#,
    r#""event":{"type":"channel_archive","channel":"C061EG9SL","user":"U061F7AUR"},"#,
    r#""type":"event_callback","event_id":"Ev0PV52K21","event_time":1776590656,"#,
    r#""authed_users":["U061F7AUR"]}"#,
);
const _: () = assert!(EVENT.len() == BODY.len());

pub(crate) fn typed() -> Peer {
    let handler = post(async |Extension(event): Extension<SlackPushEvent>| {
        black_box(event);
        StatusCode::NO_CONTENT
    });
    let layer = listener()
        .events_layer(&SlackSigningSecret::new(SECRET.into()))
        .with_event_extractor(SlackEventsExtractors::push_event());
    peer(Router::new().route("/cronofy", handler).layer(layer))
}

pub(crate) fn raw() -> Peer {
    let layer = listener().events_layer(&SlackSigningSecret::new(SECRET.into()));
    peer(
        Router::new()
            .route("/cronofy", post(crate::raw))
            .layer(layer),
    )
}

/// The layer needs a client, which sends nothing here.
fn listener() -> SlackEventsAxumListener<HttpConnector> {
    let connector = SlackClientHyperConnector::with_connector(HttpConnector::new());
    let client = Arc::new(SlackClient::new(connector));
    SlackEventsAxumListener::new(Arc::new(SlackClientEventsListenerEnvironment::new(client)))
}

fn peer(router: Router) -> Peer {
    Peer {
        router,
        body: EVENT.as_bytes(),
        signed: |secret| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = now.expect("is after 1970").as_secs();
            let tag = crate::hmac(secret, format!("v0:{now}:{EVENT}").as_bytes());
            crate::json([
                (
                    SlackEventSignatureVerifier::SLACK_SIGNED_HASH_HEADER,
                    format!("v0={}", hex::encode(tag)),
                ),
                (
                    SlackEventSignatureVerifier::SLACK_SIGNED_TIMESTAMP,
                    now.to_string(),
                ),
            ])
        },
    }
}
