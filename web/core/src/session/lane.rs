//! Pictures on their way out over one connection: one stream for each group.
//!
//! When the network does not take a group as fast as it comes, the rest of that group is dropped and the
//! next key frame begins afresh: a picture that freezes for a moment, not one that lags ever further
//! behind. The same rules as a native participant's (`participant/uplink.rs`), without its tasks.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use sottovoce::wire::GroupNumber;

use crate::out::{Blob, Out};

/// How long a frame may wait for the network before the rest of its group is given up. Shorter,
/// and a large key frame never gets through a slow uplink; longer, and pictures lag by it.
const PATIENCE: Duration = Duration::from_secs(3);

/// Groups of a track that may still be on their way when the next one begins.
const FORMER: usize = 1;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// On its way.
    Queued,
    /// Left out: its group did not begin with a key frame, over this connection, or was given up.
    LeftOut,
    /// Left out: the network is too slow, and its group is given up with it.
    GivenUp,
}

/// One picture track's way out.
#[derive(Default)]
pub(super) struct Lane {
    current: Option<Open>,
    former: VecDeque<Open>,
}

struct Open {
    group: GroupNumber,
    stream: u32,
    given_up: bool,
    /// When the pieces were handed over that the network has not taken yet.
    waiting: VecDeque<Duration>,
}

impl Lane {
    /// Sends a frame of a group; `first` begins it, and `header` goes before it. `stream`: a number for
    /// one, should it be needed.
    pub(super) fn push(
        &mut self,
        now: Duration,
        (line, stream): (u32, &mut u32),
        (group, first): (GroupNumber, bool),
        header: &Bytes,
        frame: Bytes,
        out: &mut VecDeque<Out>,
    ) -> Pushed {
        if self.current.as_ref().is_none_or(|open| open.group != group) {
            self.finish(line, out);
            if !first {
                return Pushed::LeftOut;
            }
            *stream += 1;
            // The former group's tail before the newer group's key frame: that is the order in which
            // a listener can use them.
            let order = -f64::from(group.0);
            let stream = *stream;
            out.push_back(Out::Open {
                line,
                stream,
                order,
            });
            let mut open = Open {
                group,
                stream,
                given_up: false,
                waiting: VecDeque::new(),
            };
            open.write(now, line, header.clone(), out);
            self.current = Some(open);
        }
        let Some(open) = self.current.as_mut().filter(|open| !open.given_up) else {
            return Pushed::LeftOut;
        };
        let longest = open.waiting.front().map(|since| now.saturating_sub(*since));
        if longest.is_some_and(|longest| longest > PATIENCE) {
            open.give_up(line, out);
            return Pushed::GivenUp;
        }
        open.write(now, line, frame, out);
        Pushed::Queued
    }

    /// No more frames for the current group.
    pub(super) fn finish(&mut self, line: u32, out: &mut VecDeque<Out>) {
        self.former.retain(|open| !open.waiting.is_empty());
        if let Some(open) = self.current.take().filter(|open| !open.given_up) {
            let stream = open.stream;
            out.push_back(Out::Finish { line, stream });
            self.former.push_back(open);
        }
        while self.former.len() > FORMER {
            if let Some(mut oldest) = self.former.pop_front() {
                oldest.give_up(line, out);
            }
        }
    }

    /// The network took the oldest piece that waited on this stream.
    pub(super) fn wrote(&mut self, stream: u32) {
        if let Some(open) = self.open(stream) {
            open.waiting.pop_front();
        }
    }

    /// The relay does not take this stream any more.
    pub(super) fn stopped(&mut self, stream: u32) {
        if let Some(open) = self.open(stream) {
            (open.given_up, open.waiting) = (true, VecDeque::new());
        }
    }

    /// Whether the network has still to take something.
    pub(super) fn has_unwritten(&self) -> bool {
        let all = self.former.iter().chain(&self.current);
        all.into_iter().any(|open| !open.waiting.is_empty())
    }

    fn open(&mut self, stream: u32) -> Option<&mut Open> {
        let all = self.former.iter_mut().chain(&mut self.current);
        all.into_iter().find(|open| open.stream == stream)
    }
}

impl Open {
    fn write(&mut self, now: Duration, line: u32, bytes: Bytes, out: &mut VecDeque<Out>) {
        self.waiting.push_back(now);
        out.push_back(Out::Write {
            line,
            stream: self.stream,
            bytes: Blob(bytes),
        });
    }

    fn give_up(&mut self, line: u32, out: &mut VecDeque<Out>) {
        (self.given_up, self.waiting) = (true, VecDeque::new());
        let stream = self.stream;
        out.push_back(Out::Reset { line, stream });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Track {
        lane: Lane,
        stream: u32,
        out: VecDeque<Out>,
    }

    impl Track {
        fn new() -> Self {
            Self {
                lane: Lane::default(),
                stream: 0,
                out: VecDeque::new(),
            }
        }

        fn push(&mut self, seconds: u64, group: u32, first: bool) -> Pushed {
            let (header, frame) = (Bytes::from_static(b"h"), Bytes::from_static(b"f"));
            let now = Duration::from_secs(seconds);
            let place = (7, &mut self.stream);
            let group = (GroupNumber(group), first);
            self.lane
                .push(now, place, group, &header, frame, &mut self.out)
        }

        fn kinds(&mut self) -> String {
            let kinds = self.out.drain(..).map(|out| match out {
                Out::Open { stream, .. } => format!("o{stream}"),
                Out::Write { stream, .. } => format!("w{stream}"),
                Out::Finish { stream, .. } => format!("f{stream}"),
                Out::Reset { stream, .. } => format!("r{stream}"),
                _ => "?".into(),
            });
            kinds.collect::<Vec<_>>().join(" ")
        }
    }

    #[test]
    fn a_group_is_a_stream_and_one_that_did_not_begin_here_is_left_out() {
        let mut track = Track::new();
        assert_eq!(track.push(0, 1, false), Pushed::LeftOut);
        assert_eq!(track.push(0, 2, true), Pushed::Queued);
        assert_eq!(track.push(0, 2, false), Pushed::Queued);
        assert_eq!(track.push(0, 3, true), Pushed::Queued);
        assert_eq!(track.kinds(), "o1 w1 w1 w1 f1 o2 w2 w2");
    }

    #[test]
    fn what_the_network_does_not_take_is_given_up_to_the_next_key_frame() {
        let mut track = Track::new();
        assert_eq!(track.push(0, 1, true), Pushed::Queued);
        assert_eq!(track.push(3, 1, false), Pushed::Queued);
        assert_eq!(track.push(4, 1, false), Pushed::GivenUp);
        assert_eq!(track.push(4, 1, false), Pushed::LeftOut);
        assert_eq!(track.kinds(), "o1 w1 w1 w1 r1");
        assert_eq!(track.push(5, 2, true), Pushed::Queued);
        assert_eq!(track.kinds(), "o2 w2 w2", "it is not ended twice");
    }

    #[test]
    fn what_was_taken_is_not_waited_for_and_no_more_than_one_former_group() {
        let mut track = Track::new();
        track.push(0, 1, true);
        track.lane.wrote(1);
        track.lane.wrote(1);
        assert!(!track.lane.has_unwritten());
        assert_eq!(track.push(9, 1, false), Pushed::Queued);
        track.push(9, 2, true);
        track.push(9, 3, true);
        assert_eq!(track.kinds(), "o1 w1 w1 w1 f1 o2 w2 w2 f2 r1 o3 w3 w3");
        track.lane.stopped(3);
        assert_eq!(track.push(9, 3, false), Pushed::LeftOut);
    }
}
