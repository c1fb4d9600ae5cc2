//! While the chair is not heard nothing is sent; what is said then, and how it goes on.

use super::*;

impl Inside {
    /// The chair was not heard for too long: nothing more goes out. What did until now is signed for, since
    /// it would be dropped otherwise; of groups under way nothing is left to go to a room that is entered.
    pub(in crate::meeting::hosted) fn stop_sending(&mut self, core: &mut Core) {
        let tracks = core.presence.tracks.iter().map(|one| one.track);
        for track in tracks.collect::<Vec<_>>() {
            self.sign_all(track, core);
        }
        self.voice.paused();
        (self.stopped, self.resumes) = (true, false);
    }

    /// The chair is heard again. Who had stopped sends once its group is the chair's, and not before: the
    /// commit that was held back is still to come.
    pub(in crate::meeting::hosted) fn heard_again(&mut self, core: &mut Core) {
        self.resumes = true;
        self.resume(core);
    }

    pub(super) fn resume(&mut self, core: &mut Core) {
        let waits = self.stopped && self.chair.apart();
        if self.resumes && !waits {
            self.resumes = false;
            if std::mem::take(&mut self.stopped) {
                self.resumed = Some(core.now);
            }
            core.note(Notice::Chair(Freshness::Well));
        }
        // By then it is in the room where the others are.
        if !self.ended.is_empty() && !self.catches_up(core.now) {
            for (track, frames) in std::mem::take(&mut self.ended) {
                self.ended(track, frames, core);
            }
        }
    }

    pub(super) fn sign_all(&mut self, track: TrackId, core: &mut Core) {
        for attest in self.voice.attest(core.now, Some(track), &self.group) {
            self.publish_attest(attest, core);
        }
    }

    /// A track of this participant is over.
    pub(in crate::meeting::hosted) fn ended(
        &mut self,
        track: TrackId,
        frames: u64,
        core: &mut Core,
    ) {
        if self.stopped {
            return self.ended.push((track, frames));
        }
        self.sign_all(track, core);
        self.voice.ended(track);
        self.tell_viewers(Says::Ended { track, frames }, core);
        self.say(&Said::Ended { track, frames }, core);
    }
}
