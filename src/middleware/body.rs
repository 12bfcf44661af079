use std::error::Error;
use std::iter;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::Body;
use http_body_util::LengthLimitError;
use pin_project_lite::pin_project;

use crate::rejection::Rejection;

/// How many frames are read before others get a turn: the deadline, and the other tasks of the thread. Not left to tokio's
/// cooperative budget, which another executor does not have.
const FRAMES_PER_POLL: usize = 64;

pin_project! {
    /// Reads a body to its end, up to a limit.
    ///
    /// Not `http_body_util::BodyExt::collect`, which keeps each frame: a body in frames of single bytes would take thirty
    /// times the memory of the limit.
    pub(super) struct ReadBody<B> {
        #[pin]
        body: B,
        limit: usize,
        length: usize,
        buffered: Buffered,
    }
}

enum Buffered {
    /// Nothing yet, or the whole body in the one frame that it came in, not copied.
    Frame(Bytes),
    /// The frames so far, joined.
    Joined(BytesMut),
}

impl<B: Body> ReadBody<B>
where
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    pub(super) fn new(body: B, limit: usize) -> Self {
        Self {
            body,
            limit,
            length: 0,
            buffered: Buffered::Frame(Bytes::new()),
        }
    }

    pub(super) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Bytes, Rejection>> {
        let mut this = self.project();
        for _ in 0..FRAMES_PER_POLL {
            match ready!(this.body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(Ok(this.buffered.take())),
                Some(Err(error)) => return Poll::Ready(Err(rejection(error.into()))),
                // Trailers are ignored: the signature does not cover them.
                Some(Ok(frame)) => {
                    if let Ok(mut data) = frame.into_data() {
                        *this.length = this.length.saturating_add(data.remaining());
                        if *this.length > *this.limit {
                            return Poll::Ready(Err(Rejection::body_limit(*this.limit)));
                        }
                        this.buffered.push(data.copy_to_bytes(data.remaining()));
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<B> ReadBody<B> {
    /// How many bytes were read, those beyond the limit included.
    pub(super) fn length(&self) -> usize {
        self.length
    }
}

/// The rejection for a body that failed.
fn rejection(error: Box<dyn Error + Send + Sync>) -> Rejection {
    // Our limit is counted, so that this one is always an outer layer's.
    let mut causes = iter::successors(Some(&*error as &dyn Error), |&error| error.source());
    if causes.any(|cause| cause.is::<LengthLimitError>()) {
        Rejection::outer_body_limit(error)
    } else {
        Rejection::body_incomplete(error)
    }
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
            // It has grown by doubling: what outlives the request would keep up to twice the length.
            Self::Joined(joined) if joined.capacity() > joined.len() + joined.len() / 4 => {
                Bytes::copy_from_slice(&joined)
            }
            Self::Joined(joined) => joined.freeze(),
        }
    }
}
