//! What becomes of those who cannot be let in after all.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::super::core::Core;
use super::super::doors::Ruling;
use super::{meet, presence};
use crate::meeting::events::{Output, Rejection, StayId};
use crate::meeting::links::Link;
use crate::meeting::lobby::{
    Knock, Knocker, KnockerOutput, PAYLOAD_BYTES, Porter, PorterOutput, Status,
};
use crate::wire::ParticipantId;

const DOOR: StayId = StayId(7);
const CHAIR: ParticipantId = ParticipantId(1);
const ADA: ParticipantId = ParticipantId(2);

/// Passes on what both say until neither says anything.
fn settle(knocker: &mut Knocker, ruling: &mut Ruling, now: Duration) {
    let mut quiet = false;
    while !quiet {
        quiet = true;
        let porter = ruling.doors.get_mut(&DOOR).expect("a door");
        while let Some(said) = knocker.poll() {
            if let KnockerOutput::Post { body, .. } = said {
                quiet = false;
                porter.handle(now, ADA, body);
            }
        }
        while let Some(said) = porter.poll() {
            if let PorterOutput::Post { body, .. } = said {
                quiet = false;
                knocker.handle(now, CHAIR, body);
            }
        }
    }
}

#[test]
fn who_cannot_be_given_a_welcome_is_told_and_so_is_the_chair() {
    let meet = meet(0);
    let Link::Committer(host) = &meet.host else {
        panic!("the host's link");
    };
    let secret = &host.meeting.secret;
    let mut core = Core::new(meet.host.clone(), presence("Host"), false, [1; 32]);
    let mut ruling = Ruling::new(false, false);
    let porter = Porter::new(host, secret, CHAIR, false, core.now, [2; 32]);
    ruling.doors.insert(DOOR, porter);
    let knock = Knock {
        name: "Ada".into(),
        key_package: vec![1; 500],
        proof_of_return: None,
    };
    let mut knocker = Knocker::new(meet.guest.meeting(), knock, [3; 32]).expect("a knocker");
    knocker.enter(core.now, ADA);
    settle(&mut knocker, &mut ruling, core.now);
    assert_eq!(knocker.status(), Some(Status::Waiting));
    let large = Arc::new(Zeroizing::new(vec![0; PAYLOAD_BYTES + 1]));
    ruling.admit(DOOR, &[1], &large, &mut core);
    settle(&mut knocker, &mut ruling, core.now);
    assert_eq!(knocker.status(), Some(Status::Denied), "it waits no more");
    let mut said = core.out.iter();
    let told = |said: &Output| matches!(said, Output::Rejected(Rejection::TooMany));
    assert!(said.any(told), "nor does the host");
}
