//! Whether Cronofy's deliveries would arrive, and only Cronofy's.

mod body;
mod line;
mod reach;
mod receiver;
mod report;
mod requests;
mod tls;

use std::cell::Cell;
use std::path::PathBuf;

use clap::Args;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use self::line::{Line, Verdict, merged};
use self::receiver::Receiver;
use self::report::Report;
use crate::error::Error;
use crate::input::{is_stdin, read};
use crate::output::Output;
use crate::progress::with_progress;
use crate::secrets::SecretArgs;
use crate::target::{Addresses, Target};
use crate::text::Escaped;

/// Says whether Cronofy's deliveries would arrive, and only Cronofy's
///
/// It looks at the TLS of each address of the host, sends what must be refused, and sends a signed `verification` and a signed
/// notification of the made-up type `cronofy_webhook_check`, for the channel `chn_000000000000000000000000`. Nothing else is
/// signed: it is safe in production. Where Cronofy would not connect, nothing is sent.
///
/// The exit status is 1 if a line fails. What only warns does not keep deliveries from arriving today.
#[derive(Args)]
#[command(after_help = "Examples:
  cronofy-webhook check https://receiver.example/cronofy/42
  cronofy-webhook check https://receiver.example/ --tls-only
  cronofy-webhook check 3000/cronofy/42 --dry-run")]
pub(crate) struct Check {
    /// The URL of the receiver; `3000/cronofy/42` is `http://127.0.0.1:3000/cronofy/42`
    #[arg(value_name = "URL", env = "CRONOFY_WEBHOOK_TO", hide_env_values = true, value_parser = Target::parse)]
    target: Target,

    /// File with root certificates in PEM that are taken for publicly known ones; `-` is standard input
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Look at the TLS only: sends no request, needs no client secret
    #[arg(long)]
    tls_only: bool,

    /// List the requests, and send none of them
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    secrets: SecretArgs,
}

impl Check {
    /// Whether nothing failed.
    pub(crate) async fn run(&self, output: Output) -> Result<bool, Error> {
        if self.ca.as_deref().is_some_and(is_stdin) && self.secrets.is_stdin() {
            return Err(Error::usage(
                "the root certificates and the client secret cannot both be standard input",
            ));
        }
        let roots = self.roots()?;
        if self.dry_run {
            requests::print(output, &self.target, self.tls_only)?;
            return Ok(true);
        }
        let secrets = if self.tls_only {
            None
        } else {
            Some(self.secrets.load()?)
        };
        let mut report = Report::new(output);
        let stage = Cell::new("looking up the host");
        let work = async {
            let Some(addresses) = self.reach(&mut report, &stage).await? else {
                return report.skip(&self.questions(), "no address can be reached");
            };
            stage.set("TLS handshakes");
            let is_refused = !self.look_at_tls(&mut report, &addresses, &roots).await?;
            let Some(secrets) = secrets else {
                return Ok(());
            };
            if is_refused {
                return report.skip(&requests::IDS, "not tried, as Cronofy would not connect");
            }
            stage.set("requests");
            let tls = crate::tls::config(roots)?;
            let receiver = Receiver::new(&self.target, addresses, tls, &secrets.verifier)?;
            report.print(&receiver.refuses().await)?;
            let accepts = receiver.accepts().await;
            report.print(&accepts)?;
            report.print(&receiver.robust(accepts[0].verdict == Verdict::Pass).await)
        };
        with_progress(work, || {
            format!(
                "checking {}: {}",
                Escaped(&self.target.to_string()),
                stage.get()
            )
        })
        .await?;
        report.finish(&self.target)
    }

    /// The addresses that answer, if there is one.
    async fn reach(
        &self,
        report: &mut Report,
        stage: &Cell<&str>,
    ) -> Result<Option<Addresses>, Error> {
        let addresses = match self.target.look_up().await {
            Ok(addresses) => addresses,
            Err(error) => {
                let line = Line::fail(
                    "resolve",
                    format_args!("{error}: check the name and its DNS"),
                );
                report.print(&[line])?;
                report.skip(&["connect"], "no address is known")?;
                return Ok(None);
            }
        };
        report.print(&[reach::resolved(&addresses)])?;
        stage.set("connections");
        let (line, reached) = reach::connected(&addresses).await;
        report.print(&[line])?;
        Ok((!reached.is_empty()).then(|| reached.into_iter().collect()))
    }

    /// Whether Cronofy would connect.
    async fn look_at_tls(
        &self,
        report: &mut Report,
        addresses: &Addresses,
        roots: &RootCertStore,
    ) -> Result<bool, Error> {
        if !self.target.is_https() {
            let line = Line::warn(
                "tls",
                "plain http: Cronofy accepts such a URL, but anyone on the way can read the deliveries; use https",
            );
            report.print(&[line])?;
            return Ok(true);
        }
        let lines = tls_lines(&self.target, addresses, roots).await;
        report.print(&lines)?;
        // What offers too much can still be connected to.
        let is_refused =
            |line: &Line| line.verdict == Verdict::Fail && line.id != "tls.old-versions";
        Ok(!lines.iter().any(is_refused))
    }

    /// What this check asks of an address.
    fn questions(&self) -> Vec<&'static str> {
        let mut ids = Vec::new();
        if self.target.is_https() {
            ids.extend(tls::IDS);
        }
        if !self.tls_only {
            ids.extend(requests::IDS);
        }
        ids
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut roots = crate::tls::roots();
        let Some(path) = &self.ca else {
            return Ok(roots);
        };
        let refused =
            |error: &dyn std::fmt::Display| Error::usage(format!("{}: {error}", path.display()));
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(&read(path)?) {
            let certificate = certificate.map_err(|error| refused(&error))?;
            roots.add(certificate).map_err(|error| refused(&error))?;
            count += 1;
        }
        match count {
            0 => Err(refused(&"no certificate in PEM")),
            _ => Ok(roots),
        }
    }
}

async fn tls_lines(target: &Target, addresses: &Addresses, roots: &RootCertStore) -> Vec<Line> {
    let mut answers = Vec::new();
    for address in addresses.iter() {
        let lines = tls::lines(address, target.host(), roots).await;
        answers.push((address.ip(), lines));
    }
    merged(&answers)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use rcgen::{CertificateParams, KeyPair};
    use rustls::ServerConfig;
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// Accepts connections for as long as the test runs.
    async fn serve(host: &str, tls: Option<TlsAcceptor>) -> SocketAddr {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if let Some(tls) = &tls {
                    let _ = tls.accept(stream).await;
                }
            }
        });
        address
    }

    /// Linux has all of 127.0.0.0/8.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn tls_is_tried_for_every_address() {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["a.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(crate::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let good = serve("127.0.0.1", Some(TlsAcceptor::from(Arc::new(config)))).await;
        let bad = serve("127.0.0.2", None).await;

        let target = Target::parse("https://a.example/").unwrap();
        let lines = async |addresses: [SocketAddr; 2]| {
            tls_lines(&target, &addresses.into_iter().collect(), &roots).await
        };
        assert!(
            !lines([good, good])
                .await
                .iter()
                .any(|line| line.verdict == Verdict::Fail)
        );
        for addresses in [[good, bad], [bad, good]] {
            let lines = lines(addresses).await;
            let failed: Vec<_> = lines
                .iter()
                .filter(|line| line.verdict == Verdict::Fail)
                .collect();
            let [failed] = &failed[..] else {
                panic!("{lines:?}");
            };
            assert_eq!(failed.id, "tls");
            assert!(failed.text.starts_with("127.0.0.2: "), "{}", failed.text);
        }
    }
}
