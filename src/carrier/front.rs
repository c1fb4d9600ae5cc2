//! The TCP port beside the UDP port, where a browser finds the page: TLS, and which HTTP.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use zeroize::Zeroize;

use super::certificate::CertificateStore;
use super::server::tls;

use crate::airlock::Visitor;
pub use crate::airlock::{Front, Guest, Seats, WatchedFront};

/// Which HTTP a browser chose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Http {
    /// HTTP/1.1, or HTTP/1.0.
    One,
    /// HTTP/2.
    Two,
}

const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// How long a connection that has been answered waits for the other to close it. Since it ends by a
/// reset, what is still on its way would be lost.
const FAREWELL: Duration = Duration::from_secs(5);

/// Shakes hands with whoever comes. It shows the same certificate as the UDP port.
pub struct Greeter(TlsAcceptor);

/// TLS cannot be set up: our own fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TLS cannot be set up for the page; this is a fault of the relay's own, please report it")]
pub struct NoGreeter;

impl Greeter {
    /// With the certificates of a relay.
    ///
    /// # Errors
    /// [`NoGreeter`].
    pub fn new(certificates: Arc<CertificateStore>) -> Result<Self, NoGreeter> {
        let tls = tls(certificates, &[HTTP_2, HTTP_1]).map_err(|_| NoGreeter)?;
        Ok(Self(Arc::new(tls).into()))
    }

    /// `None` for one who does not speak TLS 1.3 as we do.
    pub async fn greet(&self, guest: Guest) -> Option<(TlsStream<GuestLine>, Http)> {
        let stream = self.0.accept(GuestLine::new(guest)).await.ok()?;
        let (_, connection) = stream.get_ref();
        let http = match connection.alpn_protocol() {
            Some(HTTP_2) => Http::Two,
            _ => Http::One,
        };
        Some((stream, http))
    }
}

/// A guest's stream, as TLS reads and writes it.
pub struct GuestLine {
    guest: Guest,
    leaves: Option<Pin<Box<Sleep>>>,
}

impl GuestLine {
    fn new(guest: Guest) -> Self {
        Self {
            guest,
            leaves: None,
        }
    }
}

impl AsyncRead for GuestLine {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        read(self.guest.visitor(), context, into)
    }
}

impl AsyncWrite for GuestLine {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.guest.visitor().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The other has heard that no more comes (TLS says so), and closes; or time passes.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let leaves = this.leaves.get_or_insert_with(|| Box::pin(sleep(FAREWELL)));
        if leaves.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut unheard = [0; 256];
        let outcome = loop {
            match this.guest.visitor().poll_read(context, &mut unheard) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => break Poll::Ready(Ok(())),
                Poll::Pending => break Poll::Pending,
            }
        };
        unheard.zeroize();
        outcome
    }
}

/// A stream of a program of this machine.
pub struct PlainLine(Visitor);

impl PlainLine {
    /// Of somebody who came in by a door.
    pub fn new(visitor: Visitor) -> Self {
        Self(visitor)
    }
}

impl AsyncRead for PlainLine {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        read(&self.0, context, into)
    }
}

impl AsyncWrite for PlainLine {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.finish())
    }
}

fn read(
    visitor: &Visitor,
    context: &mut Context<'_>,
    into: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let read = ready!(visitor.poll_read(context, into.initialize_unfilled()))?;
    into.advance(read);
    Poll::Ready(Ok(()))
}
