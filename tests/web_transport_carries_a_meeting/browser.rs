//! A participant in a browser, with its carrier and nothing else.

use bytes::Bytes;
use quinn::{RecvStream, SendStream};
use sottovoce::carrier::client::web::{Request, Session, Visitor};
use sottovoce::wire::{ControlReader, FromRelay, ToRelay, encode_control};

/// What a browser says that it is.
pub const AGENT: &str = "Mozilla/5.0 (of whoever it was) Canary/1";

pub async fn visit(address: &str) -> Visitor {
    let address = address.parse().expect("an address");
    Visitor::connect(&address).await.expect("a connection")
}

pub fn request(path: &str) -> Request<'_> {
    Request {
        authority: "127.0.0.1:4433",
        path,
        origin: "https://canary.example",
        agent: AGENT,
    }
}

/// A browser in its session.
pub struct Browser {
    session: Session,
    control: (SendStream, RecvStream),
    reader: ControlReader<FromRelay>,
}

impl Browser {
    pub async fn begin(visitor: Visitor, path: &str) -> Self {
        let session = visitor.session(&request(path)).await.expect("a session");
        Self {
            control: session.open_control().await.expect("a stream"),
            session,
            reader: ControlReader::new(),
        }
    }

    pub async fn say(&mut self, message: &ToRelay) {
        let message = encode_control(message).expect("a message within its limits");
        // The relay may have ended the session already.
        let _ = self.control.0.write_all(&message).await;
    }

    /// The next message; `None` when no more come.
    pub async fn next(&mut self) -> Option<FromRelay> {
        loop {
            if let Some(message) = self.reader.next().expect("a relay's message decodes") {
                return Some(message);
            }
            let chunk = self.control.1.read_chunk(65536, true).await.ok()??;
            self.reader.push(&chunk.bytes).expect("read so far");
        }
    }

    pub fn send_datagram(&self, bytes: &[u8]) {
        self.session.send_datagram(bytes).expect("it is taken");
    }

    pub async fn datagram(&self) -> Bytes {
        self.session.datagram().await.expect("one")
    }

    pub async fn send_group(&self, bytes: &[u8]) {
        let mut stream = self.session.open_group().await.expect("a stream");
        stream.write_all(bytes).await.expect("it is taken");
        stream.finish().expect("it is open");
    }

    /// The next group, whole.
    pub async fn group(&self) -> Vec<u8> {
        let mut stream = self.session.accept_group().await.expect("a group");
        stream.read_to_end(1_000_000).await.expect("all of it")
    }

    /// The code with which the relay ended the session.
    pub async fn closed(self) -> Option<u32> {
        self.session.closed().await.ok()
    }

    /// Ends the session, as a page that is closed.
    pub async fn leave(self) {
        self.session.leave("").await.expect("it is open");
    }
}
