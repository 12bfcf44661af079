//! What the top bar and the checklist show.

use serde::Serialize;

use super::api::Context;
use super::signature::label;

#[derive(Serialize)]
pub(super) struct State {
    version: &'static str,
    /// Where deliveries are posted to.
    url: String,
    to: String,
    prefix: String,
    /// Whether a connection to the receiver can be made.
    listens: bool,
    secrets: Vec<String>,
    public_url: Option<String>,
    tunnels: [String; 3],
    channel_command: Option<String>,
    recording: Option<Recording>,
    has_faults: bool,
}

#[derive(Serialize)]
struct Recording {
    path: String,
    is_written: bool,
}

impl State {
    pub(super) async fn of(context: &Context) -> Self {
        let proxy = &context.proxy;
        let listens = proxy.receiver.listens().await;
        let count = proxy
            .log
            .secrets
            .as_ref()
            .map_or(0, |secrets| secrets.count);
        let state = proxy.log.state();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            url: context.url.clone(),
            to: proxy.receiver.target().to_string(),
            prefix: proxy.scope.prefix().to_owned(),
            listens,
            secrets: (0..count).map(|index| label(index, count)).collect(),
            public_url: state.guide.public_url().map(str::to_owned),
            tunnels: state.guide.tunnels(),
            channel_command: state.guide.channel_command(),
            recording: state.record_path.clone().map(|path| Recording {
                path,
                is_written: state.record.is_some(),
            }),
            has_faults: proxy.faults.exist(),
        }
    }
}
