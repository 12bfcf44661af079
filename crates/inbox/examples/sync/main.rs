//! The whole of Cronofy's [recommended sync](https://docs.cronofy.com/developers/faqs/recommended-sync/): notifications are
//! received and stored, a worker reads what has changed, page by page, into a SQLite file, and every day all events are read.
//!
//! Without `CRONOFY_API` it is a demonstration, against a simulated Cronofy in the same program, that ends by itself:
//!
//! ```sh
//! cargo run -p cronofy-webhook-inbox --example sync
//! ```
//!
//! It exits with 0 if the local copy has become equal to what the API has, and with 1 otherwise.
//!
//! With `CRONOFY_API` it is a receiver for one account that listens until Ctrl-C or SIGTERM. The account's channels have to be
//! [created](https://docs.cronofy.com/developers/api/push-notifications/create-channel/) with the callback URL
//! `<PUBLIC_URL>/cronofy/<ACCOUNT>`.
//!
//! | variable | |
//! |---|---|
//! | `CRONOFY_API` | the API of your [data center](https://docs.cronofy.com/developers/api/events/read-events/): `https://api.cronofy.com` |
//! | `CRONOFY_ACCESS_TOKEN` | the access token of the account |
//! | `CRONOFY_CLIENT_SECRET` | the client secret; several, separated by commas, while rotating |
//! | `PUBLIC_URL` | what the callback URLs begin with: `https://receiver.example` |
//! | `ACCOUNT` | your id of the account; `42` if absent |
//! | `LISTEN` | the address to listen on; `127.0.0.1:3000` if absent |
//! | `INBOX` | the URL of the inbox; `sqlite:cronofy-inbox.db` if absent |
//! | `EVENTS` | the file of the local copy; `cronofy-events.db` if absent |
//! | `SEED` | which changes the demonstration makes; 1 if absent |
//! | `RUST_LOG` | which events to print, on standard error; `info` if absent, `error` in the demonstration |

mod accounts;
mod api;
mod copy;
mod daily;
mod demonstration;
mod event;
mod event_sync;
mod query;
mod receiver;
#[path = "../receiver/server.rs"]
mod server;
mod simulation;

use std::env::{self, VarError};
use std::error::Error;
use std::io;
use std::process::ExitCode;

use cronofy_webhook::Verifier;
use cronofy_webhook_inbox::Inbox;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use self::accounts::Accounts;
use self::api::Api;
use self::copy::LocalCopy;
use self::daily::{every_day, read_all_accounts};
use self::event_sync::EventSync;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprint!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let api = optional("CRONOFY_API")?;
    let default = if api.is_some() { "info" } else { "error" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    if let Some(api) = api {
        listen(&api).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let seed = setting("SEED", "1")?;
    let seed = seed
        .parse()
        .map_err(|error| format!("SEED={seed}: {error}"))?;
    Ok(match demonstration::run(seed).await? {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Receives notifications of one account until Ctrl-C or SIGTERM.
async fn listen(api: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let verifier = Verifier::from_env("CRONOFY_CLIENT_SECRET")?;
    let public_url = required("PUBLIC_URL")?.parse()?;
    let address = setting("LISTEN", "127.0.0.1:3000")?;
    let accounts = Accounts::default();
    accounts.insert(
        &setting("ACCOUNT", "42")?,
        &required("CRONOFY_ACCESS_TOKEN")?,
    );
    let sync = EventSync {
        api: Api::new(api),
        copy: LocalCopy::open(setting("EVENTS", "cronofy-events.db")?)?,
        accounts,
    };
    let inbox = Inbox::open(setting("INBOX", "sqlite:cronofy-inbox.db")?)
        .max_rows(1_000_000)
        .await?;
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("LISTEN={address}: {error}"))?;
    eprintln!(
        "listening on http://{}/cronofy/{{account}} until Ctrl-C",
        listener.local_addr()?
    );
    let daily = sync.clone();
    let daily = every_day(async move || read_all_accounts(&daily).await);
    tokio::select! {
        ended = receiver::serve(listener, verifier, public_url, inbox, sync, server::signalled()) => ended,
        () = daily => unreachable!("every day is followed by another one"),
    }
}

fn optional(name: &str) -> Result<Option<String>, String> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

fn required(name: &str) -> Result<String, String> {
    optional(name)?.ok_or_else(|| format!("{name} is not set"))
}

fn setting(name: &str, default: &str) -> Result<String, String> {
    Ok(optional(name)?.unwrap_or_else(|| default.to_owned()))
}
