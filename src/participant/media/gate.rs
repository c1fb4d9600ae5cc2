//! Which frames can be decoded: a frame whose predecessors are missing is not let through.

use crate::meeting::{Frame, TrackDescription, TrackKind};
use crate::wire::{GroupNumber, TrackId};

/// One for each track.
///
/// The rule: a picture begins with a key frame. After it comes the next frame of the same group
/// and no other: once a frame is missing, the rest of its group is of no use and is dropped, and
/// the next key frame of a later group begins anew. Sound has no such bonds: each frame that is
/// later than the one before is let through. Frames of unknown tracks never are.
///
/// A number is a stranger's word. When [`LATE`] frames in a row are behind the newest one, that one was
/// none of theirs, and the track begins anew with them: a picture at their next key frame.
pub(super) struct Gate {
    tracks: Vec<Track>,
}

/// Frames of a track that may come late one after another: of pictures the end of a group that was
/// overtaken by the next one, some seconds of it; of sound more than a second. Fewer: the next group is
/// given up for the end of that one. More: so much longer one forged number costs.
const LATE: u32 = 64;

struct Track {
    id: TrackId,
    state: State,
    /// Frames that came late since one came that did not.
    late: u32,
}

enum State {
    Audio {
        last: Option<u64>,
    },
    Video {
        last: Option<(GroupNumber, u64)>,
        whole: bool,
    },
}

impl Gate {
    pub fn new(tracks: &[TrackDescription]) -> Self {
        let state = |description: &TrackDescription| match description.kind {
            TrackKind::Audio { .. } => State::Audio { last: None },
            TrackKind::Video { .. } => State::Video {
                last: None,
                whole: false,
            },
        };
        Self {
            tracks: tracks
                .iter()
                .map(|track| Track {
                    id: track.track,
                    state: state(track),
                    late: 0,
                })
                .collect(),
        }
    }

    /// Whether this frame can be decoded after those that were let through before.
    pub fn admits(&mut self, frame: &Frame) -> bool {
        let Some(track) = self.tracks.iter_mut().find(|track| track.id == frame.track) else {
            return false;
        };
        let many = track.late >= LATE;
        let (after, admitted) = match &mut track.state {
            State::Audio { last } => {
                let after = many || last.is_none_or(|last| frame.number > last);
                if after {
                    *last = Some(frame.number);
                }
                (after, after)
            }
            State::Video { last, whole } => {
                let after = last
                    .is_none_or(|(group, number)| frame.group >= group && frame.number > number)
                    || many && frame.keyframe;
                if after {
                    let follows = *whole
                        && last.is_some_and(|(group, number)| {
                            frame.group == group && frame.number == number.saturating_add(1)
                        });
                    *whole = frame.keyframe || follows;
                    *last = Some((frame.group, frame.number));
                }
                (after, after && *whole)
            }
        };
        track.late = match after {
            true => 0,
            false => track.late.saturating_add(1),
        };
        admitted
    }

    /// A frame that was let through is not used after all: what depends on it goes too.
    pub fn lost(&mut self, track: TrackId) {
        for one in &mut self.tracks {
            if let (true, State::Video { whole, .. }) = (one.id == track, &mut one.state) {
                *whole = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::participant::samples;

    fn gate() -> Gate {
        Gate::new(&[samples::sound(TrackId(0)), samples::picture(TrackId(1))])
    }

    fn frame(track: u8, group: u32, number: u64, keyframe: bool) -> Frame {
        Frame {
            group: GroupNumber(group),
            keyframe,
            ..samples::frame(TrackId(track), number, 0, Vec::new())
        }
    }

    #[test]
    fn a_picture_begins_with_a_key_frame() {
        let mut gate = gate();
        assert!(!gate.admits(&frame(1, 3, 30, false)));
        assert!(!gate.admits(&frame(1, 3, 31, false)));
        assert!(gate.admits(&frame(1, 4, 32, true)));
        assert!(gate.admits(&frame(1, 4, 33, false)));
    }

    #[test]
    fn after_a_missing_frame_the_rest_of_the_group_is_dropped() {
        let mut gate = gate();
        assert!(gate.admits(&frame(1, 0, 0, true)));
        assert!(gate.admits(&frame(1, 0, 1, false)));
        assert!(!gate.admits(&frame(1, 0, 3, false)), "2 is missing");
        assert!(
            !gate.admits(&frame(1, 0, 4, false)),
            "3 was not let through"
        );
        assert!(gate.admits(&frame(1, 1, 5, true)));
        assert!(gate.admits(&frame(1, 1, 6, false)));
    }

    #[test]
    fn a_group_without_its_key_frame_is_dropped() {
        let mut gate = gate();
        assert!(gate.admits(&frame(1, 0, 0, true)));
        assert!(
            !gate.admits(&frame(1, 1, 2, false)),
            "the next number, but of another group"
        );
        assert!(!gate.admits(&frame(1, 1, 3, false)));
        assert!(gate.admits(&frame(1, 2, 4, true)));
    }

    #[test]
    fn late_and_repeated_frames_are_dropped() {
        let mut gate = gate();
        assert!(gate.admits(&frame(1, 5, 50, true)));
        assert!(!gate.admits(&frame(1, 5, 50, true)));
        assert!(!gate.admits(&frame(1, 4, 48, true)));
        assert!(
            gate.admits(&frame(1, 5, 51, false)),
            "what came late does no harm"
        );
        assert!(gate.admits(&frame(0, 0, 7, true)));
        assert!(
            gate.admits(&frame(0, 0, 9, true)),
            "sound goes on over a gap"
        );
        assert!(!gate.admits(&frame(0, 0, 8, true)));
        assert!(
            !gate.admits(&frame(9, 0, 0, true)),
            "a track nobody described"
        );
    }

    #[test]
    fn what_depends_on_a_frame_that_is_not_used_goes_too() {
        let mut gate = gate();
        assert!(gate.admits(&frame(1, 0, 0, true)));
        gate.lost(TrackId(1));
        assert!(!gate.admits(&frame(1, 0, 1, false)));
        assert!(gate.admits(&frame(1, 1, 2, true)));
    }

    #[test]
    fn a_number_that_nobody_comes_up_to_ends_nothing() {
        for jump in [1000, u64::MAX] {
            let mut gate = gate();
            assert!(gate.admits(&frame(0, 0, 0, true)));
            assert!(gate.admits(&frame(0, 0, jump, true)));
            let sound = (1..200).filter(|number| gate.admits(&frame(0, 0, *number, true)));
            assert_eq!(sound.count(), 199 - LATE as usize);
            assert!(gate.admits(&frame(1, 0, 0, true)));
            assert!(gate.admits(&frame(1, u32::MAX, jump, true)));
            let mut picture = (1..200u64).filter(|number| {
                let (group, key) = (*number / 50, number.is_multiple_of(50));
                gate.admits(&frame(1, group as u32, *number, key))
            });
            assert_eq!(
                picture.next(),
                Some(100),
                "the next key frame after so many"
            );
            assert_eq!(picture.count(), 99);
        }
    }
}
