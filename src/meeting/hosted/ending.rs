//! The end of a meeting for everybody, by the chair's word: whoever hears it leaves, with no word of its own.

use std::time::Duration;

use super::core::Core;
use super::inside::Inside;
use super::plain::Said;
use crate::meeting::events::{Rejection, StayId};
use crate::meeting::vigil::Says;

/// How long the chair stays after it. A relay has passed it on by then, and who was just coming back, or
/// lacked a commit to read it by, has heard it. Longer would leave somebody alone with an ended meeting.
const STAYS: Duration = Duration::from_secs(3);

/// How often it is said until then.
const EACH: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Ends {
    at: Duration,
    /// When the chair says so next; nobody else does.
    says_at: Option<Duration>,
}

impl Ends {
    pub(super) fn deadline(&self) -> Duration {
        self.says_at.map_or(self.at, |says_at| says_at.min(self.at))
    }
}

impl Inside {
    /// The chair ends it: says so, and admits nobody.
    pub(super) fn end_for_all(&mut self, core: &mut Core) {
        // Nobody would hear it.
        if self.home().is_none() {
            return core.reject(Rejection::NotAllowed);
        }
        self.ends = Some(Ends {
            at: core.now + STAYS,
            says_at: Some(core.now),
        });
        if let Some(ruling) = &mut self.ruling {
            ruling.close(core);
        }
    }

    /// The chair has ended it.
    pub(super) fn end_now(&mut self, now: Duration) {
        self.ends = Some(Ends {
            at: now,
            says_at: None,
        });
    }

    /// Says that it ends where that is due. Whether it is over here.
    pub(super) fn is_ended(&mut self, core: &mut Core) -> bool {
        let Some(ends) = &mut self.ends else {
            return false;
        };
        if core.now >= ends.at {
            return true;
        }
        if ends.says_at.is_some_and(|at| core.now >= at) {
            ends.says_at = Some(core.now + EACH);
            let homes: Vec<StayId> = self.homes.iter().map(|home| home.stay).collect();
            for home in homes {
                self.say_to(home, &Said::End, core);
            }
            self.tell_viewers(Says::End, core);
        }
        false
    }
}
