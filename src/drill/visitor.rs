//! Those who come for the page: TLS over TCP, with much to say about themselves.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use socket2::{Domain, SockAddr, Socket, Type};

use super::DrillError;
use super::cast::Part;
use super::stranger::Target;
use crate::carrier::client::pinned_tls;

const PATIENCE: Duration = Duration::from_secs(10);

const FAILED: DrillError = DrillError::Story("a visitor did not get the page");

/// By which HTTP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    One,
    Two,
}

/// What came of a visit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    Answered,
    /// This relay serves no page.
    NobodyThere,
}

/// Asks for the page, and for one that is not there, and leaves in the middle of another request.
pub(super) fn visit(part: &Part, relay: &Target, speaks: Speaks) -> Result<Visit, DrillError> {
    let Some(stream) = connect(part, relay)? else {
        return Ok(Visit::NobodyThere);
    };
    let mut tls = pinned_tls(&relay.hashes).map_err(|_| DrillError::Tls)?;
    tls.alpn_protocols = vec![match speaks {
        Speaks::One => b"http/1.1".to_vec(),
        Speaks::Two => b"h2".to_vec(),
    }];
    let name = ServerName::try_from(format!("{}.invalid", part.text));
    let name = name.map_err(|_| DrillError::Tls)?;
    let connection = ClientConnection::new(Arc::new(tls), name).map_err(|_| DrillError::Tls)?;
    let mut stream = StreamOwned::new(connection, stream);
    let text = &part.text;
    let answered = match speaks {
        Speaks::One => {
            let of = |path: &str| {
                format!(
                    "GET {path} HTTP/1.1\r\nHost: {text}.invalid\r\nUser-Agent: {text}\r\nCookie: a={text}\r\n\
                     Referer: https://{text}.invalid/\r\nX-{text}: {text}\r\n\r\n"
                )
            };
            let half = of("/");
            let half = half.get(..half.len() - 6).unwrap_or_default();
            says(
                &mut stream,
                of(&format!("/{text}?{text}")).as_bytes(),
                b"HTTP/1.1 404",
            ) && says(&mut stream, of("/").as_bytes(), b"<!doctype html>")
                && stream.write_all(half.as_bytes()).is_ok()
        }
        Speaks::Two => {
            // A head of one byte for 404 of the static table (RFC 7541, appendix A).
            let hello = [
                &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
                &frame(4, 0, 0, &[]),
            ]
            .concat();
            let asked = [&hello[..], &frame(1, 5, 1, &head(text))].concat();
            says(&mut stream, &asked, &[0, 0, 0, 1, 0x8d])
        }
    };
    let _ = stream.flush();
    match answered {
        true => Ok(Visit::Answered),
        false => Err(FAILED),
    }
}

fn connect(part: &Part, relay: &Target) -> Result<Option<TcpStream>, DrillError> {
    let domain = Domain::for_address(part.address);
    let socket = Socket::new(domain, Type::STREAM, None).map_err(DrillError::network)?;
    let bound = socket
        .set_reuse_address(true)
        .and_then(|()| socket.bind(&SockAddr::from(part.address)));
    bound.map_err(DrillError::network)?;
    match socket.connect_timeout(&SockAddr::from(relay.address), PATIENCE) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Ok(None),
        Err(error) => return Err(DrillError::network(error)),
    }
    let stream = TcpStream::from(socket);
    stream
        .set_read_timeout(Some(PATIENCE))
        .map_err(DrillError::network)?;
    Ok(Some(stream))
}

/// Sends a request, and reads until this comes.
fn says(stream: &mut (impl Read + Write), request: &[u8], until: &[u8]) -> bool {
    if stream
        .write_all(request)
        .and_then(|()| stream.flush())
        .is_err()
    {
        return false;
    }
    let (mut heard, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        heard.extend_from_slice(piece.get(..length).unwrap_or_default());
        if heard.windows(until.len()).any(|part| part == until) {
            return true;
        }
    }
    false
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len())
        .unwrap_or_default()
        .to_be_bytes();
    let [_, length @ ..] = length;
    [&length[..], &[kind, flags], &stream.to_be_bytes(), content].concat()
}

/// A request's head as HPACK has it, all of it to be kept in the table of the connection (RFC 7541,
/// section 6.2.1): `GET`, `https`, then path, authority, user agent, cookie, and one of its own.
fn head(text: &str) -> Vec<u8> {
    let mut head = vec![0x82, 0x87];
    let path = format!("/{text}");
    for (name, value) in [(0x44, &path[..]), (0x41, text), (0x7a, text), (0x60, text)] {
        head.push(name);
        put(&mut head, value);
    }
    head.push(0x40);
    put(&mut head, &format!("x-{text}"));
    put(&mut head, text);
    head
}

fn put(head: &mut Vec<u8>, text: &str) {
    // A length that is told in one byte.
    let text = text.get(..126).unwrap_or(text);
    head.push(text.len() as u8);
    head.extend_from_slice(text.as_bytes());
}
