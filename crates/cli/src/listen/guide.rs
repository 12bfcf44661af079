//! How deliveries get here: the tunnel, the channel, and what does not fit together.

use std::collections::HashSet;
use std::net::IpAddr;

use http::Uri;
use http::header::HOST;
use http::uri::Authority;

use super::delivery::Received;
use super::judge::Judgement;
use crate::output::note;
use crate::record::Verdict;
use crate::text::Escaped;

/// More hints would be noise.
const HINTS: usize = 20;

pub(super) struct Guide {
    prefix: String,
    port: u16,
    /// The URL that the tunnel has, without the prefix, and its host.
    public_url: Option<String>,
    public_host: Option<String>,
    hinted: HashSet<String>,
}

impl Guide {
    pub(super) fn new(prefix: &str, port: u16) -> Self {
        Self {
            prefix: prefix.to_owned(),
            port,
            public_url: None,
            public_host: None,
            hinted: HashSet::new(),
        }
    }

    /// Tells how to start a tunnel, or where it is.
    pub(super) fn start(&mut self, public_url: Option<&Uri>) {
        let tunnels = self.tunnels().join("\n  ");
        note(format_args!("a tunnel makes it public:\n  {tunnels}"));
        if let Some(url) = public_url {
            self.public_host = url.host().map(str::to_owned);
            let path = url.path().trim_end_matches('/');
            let authority = url.authority().map_or("", Authority::as_str);
            let scheme = url.scheme_str().unwrap_or("https");
            self.is_at(format!("{scheme}://{authority}{path}"));
        }
    }

    /// The commands that start a tunnel.
    pub(super) fn tunnels(&self) -> [String; 3] {
        let port = self.port;
        [
            format!("ngrok http {port}"),
            format!("cloudflared tunnel --url http://127.0.0.1:{port}"),
            format!("tailscale funnel {port}"),
        ]
    }

    /// Where it is for Cronofy, if that is known.
    pub(super) fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// The command that [creates a channel](https://docs.cronofy.com/developers/api/push-notifications/create-channel/).
    pub(super) fn channel_command(&self) -> Option<String> {
        let callback_url = format!("{}{}", self.public_url.as_ref()?, self.prefix);
        let body = serde_json::json!({"callback_url": callback_url}).to_string();
        Some(format!(
            "curl https://api.cronofy.com/v1/channels -H \"Authorization: Bearer $CRONOFY_ACCESS_TOKEN\" -H 'Content-Type: application/json' -d {}",
            shell_quoted(&body)
        ))
    }

    fn is_at(&mut self, public_url: String) {
        self.public_url = Some(public_url);
        if let Some(command) = self.channel_command() {
            note(format_args!(
                "this creates a channel, at the API host of your data centre:\n  {}",
                Escaped(&command)
            ));
        }
    }

    /// Takes the first `Host` that is not this machine for that of the tunnel.
    pub(super) fn seen(&mut self, received: &Received) {
        if self.public_host.is_some() {
            return;
        }
        if let Some(host) = host(received).filter(|host| !is_this_machine(host.host())) {
            self.public_host = Some(host.host().to_owned());
            self.is_at(format!("https://{host}"));
        }
    }

    /// Tells if a delivery was sent to another host than it is for. What is not authentic says nothing about Cronofy.
    pub(super) fn judged(&mut self, received: &Received, judgement: &Judgement) {
        let url = judgement.notification.callback_url();
        let url = url.and_then(|url| url.parse::<Uri>().ok());
        let Some(callback) = url.as_ref().and_then(Uri::host) else {
            return;
        };
        let came_to = host(received);
        let came_to = came_to.as_ref().map(Authority::host);
        let is_expected = [came_to, self.public_host.as_deref()]
            .into_iter()
            .flatten()
            .any(|host| host.eq_ignore_ascii_case(callback));
        let Some(came_to) = came_to.filter(|_| !is_expected) else {
            return;
        };
        let is_new = judgement.verdict != Verdict::Unauthentic
            && self.hinted.len() < HINTS
            && self.hinted.insert(format!("{callback} {came_to}"));
        if is_new {
            note(format_args!(
                "hint: this delivery is for {} and came to {}: if the tunnel has a new name, Cronofy still uses the old one; if it changes the `Host`, give its name with --public-url",
                Escaped(callback),
                Escaped(came_to)
            ));
        }
    }
}

fn host(received: &Received) -> Option<Authority> {
    let value = received.headers.get(HOST)?;
    let authority: Authority = value.to_str().ok()?.parse().ok()?;
    // It is printed as a part of a command.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    authority
        .as_str()
        .chars()
        .all(is_plain)
        .then_some(authority)
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || address.is_unspecified(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// One word for a POSIX shell.
pub(super) fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
