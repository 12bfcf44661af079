//! Sends a signed sample notification, as the test buttons of Cronofy's dashboard do, to a local receiver.
//!
//! ```sh
//! cargo run --example send -- http://127.0.0.1:3000/cronofy/42 CRN_… change
//! cargo run --example send -- --list
//! ```

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cronofy_webhook::Verifier;
use cronofy_webhook::testing::{Payload, Sender};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// How long Cronofy waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, secret, kind] = match &*arguments {
        [list] if list == "--list" => {
            for sample in Payload::samples() {
                println!("{}", sample.name());
            }
            return Ok(ExitCode::SUCCESS);
        }
        [url, secret, kind] => [url, secret, kind],
        _ => {
            eprintln!("usage: send URL SECRET KIND\n       send --list");
            return Ok(ExitCode::from(2));
        }
    };
    let url: Uri = url.parse()?;
    if url.scheme_str() != Some("http") {
        return Err("the URL must begin with http://: this example is for a local receiver".into());
    }
    let Some(sample) = Payload::samples().find(|sample| sample.name() == kind) else {
        return Err(format!("no sample of kind {kind:?}: --list prints those there are").into());
    };

    let sender = Sender::from_verifier(Verifier::new([secret])?);
    let mut request: Request<Full<Bytes>> = sender.request(sample.payload());
    *request.uri_mut() = url.clone();
    let client = Client::builder(TokioExecutor::new()).build_http();

    let started = Instant::now();
    let answer = tokio::time::timeout(TIMEOUT, client.request(request)).await;
    let took = started.elapsed().as_secs_f64() * 1e3;
    let Ok(response) = answer else {
        println!("no answer after {took:.1} ms: Cronofy would time out and retry");
        return Ok(ExitCode::FAILURE);
    };
    let response = response.map_err(|error| {
        let cause = error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string);
        format!("{url}: {cause}")
    })?;
    let status = response.status();
    println!("{status} after {took:.1} ms");
    let text = response.into_body().collect().await?.to_bytes();
    if !text.is_empty() {
        println!("{}", String::from_utf8_lossy(&text));
    }
    Ok(if status.is_success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
