//! A stream as hyper reads and writes it: it ends when nothing goes on, and what leaves has a pace.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use zeroize::Zeroize;

use super::limits::{FIRST, IDLE};
use super::pace::Pace;

/// Bytes that are read or written at a time.
const PIECE: usize = 4096;

pub(super) struct Line<S> {
    stream: S,
    /// When it ends, unless something leaves before.
    ends: Pin<Box<Sleep>>,
    pace: Arc<Pace>,
    waits: Option<Pin<Box<Sleep>>>,
    /// Taken of the pace, and not written yet: who reads nothing takes nothing from others.
    taken: usize,
}

impl<S> Line<S> {
    pub(super) fn new(stream: S, pace: Arc<Pace>) -> Self {
        Self {
            stream,
            ends: Box::pin(sleep(FIRST)),
            pace,
            waits: None,
            taken: 0,
        }
    }

    /// Whatever comes in: who sends a byte now and then is not there for the page.
    fn goes_on(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.ends.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Waits until it may write some of so many bytes; how many.
    fn in_turn(&mut self, context: &mut Context<'_>, many: usize) -> Poll<usize> {
        if self.taken == 0 {
            self.taken = many;
            let later = self.pace.take(u32::try_from(many).unwrap_or(u32::MAX));
            self.waits = later.map(|later| Box::pin(sleep_until(later)));
        }
        if let Some(waits) = &mut self.waits {
            ready!(waits.as_mut().poll(context));
            self.waits = None;
        }
        Poll::Ready(many.min(self.taken))
    }
}

impl<S: AsyncRead + Unpin> hyper::rt::Read for Line<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.goes_on(context)?;
        let mut piece = [0; PIECE];
        let room = into.remaining().min(PIECE);
        let mut read = ReadBuf::new(piece.get_mut(..room).unwrap_or_default());
        let outcome = Pin::new(&mut this.stream).poll_read(context, &mut read);
        if matches!(outcome, Poll::Ready(Ok(()))) {
            into.put_slice(read.filled());
        }
        piece.zeroize();
        outcome
    }
}

impl<S: AsyncWrite + Unpin> hyper::rt::Write for Line<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.goes_on(context)?;
        let many = ready!(this.in_turn(context, bytes.len().min(PIECE)));
        let piece = bytes.get(..many).unwrap_or(bytes);
        let written = ready!(Pin::new(&mut this.stream).poll_write(context, piece))?;
        this.taken = this.taken.saturating_sub(written);
        this.ends.as_mut().reset(Instant::now() + IDLE);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.goes_on(context)?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use hyper::rt::Write;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_takes_nothing_from_others() {
        let pace = Arc::new(Pace::new(1_000_000, 2 * PIECE as u32));
        let (here, _there) = tokio::io::duplex(PIECE / 2);
        let mut line = Line::new(here, pace.clone());
        let mut written = 0;
        for _ in 0..100 {
            let wrote = poll_fn(|context| {
                Poll::Ready(Pin::new(&mut line).poll_write(context, &[0; 3 * PIECE]))
            });
            if let Poll::Ready(wrote) = wrote.await {
                written += wrote.unwrap();
            }
        }
        assert_eq!(written, PIECE / 2);
        assert_eq!(pace.take(1), None);
    }
}
