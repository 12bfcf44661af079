//! The page that shows what has come, for this machine only.

mod api;
mod curl;
mod detail;
mod difference;
mod files;
mod guard;
mod outcome;
mod refusal;
mod row;
mod sample;
mod search;
mod send;
mod signature;
mod state;
mod stream;
mod token;
mod typed;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;

use self::api::Context;
use self::guard::Guard;
use self::token::Token;
use super::proxy::Proxy;
use crate::error::Error;
use crate::output::note;

/// A listener of its own: what the tunnel reaches is never the page.
pub(super) struct Page {
    listener: TcpListener,
    guard: Guard,
}

impl Page {
    pub(super) async fn bind(port: u16) -> Result<Self, Error> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Error::usage(format!(
                "{address}: {error}: choose another port with --page, or a free one with --page 0"
            ))
        })?;
        let port = listener.local_addr().map_err(Error::failed)?.port();
        let guard = Guard::new(port, Token::new()?);
        Ok(Self { listener, guard })
    }

    pub(super) fn address(&self) -> Result<SocketAddr, Error> {
        self.listener.local_addr().map_err(Error::failed)
    }

    /// Serves until the process ends, and tells where.
    pub(super) fn serve(self, proxy: &Arc<Proxy>, url: &str) {
        note(format_args!("the page is at {}", self.guard.link()));
        let context = Arc::new(Context::new(Arc::clone(proxy), url.to_owned()));
        let router = api::router(context, Arc::new(self.guard));
        tokio::spawn(async move { axum::serve(self.listener, router).await });
    }
}
