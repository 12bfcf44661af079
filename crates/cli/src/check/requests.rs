//! The requests, for who wants to know them before.

use serde::Serialize;

use crate::error::Error;
use crate::output::Output;
use crate::target::Target;
use crate::text::Escaped;

/// A question that is put by a request.
#[derive(Serialize)]
pub(super) struct Request {
    id: &'static str,
    method: &'static str,
    /// Whether it carries a genuine signature.
    signed: bool,
    text: &'static str,
}

const fn request(
    id: &'static str,
    method: &'static str,
    signed: bool,
    text: &'static str,
) -> Request {
    Request {
        id,
        method,
        signed,
        text,
    }
}

/// The questions, in their order.
pub(super) const REQUESTS: [Request; 9] = [
    request(
        "refuses.unsigned",
        "POST",
        false,
        "a verification without a signature",
    ),
    request(
        "refuses.forged",
        "POST",
        false,
        "a verification signed with another secret",
    ),
    request("refuses.get", "GET", false, "no body and no signature"),
    request(
        "accepts.verification",
        "POST",
        true,
        "a signed verification",
    ),
    request(
        "accepts.unknown-type",
        "POST",
        true,
        "a signed notification of the type cronofy_webhook_check",
    ),
    request(
        "accepts.rotation",
        "POST",
        true,
        "a signed verification, twice: a signature of another secret before the genuine one, and after it",
    ),
    request("robust.large", "POST", false, "1 MiB without a signature"),
    request(
        "robust.slow",
        "POST",
        false,
        "a verification signed with another secret, a byte every 250 ms",
    ),
    request(
        "robust.chunked",
        "POST",
        true,
        "a signed verification in chunks, without a Content-Length",
    ),
];

/// Their names.
pub(super) const IDS: [&str; REQUESTS.len()] = {
    let mut ids = [""; REQUESTS.len()];
    let mut index = 0;
    while index < ids.len() {
        ids[index] = REQUESTS[index].id;
        index += 1;
    }
    ids
};

pub(super) fn print(output: Output, target: &Target, tls_only: bool) -> Result<(), Error> {
    let requests = if tls_only { &[][..] } else { &REQUESTS };
    if output.json {
        return requests
            .iter()
            .try_for_each(|request| output.record("request", request));
    }
    let url = target.to_string();
    let url = Escaped(&url);
    if tls_only {
        return output.line(format_args!(
            "no request would be sent to {url}: --tls-only"
        ));
    }
    output.line(format_args!("to {url}, none of which is sent:"))?;
    requests.iter().try_for_each(
        |Request {
             id, method, text, ..
         }| { output.line(format_args!("{id:<21} {method:<5} {text}")) },
    )
}
