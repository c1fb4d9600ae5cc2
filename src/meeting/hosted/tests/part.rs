//! Whoever takes part in a test's world: in the meeting, or watching a vigil.

use std::time::Duration;

use super::Look;
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

    pub(crate) fn look(&self) -> Option<Look> {
        match self {
            Self::Speaks(meeting) => meeting.look(),
            Self::Watches(_) => None,
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
