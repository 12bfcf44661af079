//! The layer as a `hoop`, or a service with the layer as a `goal`. They differ in what happens to a late handler.

use std::convert::Infallible;

use bytes::Bytes;
use cronofy_webhook::Delivery;
use http::uri::Scheme;
use http::{Response, StatusCode};
use http_body_util::Full;
use salvo::http::ReqBody;
use salvo::prelude::{TowerLayerCompat as _, TowerServiceCompat as _};
use salvo::{Depot, FlowCtrl, Handler, Request, Router, Service, async_trait, handler};
use tower::ServiceBuilder;

use crate::{Late, genuine, late, layer, requests};

#[handler]
async fn receive(request: &mut Request, response: &mut salvo::Response) {
    let account: String = request.param("account").unwrap();
    let delivery: &Delivery = request.extensions().get().unwrap();
    assert_eq!(
        (account.as_str(), delivery.notification().kind()),
        ("42", "change")
    );
    response.status_code(StatusCode::NO_CONTENT);
}

async fn receive_as_a_service(
    request: http::Request<ReqBody>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let delivery: &Delivery = request.extensions().get().unwrap();
    assert_eq!(delivery.notification().kind(), "change");
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// What salvo's server does with a request.
async fn send(app: Router, request: http::Request<Bytes>) -> u16 {
    let request = Request::from_hyper(request.map(ReqBody::Once), Scheme::HTTP);
    let response = Service::new(app).handle(request).await;
    response.status_code.unwrap().as_u16()
}

fn hoop(goal: impl Handler) -> Router {
    let router = Router::with_path("/cronofy/{account}");
    router.hoop(layer().compat::<ReqBody>()).goal(goal)
}

#[tokio::test]
async fn only_authentic_deliveries_pass_a_hoop() {
    for (what, request, status) in requests() {
        assert_eq!(send(hoop(receive), request).await, status, "{what}");
    }
}

#[tokio::test]
async fn only_authentic_deliveries_reach_a_goal() {
    for (what, request, status) in requests() {
        let service = ServiceBuilder::new()
            .layer(layer())
            .service_fn(receive_as_a_service);
        let app = Router::with_path("/cronofy/{account}").goal(service.compat());
        assert_eq!(send(app, request).await, status, "{what}");
    }
}

struct LateHandler(Late);

#[async_trait]
impl Handler for LateHandler {
    async fn handle(
        &self,
        _: &mut Request,
        _: &mut Depot,
        _: &mut salvo::Response,
        _: &mut FlowCtrl,
    ) {
        self.0.work().await;
    }
}

/// The adapter runs what is behind a hoop in the task of the request, and drops it when the hoop responds. What the layer moves
/// to the background only waits for it.
#[tokio::test(start_paused = true)]
async fn a_late_handler_behind_a_hoop_is_dropped() {
    let (late, mut handler) = late();
    assert_eq!(send(hoop(LateHandler(late)), genuine()).await, 503);
    assert!(!handler.finished().await);
}

#[tokio::test(start_paused = true)]
async fn a_late_handler_in_a_goal_finishes() {
    let (late, mut handler) = late();
    let service = ServiceBuilder::new()
        .layer(layer())
        .service_fn(move |request| {
            let late = late.clone();
            async move {
                late.work().await;
                receive_as_a_service(request).await
            }
        });
    let app = Router::with_path("/cronofy/{account}").goal(service.compat());
    assert_eq!(send(app, genuine()).await, 503);
    assert!(handler.finished().await);
}
