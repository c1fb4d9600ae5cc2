//! The seam between shards. A room may have participants on several; each shard serves its own,
//! and what one of its members sends crosses to each other shard that has the room exactly once,
//! however many listen there. Nothing outside this folder knows how many shards there are.
//!
//! How two shards meet over a room: the one where it comes to be says [`News::Opened`] to all
//! others. Who has that room answers `Opened`, unless it knew already, and then what a newcomer
//! has to know: its members and their newest groups. From then on both pass on what their
//! members do, until one says [`News::Emptied`].

use bytes::Bytes;

use crate::wire::{GroupNumber, ParticipantId, RoomHandle, To, TrackId};

/// One shard among those of a relay.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ShardId(pub u16);

/// What one shard tells another about a room.
#[derive(Clone)]
pub enum News {
    /// The sender has the room.
    Opened,
    /// The sender has it no more.
    Emptied,
    /// A member is there.
    Here(ParticipantId),
    /// A member went.
    Gone(ParticipantId),
    /// A member's control body.
    Message {
        /// Who sent it.
        from: ParticipantId,
        /// Whom to.
        to: To,
        /// Sealed.
        body: Bytes,
    },
    /// A member's datagram.
    Datagram {
        /// Who sent it.
        from: ParticipantId,
        /// On which track.
        track: TrackId,
        /// Sealed.
        payload: Bytes,
    },
    /// A group of a member began.
    GroupBegan(GroupName),
    /// More bytes of it.
    GroupBytes(GroupName, Bytes),
    /// Its end; `false` when it was cut off.
    GroupEnded(GroupName, bool),
}

/// Which group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GroupName {
    /// Whose.
    pub from: ParticipantId,
    /// Of which track.
    pub track: TrackId,
    /// Which of them.
    pub group: GroupNumber,
}

/// News on its way.
#[derive(Clone)]
pub struct Parcel {
    /// Which shard says it.
    pub from: ShardId,
    /// Of which room.
    pub room: RoomHandle,
    /// What.
    pub news: News,
}

/// How a shard reaches the others. In order between any two; never blocks.
pub trait Bus {
    /// This shard.
    fn me(&self) -> ShardId;
    /// All others.
    fn others(&self) -> &[ShardId];
    /// Sends to one of them.
    fn send(&mut self, to: ShardId, parcel: Parcel);
    /// What one of them sent.
    fn receive(&mut self) -> Option<Parcel>;
}

/// The bus of the only shard.
pub struct Alone;

impl Bus for Alone {
    fn me(&self) -> ShardId {
        ShardId(0)
    }

    fn others(&self) -> &[ShardId] {
        &[]
    }

    fn send(&mut self, _: ShardId, _: Parcel) {}

    fn receive(&mut self) -> Option<Parcel> {
        None
    }
}
