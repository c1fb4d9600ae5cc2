//! Whoever takes part in a test's world: in the meeting, or watching a vigil.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::meeting::events::{Input, Output, Surface};
use crate::meeting::hosted::Meeting;
use crate::meeting::vigil::Viewer;

pub(crate) enum Part {
    Speaks(Box<Meeting>),
    Watches(Box<Viewer>),
}

impl Part {
    fn surface(&mut self) -> &mut dyn Surface {
        match self {
            Self::Speaks(meeting) => &mut **meeting,
            Self::Watches(viewer) => &mut **viewer,
        }
    }
}

/// Tests of meetings look inside: who does so knows that it is one.
impl Deref for Part {
    type Target = Meeting;

    fn deref(&self) -> &Meeting {
        match self {
            Self::Speaks(meeting) => meeting,
            Self::Watches(_) => panic!("who watches is in no group"),
        }
    }
}

impl DerefMut for Part {
    fn deref_mut(&mut self) -> &mut Meeting {
        match self {
            Self::Speaks(meeting) => meeting,
            Self::Watches(_) => panic!("who watches is in no group"),
        }
    }
}

impl Surface for Part {
    fn handle(&mut self, now: Duration, input: Input) {
        self.surface().handle(now, input);
    }

    fn poll(&mut self) -> Option<Output> {
        self.surface().poll()
    }

    fn deadline(&self) -> Option<Duration> {
        match self {
            Self::Speaks(meeting) => meeting.deadline(),
            Self::Watches(viewer) => viewer.deadline(),
        }
    }
}
