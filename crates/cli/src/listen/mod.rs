//! A proxy in front of the receiver, which shows what comes.

mod attempts;
mod delivery;
mod guide;
mod headers;
mod judge;
mod line;
mod log;
mod page;
mod proxy;
mod receiver;
mod scope;
mod serve;
mod signals;
mod store;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use http::{HeaderValue, Uri};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use self::guide::Guide;
pub(crate) use self::headers::end_to_end;
use self::log::{Log, State};
use self::page::Page;
use self::proxy::Proxy;
use self::receiver::Receiver;
use self::scope::Scope;
use self::serve::serve;
use self::signals::Signals;
use self::store::Store;
use crate::error::Error;
use crate::fault::{Fault, Faults, parse_duration};
use crate::output::{Output, note};
use crate::record::RecordFile;
use crate::secrets::SecretArgs;
use crate::target::Target;
use crate::text::Escaped;
use crate::tls;

/// How many bytes a body may have, of a request and of an answer.
const LIMIT: usize = 10 * 1024 * 1024;

/// Shows what a receiver gets and answers: a proxy between it and the tunnel
///
/// A tunnel that points to it makes the receiver public, and nothing but the paths below that of --to. Requests and answers are
/// sent on unchanged, but for the headers of a connection. As Cronofy does, it waits 5 seconds for an answer, and 7 for that to an
/// `event_subscription` with `transitions`; then it answers 504.
///
/// Without a client secret, signatures are not checked. Ctrl-C ends it.
#[derive(Args)]
#[command(after_help = "Examples:
  cronofy-webhook listen --to 3000/cronofy
  cronofy-webhook listen --to 3000/cronofy --public-url https://receiver.example --record deliveries.ndjson
  cronofy-webhook listen --to 3000/cronofy --fault status=503@10% --fault delay=6s@1% --seed 7
  cronofy-webhook listen --to 3000/cronofy --until 1 --timeout 30s --json")]
pub(crate) struct Listen {
    /// Where the receiver is; `3000/cronofy` is `http://127.0.0.1:3000/cronofy`. Other paths than those below it are answered 404
    #[arg(long, value_name = "URL", env = "CRONOFY_WEBHOOK_TO", hide_env_values = true, value_parser = parse_origin)]
    to: Target,

    /// The port to listen on, at 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4050)]
    port: u16,

    /// The port of the page, at 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4051)]
    page: u16,

    /// The URL of the tunnel [default: https, and the first `Host` that is not this machine]
    #[arg(long, value_name = "URL", value_parser = parse_public_url)]
    public_url: Option<Uri>,

    /// Send this `Host` to the receiver, instead of that of the request
    #[arg(long, value_name = "VALUE")]
    host_header: Option<HeaderValue>,

    /// Append each delivery to this file. It holds what deliveries hold: e-mail addresses, authorization codes
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// How large the record may become, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, requires = "record")]
    record_limit: u64,

    /// What goes wrong, with a share of the deliveries: `delay=6s` sends on later, `status=503` sends on and answers with that
    /// status, `drop` disconnects. `@10%` is the share, all without it. Can be given several times
    #[arg(long = "fault", value_name = "FAULT[@PERCENT]", value_parser = Fault::parse)]
    faults: Vec<Fault>,

    /// Draws the same faults again [default: another one each time]
    #[arg(long, value_name = "N", requires = "faults")]
    seed: Option<u64>,

    /// How long to wait for an answer [default: as long as Cronofy]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    patience: Option<Duration>,

    /// End after so many deliveries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    until: Option<u64>,

    /// Fail if they have not come in this time [default: no limit]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, requires = "until")]
    timeout: Option<Duration>,

    #[command(flatten)]
    secrets: SecretArgs,
}

fn parse_origin(text: &str) -> Result<Target, String> {
    let target = Target::parse(text)?;
    if target.uri().query().is_some() {
        return Err("it is where all requests go: it cannot have a query".to_owned());
    }
    Ok(target)
}

fn parse_public_url(text: &str) -> Result<Uri, String> {
    Ok(parse_origin(text)?.uri().clone())
}

#[derive(Serialize)]
struct Listening<'a> {
    url: &'a str,
    page: &'a str,
    to: &'a str,
    seed: Option<u64>,
}

impl Listen {
    /// Whether it has seen what it was to wait for.
    pub(crate) async fn run(&self, output: Output) -> Result<bool, Error> {
        let mut signals = Signals::new()?;
        let listener = self.bind().await?;
        let address = listener.local_addr().map_err(Error::failed)?;
        let page = Page::bind(self.page).await?;
        let (end, mut ends) = unbounded_channel();
        let addresses = [address, page.address()?];
        let proxy = Arc::new(self.proxy(addresses, output, end).await?);
        page.serve(&proxy, &format!("http://{address}"));
        serve(&listener, &proxy, &mut signals, &mut ends, self.timeout).await
    }

    async fn bind(&self) -> Result<TcpListener, Error> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        TcpListener::bind(address).await.map_err(|error| {
            Error::usage(format!(
                "{address}: {error}: choose another port with --port, or a free one with --port 0"
            ))
        })
    }

    /// Prepares everything, and tells where it listens.
    async fn proxy(
        &self,
        [address, page]: [SocketAddr; 2],
        output: Output,
        end: UnboundedSender<Result<(), Error>>,
    ) -> Result<Proxy, Error> {
        let secrets = self.secrets.load_if_given()?;
        let addresses = self.to.resolve().await?;
        if addresses
            .iter()
            .any(|receiver| [address, page].contains(&receiver))
        {
            return Err(Error::usage(
                "--to is the address that this command listens on",
            ));
        }
        let scope = Scope::new(self.to.uri().path());
        let guide = Guide::new(scope.prefix(), address.port());
        let mut state = State::new(guide, Store::new(self.patience));
        self.open_record(&mut state)?;
        let seed = (!self.faults.is_empty())
            .then(|| self.seed.unwrap_or_else(|| fastrand::u64(..1 << 53)));
        self.tell([address, page], seed, output)?;
        if secrets.is_none() {
            note("no client secret was given: signatures are not checked");
        }
        state.guide.start(self.public_url.as_ref());
        Ok(Proxy {
            scope,
            receiver: Receiver::new(self.to.clone(), addresses, tls::config(tls::roots())?),
            faults: Faults::new(self.faults.clone(), seed.unwrap_or_default()),
            patience: self.patience,
            host_header: self.host_header.clone(),
            log: Arc::new(Log::new(output, secrets, self.until, end, state)),
        })
    }

    /// Tells where it listens.
    fn tell(
        &self,
        [address, page]: [SocketAddr; 2],
        seed: Option<u64>,
        output: Output,
    ) -> Result<(), Error> {
        let (url, to) = (format!("http://{address}"), self.to.to_string());
        if output.json {
            let listening = Listening {
                url: &url,
                page: &format!("http://{page}"),
                to: &to,
                seed,
            };
            output.record("listening", &listening)?;
        } else {
            output.line(format_args!("listening on {url} for {}", Escaped(&to)))?;
        }
        if let Some(seed) = seed {
            note(format_args!("faults are drawn with --seed {seed}"));
        }
        Ok(())
    }

    /// Opens the record, and reads what is there.
    fn open_record(&self, state: &mut State) -> Result<(), Error> {
        let Some(path) = &self.record else {
            return Ok(());
        };
        let mut count = 0;
        let limit = self.record_limit.saturating_mul(1024 * 1024);
        let (record, skipped) = RecordFile::open(path, limit, |entry| {
            count += 1;
            let (uri, body) = (&entry.uri, &entry.body);
            state.attempts.add_recorded(entry.id, uri, body);
            state.store.add_recorded(entry);
        })?;
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let path = path.to_string_lossy().into_owned();
        note(format_args!(
            "recording to {}, which has {count} deliveries: whoever can read it reads e-mail addresses and authorization codes",
            Escaped(&path)
        ));
        if skipped > 0 {
            note(format_args!(
                "warning: {skipped} of its lines are no delivery, and were skipped"
            ));
        }
        state.record = Some(record);
        state.record_path = Some(path);
        Ok(())
    }
}
