//! A body that comes in pieces.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Interval, interval};

pub(super) struct Pieces {
    pieces: VecDeque<Bytes>,
    pause: Option<Interval>,
    length: Option<u64>,
}

impl Pieces {
    /// A chunk for every so many bytes. The length is not declared.
    pub(super) fn chunked(body: &Bytes, size: usize) -> Self {
        Self {
            pieces: body.chunks(size).map(Bytes::copy_from_slice).collect(),
            pause: None,
            length: None,
        }
    }

    /// One byte at a time, with a pause before each. The length is declared.
    pub(super) fn slow(body: &Bytes, pause: Duration) -> Self {
        Self {
            pause: Some(interval(pause)),
            length: Some(body.len() as u64),
            ..Self::chunked(body, 1)
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.poll_tick(cx));
        }
        Poll::Ready(self.pieces.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
