//! `/metrics` and `/healthz`, for programs on this machine. Whoever asks is bounded in number, size
//! and time, is not written down anywhere, and cannot hold the relay up: its shard is another thread,
//! which left the numbers where they are read.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::rt::ReadBufCursor;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use sottovoce::carrier::door::{Door, Visitor};
use sottovoce::quiet::metrics::{Metrics, REFRESH};
use sottovoce::relay::{Relay, RelayConfig};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};

use super::{Exit, Failure, failure};

/// Who is heard at a time; for one more, whoever came first has to go, so that programs that hang
/// keep nobody out. More: more descriptors for them.
const VISITORS: usize = 4;

/// How long a visitor has, from its first byte to its last. A scrape takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of a request; hyper takes no less.
const REQUEST: usize = 8192;

/// How long to wait when the system has no descriptor left.
const PAUSE: Duration = Duration::from_millis(500);

/// A door that is open and not attended yet.
pub(super) struct Desk {
    door: Door,
    metrics: Arc<Metrics>,
}

impl Desk {
    /// Where the configuration asks for it. Listens at once: later the process may not.
    pub(super) fn open(config: &RelayConfig, relay: &mut Relay) -> Result<Option<Self>, Failure> {
        let listen = config.metrics.listen.as_deref().unwrap_or_default();
        let refused = |why: String| {
            let sentence = format!("`listen` in [metrics], {listen}: {why}");
            Failure::new(Exit::Listen, sentence)
        };
        let door = config.metrics.door();
        let Some(address) = door.map_err(|error| refused(error.to_string()))? else {
            return Ok(None);
        };
        let door = address.open().map_err(|error| refused(error.to_string()))?;
        let metrics = relay.meter(REFRESH).map_err(|error| failure(&error))?;
        Ok(Some(Self { door, metrics }))
    }

    /// Answers until the process ends.
    pub(super) async fn attend(self) {
        let Ok(door) = self.door.watch() else { return };
        let mut here: VecDeque<JoinHandle<()>> = VecDeque::new();
        loop {
            let Ok(visitor) = door.accept().await else {
                sleep(PAUSE).await;
                continue;
            };
            here.retain(|visitor| !visitor.is_finished());
            if here.len() >= VISITORS
                && let Some(first) = here.pop_front()
            {
                first.abort();
            }
            let metrics = self.metrics.clone();
            here.push_back(tokio::spawn(async move {
                // What went wrong is the visitor's to find out.
                let _ = timeout(PATIENCE, hear(Line(visitor), metrics)).await;
            }));
            yield_now().await;
        }
    }
}

/// One request and its answer.
async fn hear(line: Line, metrics: Arc<Metrics>) -> hyper::Result<()> {
    let service = service_fn(move |request| {
        let response = answer(&request, &metrics);
        async move { Ok::<_, Infallible>(response) }
    });
    http1::Builder::new()
        .keep_alive(false)
        .auto_date_header(false)
        .max_buf_size(REQUEST)
        .serve_connection(line, service)
        .await
}

fn answer(request: &Request<Incoming>, metrics: &Metrics) -> Response<String> {
    let (kind, text) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (Metrics::CONTENT_TYPE, metrics.text()),
        (&Method::GET, "/healthz") => ("text/plain", "alive\n".to_owned()),
        _ => {
            let mut nothing = Response::new(String::new());
            *nothing.status_mut() = StatusCode::NOT_FOUND;
            return nothing;
        }
    };
    let mut response = Response::new(text);
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// A visitor's stream, as hyper reads and writes it.
struct Line(Visitor);

impl hyper::rt::Read for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = [0; 1024];
        let room = into.remaining().min(bytes.len());
        let read = ready!(self.0.poll_read(context, &mut bytes[..room]))?;
        into.put_slice(&bytes[..read]);
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Line {
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
