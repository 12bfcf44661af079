//! `MaybeBuffered`, on both sides of the layer.

use std::convert::Infallible;

use bytes::Bytes;
use cronofy_webhook::MaybeBuffered;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt as _, combinators::BoxBody};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::support::{CHANGE, Calls, Script, Step, handler, layer, signed};

type Boxed = BoxBody<Bytes, Infallible>;

#[tokio::test]
async fn a_wrapped_body_is_passed_on_as_it_is() {
    let trailers = HeaderMap::from_iter([(http::header::EXPIRES, HeaderValue::from_static("0"))]);
    let script = Script::new([
        Step::Data("a".into()),
        Step::Trailers(trailers.clone()),
        Step::Fail("broken off"),
    ]);
    let mut body = MaybeBuffered::new(script.declaring(7));
    assert_eq!(body.size_hint().exact(), Some(7));
    assert!(!body.is_end_stream());

    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "a");
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_trailers().unwrap(), trailers);
    let error = body.frame().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "broken off");
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_body_made_from_bytes_is_one_frame() {
    let mut body = MaybeBuffered::<Script>::from(Bytes::from_static(CHANGE));
    assert_eq!(body.size_hint().exact(), Some(CHANGE.len() as u64));
    assert!(!body.is_end_stream());
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), CHANGE);
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());

    let empty = MaybeBuffered::<Script>::from(Bytes::new());
    assert!(empty.is_end_stream());
    assert_eq!(empty.size_hint().exact(), Some(0));
}

#[tokio::test]
async fn a_handler_reads_the_body_and_streams_its_response() {
    let echo = |request: Request<MaybeBuffered<Boxed>>| async {
        let body = request.into_body().collect().await?;
        let trailers =
            HeaderMap::from_iter([(http::header::EXPIRES, HeaderValue::from_static("0"))]);
        let response = http_body_util::Full::new(body.to_bytes());
        let response = response.with_trailers(async { Some(Ok(trailers)) });
        Ok::<_, Infallible>(Response::new(MaybeBuffered::new(response.boxed())))
    };
    let request = signed(CHANGE, http_body_util::Full::from(CHANGE).boxed());
    let response = layer()
        .layer(service_fn(echo))
        .oneshot(request.map(MaybeBuffered::new))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["expires"], "0");
    assert_eq!(body.to_bytes(), CHANGE);
}

#[tokio::test]
async fn a_declared_length_over_the_limit_is_rejected_before_the_body_is_read() {
    let calls = Calls::default();
    let script = Script::new([Step::Hang]).declaring(1 << 30);
    let polls = script.polls();
    let request = signed(CHANGE, MaybeBuffered::new(script));
    let response = layer()
        .layer(handler(&calls))
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(
        (response.status().as_u16(), polls.count(), calls.count()),
        (413, 0, 0)
    );
}
