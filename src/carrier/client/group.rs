//! Groups on their streams: a key frame and what depends on it.

use bytes::Bytes;
use quinn::{ReadError, RecvStream, SendStream, VarInt, WriteError};
use tokio::sync::watch;

use super::link::CHUNK;
use super::{GroupError, LostReason};

/// The error code of a group that is given up: there is but one reason.
const GIVEN_UP: VarInt = VarInt::from_u32(0);

/// A group on its way to the relay. Dropped unfinished, it is given up.
pub struct GroupWriter {
    stream: SendStream,
    finished: bool,
    unacknowledged: watch::Sender<usize>,
}

/// A group on its way from the relay. Dropped unread, it is given up.
pub struct GroupReader {
    stream: RecvStream,
}

impl GroupWriter {
    pub(super) fn new(stream: SendStream, unacknowledged: watch::Sender<usize>) -> Self {
        Self {
            stream,
            finished: false,
            unacknowledged,
        }
    }

    /// Sends bytes, waiting while the relay takes none. Dropping the future may leave some of
    /// the bytes sent: then the group must be given up.
    ///
    /// # Errors
    /// [`GroupError`] when the relay gave the group up, or the connection is over.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), GroupError> {
        self.stream
            .write_chunk(bytes)
            .await
            .map_err(|error| match error {
                WriteError::ConnectionLost(error) => GroupError::Lost(error.into()),
                WriteError::Stopped(_) | WriteError::ClosedStream => GroupError::GivenUp,
                WriteError::ZeroRttRejected => GroupError::Lost(LostReason::Broken),
            })
    }

    /// Changes the order among groups with something to send: the highest goes first.
    pub fn set_priority(&self, priority: i32) {
        // One that is over has no order.
        let _ = self.stream.set_priority(priority.min(i32::MAX - 1));
    }

    /// Ends the group; what was written still goes out, and a goodbye waits for it.
    pub fn finish(mut self) {
        self.finished = true;
        if self.stream.finish().is_err() {
            return;
        }
        let acknowledged = self.stream.stopped();
        let unacknowledged = self.unacknowledged.clone();
        unacknowledged.send_modify(|groups| *groups += 1);
        tokio::spawn(async move {
            let _ = acknowledged.await;
            unacknowledged.send_modify(|groups| *groups -= 1);
        });
    }

    /// Gives the group up: what was not sent yet never will be.
    pub fn reset(self) {
        // Dropping does it.
    }
}

impl Drop for GroupWriter {
    fn drop(&mut self) {
        if !self.finished {
            // Else quinn would end the stream as if the group were whole.
            let _ = self.stream.reset(GIVEN_UP);
        }
    }
}

impl GroupReader {
    pub(super) fn new(stream: RecvStream) -> Self {
        Self { stream }
    }

    /// The next bytes, as they come; `None` at the group's end. No byte is lost when the future
    /// is dropped.
    ///
    /// # Errors
    /// [`GroupError`] when the relay gave the group up, or the connection is over.
    pub async fn read(&mut self) -> Result<Option<Bytes>, GroupError> {
        match self.stream.read_chunk(CHUNK, true).await {
            Ok(chunk) => Ok(chunk.map(|chunk| chunk.bytes)),
            Err(ReadError::Reset(_) | ReadError::ClosedStream) => Err(GroupError::GivenUp),
            Err(ReadError::ConnectionLost(error)) => Err(GroupError::Lost(error.into())),
            Err(ReadError::IllegalOrderedRead | ReadError::ZeroRttRejected) => {
                Err(GroupError::Lost(LostReason::Broken))
            }
        }
    }

    /// Tells the relay that no more of this group is wanted.
    pub fn give_up(mut self) {
        let _ = self.stream.stop(GIVEN_UP);
    }
}
