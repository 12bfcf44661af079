use http::StatusCode;

/// The usual cause of a status, where it has one.
pub(crate) fn of_status(status: StatusCode) -> Option<&'static str> {
    Some(match status {
        StatusCode::UNAUTHORIZED => {
            "the signature was not accepted: usually the receiver has another client secret, or one with white space or quotes, or it checks the signature over a body that was parsed and serialised again; record a delivery there and run `cronofy-webhook verify`"
        }
        StatusCode::FORBIDDEN => {
            "the delivery may be for another URL than the receiver expects: compare its `public_url` with the callback_url of the delivery"
        }
        StatusCode::NOT_FOUND => "the path may be wrong: compare the URL with the receiver's route",
        StatusCode::METHOD_NOT_ALLOWED => "the path has no route for POST",
        StatusCode::PAYLOAD_TOO_LARGE => {
            "the body is over the limit of the receiver, or of a proxy before it"
        }
        status if status.is_redirection() => {
            "only a 2xx counts: register the URL that this redirects to"
        }
        _ => return None,
    })
}
