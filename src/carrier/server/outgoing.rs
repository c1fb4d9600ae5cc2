//! What waits to go to a peer on its control stream.

use std::collections::VecDeque;

use bytes::Bytes;
use quinn_proto::{Connection, StreamId};

use super::super::limits::CONTROL_QUEUE;
use super::SendError;

/// The relay's side of a control stream.
#[derive(Default)]
pub(super) struct Control {
    stream: Option<StreamId>,
    begun: bool,
    waiting: VecDeque<Bytes>,
    bytes: usize,
}

impl Control {
    /// The peer opened its control stream; `false` when it had one already.
    pub(super) fn begin(&mut self, id: StreamId) -> bool {
        let first = !self.begun;
        if first {
            self.begun = true;
            self.stream = Some(id);
        }
        first
    }

    pub(super) fn is(&self, id: StreamId) -> bool {
        self.stream == Some(id)
    }

    /// Streams of quinn's that this is.
    pub(super) fn streams(&self) -> usize {
        usize::from(self.stream.is_some())
    }

    pub(super) fn push(&mut self, quic: &mut Connection, message: Bytes) -> Result<(), SendError> {
        if self.bytes + message.len() > CONTROL_QUEUE {
            return Err(SendError::Overflow);
        }
        self.bytes += message.len();
        self.waiting.push_back(message);
        self.write(quic);
        Ok(())
    }

    /// Hands on as much as the peer's window takes.
    pub(super) fn write(&mut self, quic: &mut Connection) {
        let Some(id) = self.stream else { return };
        while !self.waiting.is_empty() {
            let written = quic
                .send_stream(id)
                .write_chunks(self.waiting.make_contiguous());
            let Ok(written) = written else { break };
            self.waiting.drain(..written.chunks);
            self.bytes = self.bytes.saturating_sub(written.bytes);
        }
        if self.waiting.is_empty() {
            // Nothing waits for most peers most of the time: hold no memory for it.
            self.waiting = VecDeque::new();
        }
    }
}
