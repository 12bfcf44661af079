use std::error::Error;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::Body;
use http_body_util::{LengthLimitError, Limited};
use pin_project_lite::pin_project;
use tokio::task::coop;

use crate::rejection::Rejection;

pin_project! {
    /// Reads a body to its end, under the limit.
    ///
    /// Not `http_body_util::BodyExt::collect`, which keeps every frame as it came: a sender that cuts the body into
    /// single bytes would have us hold thirty times the limit.
    pub(super) struct ReadBody<B> {
        #[pin]
        body: Limited<B>,
        limit: usize,
        buffered: Buffered,
    }
}

enum Buffered {
    /// Nothing, or all of the body in the one frame that it came in, not copied.
    Frame(Bytes),
    /// The frames so far, run together.
    Joined(BytesMut),
}

impl<B: Body> ReadBody<B>
where
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    pub(super) fn new(body: B, limit: usize) -> Self {
        Self {
            body: Limited::new(body, limit),
            limit,
            buffered: Buffered::Frame(Bytes::new()),
        }
    }

    pub(super) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Bytes, Rejection>> {
        let mut this = self.project();
        loop {
            // A body that always has another frame at hand must not keep the thread, nor the deadline from its turn.
            let progress = ready!(coop::poll_proceed(cx));
            let frame = ready!(this.body.as_mut().poll_frame(cx));
            progress.made_progress();

            match frame {
                None => return Poll::Ready(Ok(this.buffered.take())),
                Some(Err(error)) if error.is::<LengthLimitError>() => {
                    return Poll::Ready(Err(Rejection::body_too_large(*this.limit)));
                }
                Some(Err(error)) if is_over_another_limit(&*error) => {
                    return Poll::Ready(Err(Rejection::body_too_large_elsewhere(error)));
                }
                Some(Err(error)) => return Poll::Ready(Err(Rejection::body_incomplete(error))),
                // Trailers are not signed: they are passed over.
                Some(Ok(frame)) => {
                    if let Ok(mut data) = frame.into_data() {
                        let data = data.copy_to_bytes(data.remaining());
                        this.buffered.push(data);
                    }
                }
            }
        }
    }
}

/// Whether the error is that of a limit outside of this layer, which comes wrapped.
fn is_over_another_limit(error: &(dyn Error + 'static)) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

impl Buffered {
    fn push(&mut self, data: Bytes) {
        match self {
            Self::Frame(frame) if frame.is_empty() => *frame = data,
            Self::Frame(frame) => {
                let mut joined = BytesMut::with_capacity(frame.len() + data.len());
                joined.extend_from_slice(frame);
                joined.extend_from_slice(&data);
                *self = Self::Joined(joined);
            }
            Self::Joined(joined) => joined.extend_from_slice(&data),
        }
    }

    fn take(&mut self) -> Bytes {
        match mem::replace(self, Self::Frame(Bytes::new())) {
            Self::Frame(frame) => frame,
            Self::Joined(joined) => joined.freeze(),
        }
    }
}
