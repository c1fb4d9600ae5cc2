//! A participant by raw QUIC, with its carrier and nothing else.

use bytes::Bytes;
use sottovoce::carrier::address::RelayAddress;
use sottovoce::carrier::client::{self, Link};
use sottovoce::wire::{ControlReader, FromRelay, ToRelay, encode_control};

pub struct Native {
    pub link: Link,
    reader: ControlReader<FromRelay>,
}

impl Native {
    pub async fn connect(address: &str) -> Self {
        let address: RelayAddress = address.parse().expect("an address");
        let link = client::connect(&address, None).await.expect("a relay");
        Self {
            link,
            reader: ControlReader::new(),
        }
    }

    pub async fn say(&mut self, message: &ToRelay) {
        let message = encode_control(message).expect("a message within its limits");
        self.link.send_control(message).await.expect("it is taken");
    }

    /// The next message; `None` when no more come.
    pub async fn next(&mut self) -> Option<FromRelay> {
        loop {
            if let Some(message) = self.reader.next().expect("a relay's message decodes") {
                return Some(message);
            }
            let bytes = self.link.recv_control().await.ok()??;
            self.reader.push(&bytes).expect("read so far");
        }
    }

    /// The next group, whole.
    pub async fn group(&self) -> Vec<u8> {
        let mut group = self.link.accept_group().await.expect("a group");
        let mut all: Vec<Bytes> = Vec::new();
        while let Some(bytes) = group.read().await.expect("all of it") {
            all.push(bytes);
        }
        all.concat()
    }
}
