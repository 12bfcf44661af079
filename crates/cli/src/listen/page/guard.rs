//! Who may call, and what every answer forbids the browser.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::refusal::Refusal;
use super::token::Token;

/// Where the calls are. Everything else is one of the files, which are public.
pub(super) const API: &str = "/api/";

const HEADERS: [(HeaderName, &str); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(super) struct Guard {
    authority: String,
    token: Token,
}

impl Guard {
    pub(super) fn new(port: u16, token: Token) -> Self {
        // A browser leaves out the port that is the default.
        let authority = match port {
            80 => "127.0.0.1".to_owned(),
            port => format!("127.0.0.1:{port}"),
        };
        Self { authority, token }
    }

    /// The link that opens the page.
    pub(super) fn link(&self) -> String {
        format!("http://{}/#t={}", self.authority, self.token.as_str())
    }

    fn check(&self, request: &Request) -> Result<(), Refusal> {
        let headers = request.headers();
        self.check_origin(request)?;
        let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
        let is_call = request.uri().path().starts_with(API);
        let is_own = match site {
            Some(b"none") => !is_call,
            site => site.is_none_or(|site| site == b"same-origin"),
        };
        if !is_own {
            return Err(Refusal::forbidden("the request is from another site"));
        }
        if !is_call {
            return Ok(());
        }
        if !self.has_token(headers) {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "listen was restarted: open the link it printed",
            ));
        }
        if request.method() == Method::POST && !is_json(headers) {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "only application/json is accepted",
            ));
        }
        Ok(())
    }

    /// A name that resolves to this machine is not this page: its scripts are another's.
    fn check_origin(&self, request: &Request) -> Result<(), Refusal> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let is_host = hosts
            .next()
            .is_some_and(|host| host == self.authority.as_str());
        let authority = request.uri().authority();
        let is_authority = authority.is_none_or(|authority| *authority == *self.authority);
        if !is_host || hosts.next().is_some() || !is_authority {
            return Err(Refusal::forbidden("the host is not that of the page"));
        }
        let origin = format!("http://{}", self.authority);
        let mut origins = request.headers().get_all(ORIGIN).iter();
        if origins.any(|value| value != origin.as_str()) {
            return Err(Refusal::forbidden("the request is from another origin"));
        }
        Ok(())
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let value = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let token = value.and_then(|value| value.strip_prefix(b"Bearer "));
        token.is_some_and(|token| self.token.is(token))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE);
    value.is_some_and(|value| value == "application/json")
}

/// Lets through what comes from the page, and nothing else.
pub(super) async fn guard(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match guard.check(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
