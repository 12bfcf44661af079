//! The table of responses, row by row. A rejected request never reaches the handler.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Overrun, Rejection, RejectionKind};
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::support::{
    CHANGE, Calls, OTHER_SECRET, Reply, Script, Step, genuine, handler, layer, signed, text,
    without_signature,
};

/// The response to a request that must not reach the handler.
async fn rejected(request: Request<Script>) -> (Reply, Rejection) {
    let calls = Calls::default();
    let service = layer().body_limit(300).layer(handler(&calls));
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(calls.count(), 0, "the handler was called");
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    let rejection = response
        .extensions()
        .get::<Rejection>()
        .expect("a rejection")
        .clone();
    assert_eq!(rejection.status(), response.status());
    (response, rejection)
}

fn script(bytes: &'static [u8]) -> Script {
    Bytes::from_static(bytes).into()
}

#[tokio::test]
async fn the_response_of_the_handler_is_unchanged() {
    let service = layer().layer(service_fn(async |_: Request<Full<Bytes>>| {
        let response = Response::builder()
            .status(418)
            .header("x-of-the-handler", "1")
            .body(Full::from("short and stout"));
        Ok::<_, std::convert::Infallible>(response.unwrap())
    }));
    let response = service.oneshot(genuine()).await.unwrap();

    assert_eq!(response.status(), 418);
    assert_eq!(response.headers().len(), 1);
    assert!(response.extensions().get::<Rejection>().is_none());
    assert_eq!(text(response).await, "short and stout");
}

#[tokio::test]
async fn without_the_header_the_response_is_401_and_the_body_is_not_read() {
    let body = script(CHANGE);
    let polls = body.polls();
    let (response, rejection) = rejected(without_signature(signed(CHANGE, body))).await;

    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["www-authenticate"],
        "Cronofy-HMAC-SHA256"
    );
    assert_eq!(rejection.kind(), RejectionKind::SignatureMissing);
    assert_eq!(polls.count(), 0);
    let text = text(response).await;
    assert!(text.contains("header is missing or empty"), "{text}");
}

#[tokio::test]
async fn a_blank_header_is_missing() {
    for blank in ["", " ", ",", " , ,,"] {
        let mut request = without_signature(signed(CHANGE, script(CHANGE)));
        request.headers_mut().insert(HEADER, blank.parse().unwrap());
        let (response, rejection) = rejected(request).await;
        assert_eq!(response.status(), 401);
        assert_eq!(rejection.kind(), RejectionKind::SignatureMissing);
    }
}

#[tokio::test]
async fn a_header_without_a_signature_in_it_gets_401() {
    let mut request = without_signature(signed(CHANGE, script(CHANGE)));
    request
        .headers_mut()
        .insert(HEADER, "sha256=0123".parse().unwrap());
    let (response, rejection) = rejected(request).await;

    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["www-authenticate"],
        "Cronofy-HMAC-SHA256"
    );
    assert_eq!(rejection.kind(), RejectionKind::SignatureMalformed);
}

#[tokio::test]
async fn hostile_header_bytes_do_not_affect_signatures() {
    let bytes = 0..=u8::MAX;
    let allowed = bytes.filter_map(|byte| HeaderValue::from_bytes(&[byte; 44]).ok());
    let mut tried = 0;
    for hostile in allowed {
        let mut request = without_signature(signed(CHANGE, script(CHANGE)));
        request.headers_mut().insert(HEADER, hostile.clone());
        assert_eq!(rejected(request).await.0.status(), 401, "{hostile:?}");

        // Before it and after it in the same line, and in lines of their own.
        let mut request = genuine();
        let signature = request.headers_mut().remove(HEADER).unwrap();
        let parts = [&hostile, &signature, &hostile].map(HeaderValue::as_bytes);
        let line = HeaderValue::from_bytes(&parts.join(&b',')).unwrap();
        for line in [hostile.clone(), line, hostile.clone()] {
            request.headers_mut().append(HEADER, line);
        }
        let calls = Calls::default();
        let service = layer().layer(handler(&calls));
        let status = service.oneshot(request).await.unwrap().status();
        assert_eq!((status.as_u16(), calls.count()), (200, 1), "{hostile:?}");
        tried += 1;
    }
    // All but the control characters, of which a tab is none here.
    assert_eq!(tried, 256 - 33 + 1);
}

#[tokio::test]
async fn a_signature_that_does_not_match_gets_401_and_a_hint() {
    let (response, rejection) = rejected(signed(b"another body", script(CHANGE))).await;

    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["www-authenticate"],
        "Cronofy-HMAC-SHA256"
    );
    assert_eq!(rejection.kind(), RejectionKind::SignatureMismatch);
    assert_eq!(
        rejection.source().unwrap().to_string(),
        "no signature in Cronofy-HMAC-SHA256 matches this body and the configured client secrets \
         (listed: 1, of which malformed: 0; secrets tried: 1)"
    );
    let text = text(response).await;
    assert!(text.contains("current client secret"), "{text}");
    assert!(text.contains("rewrites the body"), "{text}");
}

#[tokio::test]
async fn a_declared_length_over_the_limit_gets_413_and_the_body_is_not_read() {
    let by_header = script(CHANGE);
    let by_hint = script(CHANGE).declaring(301);
    for (body, header) in [(by_header, Some("301")), (by_hint, None)] {
        let polls = body.polls();
        let mut request = signed(CHANGE, body);
        if let Some(length) = header {
            request
                .headers_mut()
                .insert("content-length", length.parse().unwrap());
        }
        let (response, rejection) = rejected(request).await;
        assert_eq!(response.status(), 413);
        assert_eq!(rejection.kind(), RejectionKind::BodyTooLarge);
        assert_eq!(
            rejection.to_string(),
            "the request body exceeds the limit of 300 bytes"
        );
        assert_eq!(polls.count(), 0);
    }
}

#[tokio::test]
async fn a_huge_or_malformed_content_length_does_not_panic() {
    let mut request = signed(CHANGE, script(CHANGE));
    request
        .headers_mut()
        .insert("content-length", u64::MAX.to_string().parse().unwrap());
    assert_eq!(rejected(request).await.0.status(), 413);

    // Not a length: the body is counted.
    for length in [&b"-1"[..], b"", b"1, 2", b"\xff"] {
        let calls = Calls::default();
        let mut request = signed(CHANGE, script(CHANGE));
        request
            .headers_mut()
            .insert("content-length", HeaderValue::from_bytes(length).unwrap());
        let response = layer()
            .layer(handler(&calls))
            .oneshot(request)
            .await
            .unwrap();
        assert_eq!((response.status().as_u16(), calls.count()), (200, 1));
    }
}

#[tokio::test]
async fn a_body_counted_over_the_limit_gets_413() {
    let large = vec![b' '; 301];
    let pieces = large
        .chunks(7)
        .map(|piece| Step::Data(Bytes::copy_from_slice(piece)));
    let (response, rejection) = rejected(signed(&large, Script::new(pieces))).await;

    assert_eq!(response.status(), 413);
    assert_eq!(rejection.kind(), RejectionKind::BodyTooLarge);
}

#[tokio::test]
async fn a_truncated_body_gets_400_and_keeps_the_cause() {
    let body = Script::new([
        Step::Data(CHANGE[..100].into()),
        Step::Fail("reset by peer"),
    ]);
    let (response, rejection) = rejected(signed(CHANGE, body)).await;

    assert_eq!(response.status(), 400);
    assert_eq!(rejection.kind(), RejectionKind::BodyIncomplete);
    assert_eq!(rejection.source().unwrap().to_string(), "reset by peer");
}

#[tokio::test(start_paused = true)]
async fn a_body_not_complete_within_the_deadline_gets_408() {
    let body = Script::new([Step::Data(CHANGE[..100].into()), Step::Hang]);
    let (response, rejection) = rejected(signed(CHANGE, body)).await;

    assert_eq!(response.status(), 408);
    assert_eq!(rejection.kind(), RejectionKind::BodyTimeout);
    assert_eq!(
        rejection.to_string(),
        "the request body was not received within the budget of 4s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_handler_gets_503_or_202_by_policy() {
    for (overrun, status, kind) in [
        (Overrun::Finish, 503, Some(RejectionKind::HandlerTimeout)),
        (Overrun::Cancel, 503, Some(RejectionKind::HandlerTimeout)),
        (Overrun::Accept, 202, None),
    ] {
        let service =
            layer()
                .overrun(overrun)
                .layer(service_fn(async |_: Request<Full<Bytes>>| {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    Ok::<Reply, std::convert::Infallible>(Response::default())
                }));
        let response = service.oneshot(genuine()).await.unwrap();
        assert_eq!(response.status(), status, "{overrun:?}");
        assert_eq!(
            response.extensions().get().map(Rejection::kind),
            kind,
            "{overrun:?}"
        );
        assert_eq!(
            response.headers()["content-type"],
            "text/plain; charset=utf-8"
        );
        assert!(text(response).await.ends_with('.'));
    }
}

#[tokio::test]
async fn an_error_of_the_inner_service_is_returned() {
    let service = layer().layer(service_fn(async |_: Request<Full<Bytes>>| {
        Err::<Reply, _>("out of order")
    }));
    assert_eq!(
        service.oneshot(genuine()).await.unwrap_err(),
        "out of order"
    );
}

#[tokio::test]
async fn the_handler_gets_the_request_as_it_came() {
    #[derive(Clone, Debug, PartialEq)]
    struct OfAnOuterLayer(u32);

    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let service = layer().layer(service_fn(move |request: Request<Full<Bytes>>| {
        sender.send(request).unwrap();
        async { Ok::<Reply, std::convert::Infallible>(Response::default()) }
    }));
    let mut request = genuine();
    *request.version_mut() = Version::HTTP_2;
    request.extensions_mut().insert(OfAnOuterLayer(7));
    request
        .headers_mut()
        .append("x-twice", "1".parse().unwrap());
    request
        .headers_mut()
        .append("x-twice", "2".parse().unwrap());
    let sent: HeaderMap = request.headers().clone();
    service.oneshot(request).await.unwrap();

    let received = receiver.recv().await.unwrap();
    assert_eq!(received.method(), "POST");
    assert_eq!(received.uri(), "/cronofy/42?source=cronofy");
    assert_eq!(received.version(), Version::HTTP_2);
    assert_eq!(received.headers(), &sent);
    assert_eq!(received.extensions().get(), Some(&OfAnOuterLayer(7)));
    let body = http_body_util::BodyExt::collect(received.into_body())
        .await
        .unwrap();
    assert_eq!(body.to_bytes(), CHANGE);
}

#[tokio::test]
async fn rejections_show_no_secret_signature_or_body() {
    let mut seen = Vec::new();
    for request in [
        without_signature(signed(CHANGE, script(CHANGE))),
        signed(b"another body", script(CHANGE)),
        signed(CHANGE, Script::new([Step::Fail("a cause of ours")])),
    ] {
        let signature = request.headers().get(HEADER).cloned();
        let (response, _) = rejected(request).await;
        let mut told = format!("{:?}", response.headers());
        told += &text(response).await;
        if let Some(signature) = signature {
            assert!(!told.contains(signature.to_str().unwrap()), "{told}");
        }
        seen.push(told);
    }
    let seen = seen.concat();
    for private in [
        crate::support::SECRET,
        OTHER_SECRET,
        "chn_",
        "a cause of ours",
    ] {
        assert!(!seen.contains(private), "{private}: {seen}");
    }
}
