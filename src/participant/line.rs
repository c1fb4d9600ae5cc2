//! One connection to the relay. Each direction and each group has a task of its own, so that
//! nothing waits for anything else; what comes in ends up in one queue, in the order in which it
//! came, with a bound that holds the network back when this side is too slow.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::uplink::{Gone, Group, Road};
use crate::carrier::client::{DatagramError, Farewell, GroupReader, GroupWriter, Link, LostReason};
use crate::wire::{
    BundleEntries, CloseReason, ControlReader, DownlinkGroup, FromRelay, GroupFrames, GroupNumber,
    ParticipantId, ToRelay, TrackId, encode_control,
};

/// Arrivals that wait to be looked at. Smaller, and a burst of groups is held up; larger, and
/// sound that is looked at too late is not dropped but delayed.
const ARRIVALS: usize = 1024;

/// Control messages that wait for the relay. It has stopped reading if there are more.
const CONTROL: usize = 256;

/// How long a goodbye waits for control messages that wait.
const FLUSH: Duration = Duration::from_secs(1);

/// Something that came from the relay.
pub(crate) enum Arrival {
    /// A control message.
    Control(FromRelay),
    /// A bundle of datagrams.
    Datagrams(Bytes),
    /// A group begins to come.
    GroupOpened(ParticipantId),
    /// A sealed frame of a group.
    GroupFrame {
        from: ParticipantId,
        track: TrackId,
        group: GroupNumber,
        sealed: Bytes,
    },
    /// A group has come whole or was cut off.
    GroupClosed(ParticipantId),
    /// The connection is over; nothing comes after this.
    Lost(LostReason),
}

/// A connection to the relay, from when it stands until it is over.
pub(crate) struct Line {
    link: Link,
    control: mpsc::Sender<Bytes>,
    writing: JoinHandle<()>,
    arrivals: mpsc::Receiver<Arrival>,
    reading: JoinSet<()>,
    since: Instant,
}

impl Line {
    /// Takes over a connection that stands.
    pub(crate) fn new(link: Link) -> Self {
        let (arrived, arrivals) = mpsc::channel(ARRIVALS);
        let (control, queued) = mpsc::channel(CONTROL);
        let mut reading = JoinSet::new();
        reading.spawn(read_control(link.clone(), arrived.clone()));
        reading.spawn(read_datagrams(link.clone(), arrived.clone()));
        reading.spawn(read_groups(link.clone(), arrived));
        let writing = tokio::spawn(write_control(link.clone(), queued));
        Self {
            link,
            control,
            writing,
            arrivals,
            reading,
            since: Instant::now(),
        }
    }

    /// The next thing that came.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Arrival> {
        let arrival = self.arrivals.poll_recv(context);
        arrival.map(|arrival| arrival.unwrap_or(Arrival::Lost(LostReason::Broken)))
    }

    /// Sends a control message after those before it. False when the relay takes none any more.
    pub(crate) fn control(&self, message: &ToRelay) -> bool {
        // Only a message of ours that is over the limits does not encode, and `meeting` makes none.
        encode_control(message).is_ok_and(|bytes| self.control.try_send(bytes).is_ok())
    }

    /// Sends a datagram now or never.
    pub(crate) fn datagram(&self, datagram: Bytes) -> Result<(), DatagramError> {
        self.link.send_datagram(datagram)
    }

    /// Where groups are opened.
    pub(crate) fn road(&self) -> Link {
        self.link.clone()
    }

    /// How long it has stood.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Lets what was sent arrive, ends the connection, and says whether the relay answered.
    pub(crate) async fn close(self) -> Farewell {
        drop(self.control);
        let _ = tokio::time::timeout(FLUSH, self.writing).await;
        let farewell = self.link.close(CloseReason::Done).await;
        drop(self.reading);
        farewell
    }
}

impl Road for Link {
    type Group = GroupWriter;

    async fn open_group(&self, priority: i32) -> Result<GroupWriter, Gone> {
        Link::open_group(self, priority).await.map_err(|_| Gone)
    }
}

impl Group for GroupWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Gone> {
        GroupWriter::write(self, bytes).await.map_err(|_| Gone)
    }

    fn finish(self) {
        GroupWriter::finish(self);
    }

    fn reset(self) {
        GroupWriter::reset(self);
    }
}

async fn write_control(link: Link, mut queued: mpsc::Receiver<Bytes>) {
    while let Some(message) = queued.recv().await {
        if link.send_control(message).await.is_err() {
            return;
        }
    }
}

/// Reads control messages until the connection is over, and says why it is.
async fn read_control(link: Link, arrived: mpsc::Sender<Arrival>) {
    let mut reader = ControlReader::<FromRelay>::new();
    let lost = 'reading: loop {
        let bytes = match link.recv_control().await {
            Ok(Some(bytes)) => bytes,
            // The relay ends the stream just before it ends the connection.
            Ok(None) => break link.closed().await,
            Err(lost) => break lost,
        };
        if reader.push(&bytes).is_err() {
            break LostReason::Broken;
        }
        loop {
            match reader.next() {
                Ok(Some(message)) => {
                    if arrived.send(Arrival::Control(message)).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(_) => break 'reading LostReason::Broken,
            }
        }
    };
    let _ = arrived.send(Arrival::Lost(lost)).await;
}

async fn read_datagrams(link: Link, arrived: mpsc::Sender<Arrival>) {
    while let Ok(bundle) = link.recv_datagram().await {
        if arrived.send(Arrival::Datagrams(bundle)).await.is_err() {
            return;
        }
    }
}

async fn read_groups(link: Link, arrived: mpsc::Sender<Arrival>) {
    let mut groups = JoinSet::new();
    loop {
        tokio::select! {
            accepted = link.accept_group() => match accepted {
                Ok(reader) => { groups.spawn(read_group(reader, arrived.clone())); }
                Err(_) => break,
            },
            Some(_) = groups.join_next() => {}
        }
    }
    // What has come of the last groups is still good.
    while groups.join_next().await.is_some() {}
}

/// Reads one group; what is malformed is given up, as the relay's fault, and nothing else suffers.
async fn read_group(mut reader: GroupReader, arrived: mpsc::Sender<Arrival>) {
    let mut head = BytesMut::new();
    while head.len() < DownlinkGroup::LEN {
        match reader.read().await {
            Ok(Some(bytes)) => head.extend_from_slice(&bytes),
            Ok(None) | Err(_) => return,
        }
    }
    let mut body = head.freeze();
    let Ok(header) = DownlinkGroup::decode(&body.split_to(DownlinkGroup::LEN)) else {
        return reader.give_up();
    };
    let from = header.sender;
    if arrived.send(Arrival::GroupOpened(from)).await.is_err() {
        return;
    }
    let mut frames = GroupFrames::new();
    frames.push(body);
    'reading: loop {
        loop {
            match frames.next() {
                Ok(Some(sealed)) => {
                    let (track, group) = (header.track, header.group);
                    let frame = Arrival::GroupFrame {
                        from,
                        track,
                        group,
                        sealed,
                    };
                    if arrived.send(frame).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(_) => {
                    reader.give_up();
                    break 'reading;
                }
            }
        }
        match reader.read().await {
            Ok(Some(bytes)) => frames.push(bytes),
            Ok(None) | Err(_) => break,
        }
    }
    let _ = arrived.send(Arrival::GroupClosed(from)).await;
}

/// The sound in a bundle. What is malformed ends it, as the relay's fault.
pub(crate) fn sounds(bundle: Bytes) -> impl Iterator<Item = (ParticipantId, TrackId, Bytes)> {
    BundleEntries::new(bundle)
        .map_while(Result::ok)
        .map(|entry| (entry.sender, entry.track, entry.payload))
}
