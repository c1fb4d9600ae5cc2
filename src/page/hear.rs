//! One connection: its requests, one by one or side by side, until it ends.

use std::convert::Infallible;

use hyper::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::answer::{Way, answer};
use super::limits::{CONTENT, HEAD, LIFE, STREAMS, WAITING};
use super::line::Line;
use crate::carrier::front::Http;

/// Hears somebody out. What goes wrong is theirs to find out. Answers have no date: hyper keeps the last one that it
/// gave, and so when somebody was here last.
pub(super) async fn hear<S>(line: Line<S>, http: Http, way: Way)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(&request, way);
        async move { Ok::<_, Infallible>(response) }
    });
    match http {
        Http::One => {
            let mut builder = http1::Builder::new();
            builder.auto_date_header(false).max_buf_size(HEAD);
            let _ = timeout(LIFE, builder.serve_connection(line, service)).await;
        }
        Http::Two => {
            let mut builder = http2::Builder::new(Tasks);
            builder
                .auto_date_header(false)
                .max_header_list_size(HEAD as u32)
                .max_concurrent_streams(STREAMS)
                .initial_connection_window_size(CONTENT)
                .initial_stream_window_size(CONTENT)
                .max_send_buf_size(WAITING);
            let _ = timeout(LIFE, builder.serve_connection(line, service)).await;
        }
    }
}

/// Where answers are sent side by side.
#[derive(Clone, Copy)]
struct Tasks;

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, future: F) {
        tokio::spawn(future);
    }
}
