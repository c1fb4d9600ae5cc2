//! What the codec promises, over any input. The messages have no `Debug`, so that strategies draw
//! their parts and the tests put them together.

mod control;
mod datagram;
mod group;

use proptest::prelude::*;

use super::{
    CloseReason, FromRelay, ParticipantId, PassProof, Role, RoomHandle, To, ToRelay, TrackId,
    limits::BODY,
};

/// A failing seed is printed; files with seeds would lie about and be forgotten.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The parts of any message.
#[derive(Clone, Debug)]
struct Parts {
    variant: u8,
    number: u32,
    small: u8,
    room: [u8; 32],
    body: Vec<u8>,
    present: Vec<u32>,
}

fn parts() -> impl Strategy<Value = Parts> {
    let body = prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..600),
        1 => (BODY - 2..=BODY).prop_map(|length| vec![7; length]),
    ];
    let numbers = prop_oneof![any::<u32>(), Just(0), Just(u32::MAX), 0..300_u32];
    (
        any::<u8>(),
        numbers,
        any::<u8>(),
        any::<[u8; 32]>(),
        body,
        proptest::collection::vec(any::<u32>(), 0..400),
    )
        .prop_map(|(variant, number, small, room, body, present)| Parts {
            variant,
            number,
            small,
            room,
            body,
            present,
        })
}

impl Parts {
    fn upward(&self) -> ToRelay {
        let participant = ParticipantId(self.number);
        let track = TrackId(self.small);
        match self.variant % 4 {
            0 => ToRelay::Hello {
                version: self.number as u16,
                room: RoomHandle(self.room),
                role: [Role::Member, Role::Viewer][usize::from(self.small % 2)],
                pass: self.small.is_multiple_of(3).then_some(PassProof {
                    nonce: [self.small; 8],
                    tag: [self.variant; 16],
                }),
            },
            1 => ToRelay::Send {
                to: [To::Everyone, To::One(participant)][usize::from(self.small % 2)],
                body: self.body.clone(),
            },
            2 => ToRelay::Subscribe { participant, track },
            _ => ToRelay::Unsubscribe { participant, track },
        }
    }

    fn downward(&self) -> FromRelay {
        let participant = ParticipantId(self.number);
        match self.variant % 5 {
            0 => FromRelay::Welcome {
                you: participant,
                present: self.present.iter().copied().map(ParticipantId).collect(),
            },
            1 => FromRelay::Joined { participant },
            2 => FromRelay::Left { participant },
            3 => FromRelay::Message {
                from: participant,
                body: self.body.clone(),
            },
            _ => FromRelay::Closed {
                reason: CloseReason::ALL[usize::from(self.small) % CloseReason::ALL.len()],
            },
        }
    }
}
