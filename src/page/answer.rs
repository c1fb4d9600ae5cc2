//! A request and its answer: a file of the table, or nothing.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::bundle::{PageFile, find};

/// What the page may do. It connects to the relays that a link names.
pub const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self'; media-src blob:; worker-src 'self'; connect-src 'self' https:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// With each answer. `no-store`: nothing of it is to be found on a device; and a tag to ask again with
/// could tell a visitor from others.
const ALWAYS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-embedder-policy"),
        "require-corp",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
];

/// How the page is served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// By TLS.
    Tls,
    /// By TLS, and browsers are told never to come to this name without it.
    OnlyTls,
    /// Without it, to this machine.
    Here,
}

/// The answer to any request.
pub(super) fn answer(request: &Request<Incoming>, way: Way) -> Response<Content> {
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    let led_astray = way == Way::Here && !calls_this_machine(request.headers());
    let mut response = match (reads, find(request.uri().path())) {
        _ if led_astray => nothing(StatusCode::MISDIRECTED_REQUEST),
        (true, Some(file)) => {
            let whole = request.method() == Method::GET;
            of_file(file, takes_brotli(request.headers()), whole)
        }
        (true, None) => nothing(StatusCode::NOT_FOUND),
        (false, _) => {
            let mut response = nothing(StatusCode::METHOD_NOT_ALLOWED);
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allowed);
            response
        }
    };
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if way == Way::OnlyTls {
        let half_a_year = HeaderValue::from_static("max-age=15768000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, half_a_year);
    }
    response
}

fn of_file(file: &PageFile, brotli: bool, whole: bool) -> Response<Content> {
    let compressed = file.brotli.filter(|_| brotli);
    let bytes = compressed.unwrap_or(file.bytes);
    let mut response = Response::new(Content(whole.then_some(bytes)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind()));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    if compressed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

fn nothing(status: StatusCode) -> Response<Content> {
    let mut response = Response::new(Content(None));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
    response
}

/// Whether a request is for an address of this machine. Any site could have a name of its own lead here, and
/// its script look then whether there is a page, which would tell that site who takes part in meetings.
fn calls_this_machine(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    };
    let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    name.eq_ignore_ascii_case("localhost")
        || name == "[::1]"
        // No name consists of numbers.
        || (name.starts_with("127.") && name.bytes().all(is_number))
}

/// Whether `br` is among what the other takes, and not with a weight of zero (RFC 9110, section 12.5.3).
fn takes_brotli(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let mut all = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    all.any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight
            .trim()
            .trim_start_matches(['q', 'Q'])
            .trim_start_matches('=');
        let zero = !weight.is_empty() && weight.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        name.trim().eq_ignore_ascii_case("br") && !zero
    })
}

/// Bytes of the program itself, once; `None` for no more.
pub(super) struct Content(Option<&'static [u8]>);

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = self.get_mut().0.take();
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(Bytes::from_static(bytes)))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.map_or(0, |bytes| bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_for_those_who_take_it() {
        for (list, takes) in [
            ("br", true),
            ("gzip, deflate, br, zstd", true),
            ("gzip;q=1.0, BR;q=0.5", true),
            ("br;q=1", true),
            ("br;q=0", false),
            ("br; q=0.000", false),
            ("gzip", false),
            ("brr", false),
            ("*", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                HeaderValue::from_str(list).unwrap(),
            )]);
            assert_eq!(takes_brotli(&headers), takes, "{list}");
        }
        assert!(!takes_brotli(&HeaderMap::new()));
    }

    #[test]
    fn only_addresses_of_this_machine_are_its_own() {
        for (host, own) in [
            ("127.0.0.1:8080", true),
            ("127.3.2.1", true),
            ("localhost:8080", true),
            ("LocalHost", true),
            ("[::1]:8080", true),
            ("[::1]", true),
            ("elsewhere.example:8080", false),
            ("127.0.0.1.elsewhere.example", false),
            ("localhost.elsewhere.example", false),
            ("192.0.2.1", false),
            ("[2001:db8::1]:8080", false),
            ("", false),
        ] {
            let value = HeaderValue::from_str(host).unwrap();
            let headers = HeaderMap::from_iter([(header::HOST, value)]);
            assert_eq!(calls_this_machine(&headers), own, "{host}");
        }
        assert!(!calls_this_machine(&HeaderMap::new()));
    }

    /// What the page is tried with in browsers is what it is served with.
    #[test]
    fn the_policy_is_that_of_the_tests() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/web/tests/lib/server.mjs");
        let text = std::fs::read_to_string(path).unwrap();
        let (_, rest) = text.split_once("export const CSP =").unwrap();
        let (policy, _) = rest.split_once(";\n").unwrap();
        let parts = policy.split('"').skip(1).step_by(2);
        assert_eq!(parts.collect::<String>(), CSP);
        for (name, value) in ALWAYS.iter().skip(1) {
            let line = |line: &str| {
                let line = line.trim().to_ascii_lowercase();
                line == format!("\"{name}\": \"{value}\",")
            };
            assert!(text.lines().any(line), "{name}");
        }
    }
}
