//! A standing connection to a relay.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quinn::{
    Connection, Endpoint, FrameStats, ReadError, RecvStream, SendDatagramError, SendStream, VarInt,
};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::dial::bind_socket;
use super::{BindFailed, DatagramError, GroupReader, GroupWriter, LostReason};
use crate::wire::CloseReason;

/// Control messages that wait for the relay to take them, before a sender waits too.
const CONTROL_QUEUE: usize = 64;

/// Most bytes of the control stream or of a group that are handed on at a time.
pub(super) const CHUNK: usize = 64 * 1024;

/// How long a goodbye waits for what was sent to arrive.
const CLOSE_PATIENCE: Duration = Duration::from_secs(3);

/// How long a goodbye waits for itself to leave, and for late packets to be answered.
const DRAIN_PATIENCE: Duration = Duration::from_millis(500);

/// How often a goodbye looks whether the last datagrams have left.
const DATAGRAM_POLL: Duration = Duration::from_millis(2);

/// A connection to a relay: one control stream both ways, datagrams, and groups. Cloning it
/// makes another handle to the same connection, so that each direction can have its own task.
/// Dropping the last handle ends the connection at once; [`Self::close`] ends it well.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    connection: Connection,
    control_out: mpsc::Sender<ControlOut>,
    control_in: Mutex<RecvStream>,
    /// Groups that were finished here and are not acknowledged yet.
    unacknowledged: watch::Sender<usize>,
    /// Space for datagrams when none waits, in bytes.
    datagram_space: usize,
}

enum ControlOut {
    Message(Bytes),
    /// Ends the stream, and tells when all of it has been acknowledged.
    Finish(oneshot::Sender<()>),
}

/// How a goodbye went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// Datagrams have left; finished groups and control messages are acknowledged.
    Delivered,
    /// It took too long: some of it may not have arrived.
    CutShort,
    /// The connection was lost, before or meanwhile, and how: some of it may not have arrived.
    Lost(LostReason),
}

/// How far what was sent is known to have come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    Nothing,
    /// All but the end of the control stream.
    AllButTheLastWord,
    All,
}

impl Settled {
    /// How a goodbye went that came so far, when the connection was lost meanwhile or was not.
    fn farewell(self, lost: Option<LostReason>) -> Farewell {
        match (self, lost) {
            (Self::All, _) => Farewell::Delivered,
            // A relay says this once it has read the control stream to its end. The packet in which it
            // acknowledged the end may have been lost, and it sends no other then.
            (Self::AllButTheLastWord, Some(LostReason::Closed(CloseReason::Done))) => {
                Farewell::Delivered
            }
            (_, None) => Farewell::CutShort,
            (_, Some(reason)) => Farewell::Lost(reason),
        }
    }
}

/// How a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkStats {
    /// Round trip to the relay, smoothed.
    pub rtt: Duration,
    /// QUIC packets sent.
    pub packets_sent: u64,
    /// QUIC packets sent that did not arrive, as far as is known.
    pub packets_lost: u64,
    /// UDP payload bytes sent.
    pub bytes_sent: u64,
    /// UDP payload bytes received.
    pub bytes_received: u64,
    /// QUIC frames of the relay's, opened: what others may have sent in its name is not counted,
    /// nor what a relay sends that has forgotten this connection.
    pub frames_received: u64,
    /// Acknowledgements among them.
    pub acknowledgements: u64,
    /// Bytes that may be on their way at a time.
    pub congestion_window: u64,
}

impl Link {
    pub(super) fn new(
        endpoint: Endpoint,
        connection: Connection,
        (control_out, control_in): (SendStream, RecvStream),
    ) -> Self {
        // Control goes before any group.
        let _ = control_out.set_priority(i32::MAX);
        let (queue, queued) = mpsc::channel(CONTROL_QUEUE);
        tokio::spawn(write_control(control_out, queued));
        Self(Arc::new(Inner {
            datagram_space: connection.datagram_send_buffer_space(),
            endpoint,
            connection,
            control_out: queue,
            control_in: Mutex::new(control_in),
            unacknowledged: watch::Sender::new(0),
        }))
    }

    /// Sends one encoded control message. Waits while the relay takes nothing; when the future
    /// is dropped, the message is either sent whole or not at all.
    ///
    /// # Errors
    /// [`LostReason`] when the connection is over.
    pub async fn send_control(&self, message: Bytes) -> Result<(), LostReason> {
        match self.0.control_out.send(ControlOut::Message(message)).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.lost()),
        }
    }

    /// The next bytes of the control stream, as they come; `None` when the relay has ended it.
    /// No byte is lost when the future is dropped.
    ///
    /// # Errors
    /// [`LostReason`] when the connection is over.
    pub async fn recv_control(&self) -> Result<Option<Bytes>, LostReason> {
        let mut control = self.0.control_in.lock().await;
        match control.read_chunk(CHUNK, true).await {
            Ok(chunk) => Ok(chunk.map(|chunk| chunk.bytes)),
            Err(ReadError::ConnectionLost(error)) => Err(error.into()),
            Err(_) => Err(LostReason::Broken),
        }
    }

    /// Sends a datagram, now or never: when the way is blocked, the oldest that wait are dropped.
    ///
    /// # Errors
    /// [`DatagramError`] when it is too large for the path, or the connection is over.
    pub fn send_datagram(&self, payload: Bytes) -> Result<(), DatagramError> {
        match self.0.connection.send_datagram(payload) {
            Ok(()) => Ok(()),
            Err(SendDatagramError::ConnectionLost(error)) => Err(DatagramError::Lost(error.into())),
            Err(SendDatagramError::TooLarge) => Err(DatagramError::TooLarge),
            // A relay that takes no datagrams speaks another protocol than ours.
            Err(SendDatagramError::UnsupportedByPeer | SendDatagramError::Disabled) => {
                Err(DatagramError::Lost(LostReason::Broken))
            }
        }
    }

    /// The next datagram. None is lost when the future is dropped.
    ///
    /// # Errors
    /// [`LostReason`] when the connection is over.
    pub async fn recv_datagram(&self) -> Result<Bytes, LostReason> {
        self.0
            .connection
            .read_datagram()
            .await
            .map_err(LostReason::from)
    }

    /// Opens a group. Of groups with something to send, that of the highest `priority` goes
    /// first. Waits while the relay allows no further one.
    ///
    /// # Errors
    /// [`LostReason`] when the connection is over.
    pub async fn open_group(&self, priority: i32) -> Result<GroupWriter, LostReason> {
        let stream = self.0.connection.open_uni().await?;
        let _ = stream.set_priority(priority.min(i32::MAX - 1));
        Ok(GroupWriter::new(stream, self.0.unacknowledged.clone()))
    }

    /// The next group that the relay opens. None is lost when the future is dropped.
    ///
    /// # Errors
    /// [`LostReason`] when the connection is over.
    pub async fn accept_group(&self) -> Result<GroupReader, LostReason> {
        Ok(GroupReader::new(self.0.connection.accept_uni().await?))
    }

    /// Goes on from another local address, or another port when none is given; the connection
    /// stays. For a change of network, or a router that forgot this one.
    ///
    /// # Errors
    /// [`BindFailed`]; the connection goes on from where it is.
    pub fn rebind(&self, bind: Option<SocketAddr>) -> Result<(), BindFailed> {
        let relay = self.0.connection.remote_address();
        if bind.is_some_and(|bind| bind.is_ipv4() != relay.is_ipv4()) {
            return Err(BindFailed::OtherFamily);
        }
        let socket = bind_socket(bind, relay.ip())?;
        self.0
            .endpoint
            .rebind(socket)
            .map_err(|error| BindFailed::from(&error))
    }

    /// How the connection does.
    pub fn stats(&self) -> LinkStats {
        let stats = self.0.connection.stats();
        LinkStats {
            rtt: stats.path.rtt,
            packets_sent: stats.path.sent_packets,
            packets_lost: stats.path.lost_packets,
            bytes_sent: stats.udp_tx.bytes,
            bytes_received: stats.udp_rx.bytes,
            frames_received: frames(&stats.frame_rx),
            acknowledgements: stats.frame_rx.acks,
            congestion_window: stats.path.cwnd,
        }
    }

    /// Waits until the connection is over, and says why.
    pub async fn closed(&self) -> LostReason {
        self.0.connection.closed().await.into()
    }

    /// Says goodbye: waits until datagrams have left and finished groups and control messages
    /// are acknowledged, for 3 s at most, and ends the connection. Groups that are not finished
    /// are not waited for.
    pub async fn close(&self, reason: CloseReason) -> Farewell {
        self.close_within(reason, CLOSE_PATIENCE).await
    }

    /// [`Self::close`], with another patience.
    pub(super) async fn close_within(&self, reason: CloseReason, patience: Duration) -> Farewell {
        let mut settled = Settled::Nothing;
        let _ = timeout(patience, self.settle(&mut settled)).await;
        let lost = self.0.connection.close_reason().map(LostReason::from);
        let farewell = settled.farewell(lost);
        self.0
            .connection
            .close(VarInt::from_u32(reason.code()), b"");
        let _ = timeout(DRAIN_PATIENCE, self.0.endpoint.wait_idle()).await;
        farewell
    }

    /// The port that this side sends from.
    #[cfg(test)]
    pub(super) fn local_port(&self) -> u16 {
        self.0.endpoint.local_addr().expect("a bound socket").port()
    }

    /// Waits until everything has arrived, or never will, and keeps in `settled` how far it came.
    async fn settle(&self, settled: &mut Settled) {
        let connection = &self.0.connection;
        while connection.datagram_send_buffer_space() < self.0.datagram_space {
            if connection.close_reason().is_some() {
                return;
            }
            sleep(DATAGRAM_POLL).await;
        }
        let mut unacknowledged = self.0.unacknowledged.subscribe();
        if unacknowledged
            .wait_for(|groups| *groups == 0)
            .await
            .is_err()
        {
            return;
        }
        let (acknowledged, wait) = oneshot::channel();
        let finish = ControlOut::Finish(acknowledged);
        if self.0.control_out.send(finish).await.is_ok() {
            *settled = Settled::AllButTheLastWord;
            if wait.await.is_ok() {
                *settled = Settled::All;
            }
        }
    }

    /// Why the connection is over, when something failed because it is.
    fn lost(&self) -> LostReason {
        match self.0.connection.close_reason() {
            Some(error) => error.into(),
            // Only the control stream is: the relay stopped it, or `close` has ended it.
            None => LostReason::Broken,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Else a control message that the relay never takes would keep the connection open.
        self.connection
            .close(VarInt::from_u32(CloseReason::Done.code()), b"");
    }
}

/// All frames that a relay of ours has reason to send once the connection stands.
fn frames(received: &FrameStats) -> u64 {
    received.acks
        + received.datagram
        + received.stream
        + received.ping
        + received.max_data
        + received.max_stream_data
        + received.max_streams_uni
        + received.reset_stream
        + received.stop_sending
        + received.path_challenge
        + received.path_response
        + received.connection_close
}

/// Writes control messages in their order, each whole.
async fn write_control(mut stream: SendStream, mut queue: mpsc::Receiver<ControlOut>) {
    while let Some(next) = queue.recv().await {
        match next {
            ControlOut::Message(message) => {
                if stream.write_chunk(message).await.is_err() {
                    return;
                }
            }
            ControlOut::Finish(acknowledged) => {
                if stream.finish().is_ok() && matches!(stream.stopped().await, Ok(None)) {
                    let _ = acknowledged.send(());
                }
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_that_takes_its_leave_has_read_the_goodbye() {
        let done = Some(LostReason::Closed(CloseReason::Done));
        let restarting = LostReason::Closed(CloseReason::Restarting);
        let delivered = Settled::AllButTheLastWord.farewell(done);
        assert_eq!(delivered, Farewell::Delivered);
        assert_eq!(Settled::All.farewell(done), Farewell::Delivered);
        // Before it was said goodbye to, it had no reason to.
        assert_eq!(
            Settled::Nothing.farewell(done),
            Farewell::Lost(LostReason::Closed(CloseReason::Done))
        );
        assert_eq!(
            Settled::AllButTheLastWord.farewell(Some(restarting)),
            Farewell::Lost(restarting)
        );
        assert_eq!(
            Settled::AllButTheLastWord.farewell(None),
            Farewell::CutShort
        );
    }
}
