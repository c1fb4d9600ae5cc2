//! Papers of a vigil, by somebody who has the link and no leaf: whoever watches, and whoever speaks, is
//! told nothing by them.

use std::cell::RefCell;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use sottovoce::meeting::hosted::Meeting;
use sottovoce::meeting::links::{Link, Links};
use sottovoce::meeting::vigil::Viewer;
use sottovoce::meeting::{Input, Output, Presence, RelayRef, StayId, Surface};
use sottovoce::wire::{FromRelay, GroupNumber, ParticipantId, To, ToRelay, TrackId};

use super::insider::{self, INSIDER};

const PAPERS: TrackId = TrackId(15);
const HOST: ParticipantId = ParticipantId(9);
const WATCHES: StayId = StayId(1);

thread_local! {
    /// One vigil for many inputs, since it takes long to found a meeting.
    static STAGE: RefCell<Stage> = RefCell::new(Stage::new());
}

/// A host that speaks, one who watches, and the insider.
struct Stage {
    host: Meeting,
    stay: StayId,
    viewer: Viewer,
    key: [u8; 32],
    salt: u128,
    now: Duration,
    /// The host's papers as they came, and what is in their envelopes.
    sealed: Vec<Vec<u8>>,
    plain: Vec<Vec<u8>>,
}

impl Stage {
    fn new() -> Self {
        let relay = RelayRef {
            host: "192.0.2.1".into(),
            port: 4433,
            hashes: vec![[7; 32]],
            pass: None,
        };
        let links = Links::draw(vec![relay], "", 0, true, [8; 32]).expect("links");
        let parse = |link: &str| Link::parse(link).expect("its own link");
        let (_, fragment) = links.meeting.split_once('#').expect("a fragment");
        let bytes = BASE64URL_NOPAD.decode(fragment.as_bytes());
        let bytes = bytes.expect("base64url");
        // The viewer key stands before the checksum.
        let key = bytes[..bytes.len() - 4].last_chunk().expect("a viewer key");
        let presence = Presence {
            name: "Host".into(),
            tracks: vec![],
            timestamp_scale_ns: 1,
            tag: [4; 16],
        };
        let mut stage = Self {
            host: Meeting::new(parse(&links.host), presence, false, false, [9; 32]),
            stay: StayId(0),
            viewer: Viewer::new(parse(&links.meeting).meeting().clone(), [5; 32])
                .expect("a vigil's"),
            key: *key,
            salt: 0,
            now: Duration::ZERO,
            sealed: Vec::new(),
            plain: Vec::new(),
        };
        stage.found();
        stage.watch();
        stage
    }

    /// The host's way onto the stage, to its first papers there.
    fn found(&mut self) {
        while self.sealed.len() < 2 {
            self.now += Duration::from_millis(100);
            self.host.handle(self.now, Input::Tick);
            while let Some(output) = self.host.poll() {
                let stay = match output {
                    Output::Enter { stay } => {
                        self.host
                            .handle(self.now, Input::Connected { stay, relay: 0 });
                        continue;
                    }
                    Output::Control {
                        stay,
                        message: ToRelay::Hello { .. },
                    } => stay,
                    Output::GroupFrame { stay, bytes, .. } => {
                        self.stay = stay;
                        self.plain
                            .push(insider::opened(&self.key, HOST, &bytes).expect("the host's"));
                        self.sealed.push(bytes.into());
                        continue;
                    }
                    _ => continue,
                };
                let (you, present) = (HOST, vec![]);
                let message = FromRelay::Welcome { you, present };
                self.host.handle(self.now, Input::Relay { stay, message });
            }
        }
    }

    fn watch(&mut self) {
        let (stay, relay, you) = (WATCHES, 0, ParticipantId(11));
        self.viewer
            .handle(self.now, Input::Connected { stay, relay });
        let present = vec![HOST];
        let message = FromRelay::Welcome { you, present };
        self.viewer.handle(self.now, Input::Relay { stay, message });
        let shown = self.hosts_own();
        let appeared = |output: &Output| matches!(output, Output::Appeared { .. });
        assert!(shown.iter().any(appeared), "the vigil is not seen");
    }

    /// All that the viewer is told when the host's papers come.
    fn hosts_own(&mut self) -> Vec<Output> {
        for sealed in self.sealed.clone() {
            self.viewer.handle(self.now, paper(WATCHES, HOST, sealed));
        }
        drain(&mut self.viewer)
    }

    /// The insider comes, as somebody who was never seen before.
    fn meets_the_insider(&mut self) {
        self.salt += 1;
        let participant = INSIDER;
        let left = FromRelay::Left { participant };
        let joined = FromRelay::Joined { participant };
        for message in [left, joined] {
            let (stay, message) = (WATCHES, message);
            let input = Input::Relay {
                stay,
                message: message.clone(),
            };
            self.viewer.handle(self.now, input);
            let stay = self.stay;
            self.host.handle(self.now, Input::Relay { stay, message });
        }
        drain(&mut self.viewer);
        drain(&mut self.host);
    }
}

fn paper(stay: StayId, from: ParticipantId, bytes: Vec<u8>) -> Input {
    Input::GroupFrame {
        stay,
        from,
        track: PAPERS,
        group: GroupNumber(1),
        bytes: bytes.into(),
    }
}

fn drain(surface: &mut dyn Surface) -> Vec<Output> {
    std::iter::from_fn(|| surface.poll()).collect()
}

/// That, or that papers are asked for or no more: nothing that anybody sees.
fn is_quiet(output: &Output) -> bool {
    match output {
        Output::Rejected(_) => true,
        Output::Control { message, .. } => matches!(
            message,
            ToRelay::Subscribe { track, .. } | ToRelay::Unsubscribe { track, .. } if *track == PAPERS
        ),
        _ => false,
    }
}

/// What is in an envelope of a paper. The first byte says: whether the rest is the plaintext, or the
/// paper in good order, or lies over one of the host's; and by whom it is said to be.
pub fn papers(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let rest = rest.get(..rest.len().min(32_000)).unwrap_or_default();
    STAGE.with_borrow_mut(|stage| {
        stage.meets_the_insider();
        let plain = match kind % 4 {
            0 => rest.to_vec(),
            1 => {
                let to = postcard::to_allocvec(&To::Everyone).expect("fits");
                insider::framed(&[&to, rest].concat())
            }
            genuine => {
                let mut plain = stage.plain[usize::from(genuine - 2)].clone();
                let laid_over = plain.iter_mut().zip(rest);
                laid_over.for_each(|(byte, change)| *byte ^= change);
                plain
            }
        };
        let salt = stage.salt.to_be_bytes();
        for from in [INSIDER, HOST] {
            let sealed = insider::sealed(&stage.key, salt, 1, from, &plain);
            stage
                .viewer
                .handle(stage.now, paper(WATCHES, from, sealed.clone()));
            assert!(
                drain(&mut stage.viewer).iter().all(is_quiet),
                "it was believed"
            );
            if from == INSIDER {
                stage
                    .host
                    .handle(stage.now, paper(stage.stay, from, sealed));
                assert!(
                    drain(&mut stage.host).iter().all(is_quiet),
                    "it was believed"
                );
            }
        }
        assert!(
            stage.hosts_own().iter().all(is_quiet),
            "it was shown already"
        );
        // Somebody who watches all the while is still told what is so.
        stage
            .viewer
            .handle(stage.now, Input::Command(sottovoce::meeting::Command::Who));
        let told = drain(&mut stage.viewer);
        let Some(Output::Told(sottovoce::meeting::Notice::Roster(listed))) = told.last() else {
            panic!("who is there is not told");
        };
        assert!(matches!(&listed[..], [one] if one.name == "Host" && one.here));
    });
}
