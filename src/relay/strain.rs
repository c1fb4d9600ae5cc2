//! Tells a machine that is too small from one that stumbled once.

use super::rooms::Beat;

/// Beats that are looked at together: ten seconds of a busy shard.
const WINDOW: u16 = 500;

/// How many of them, in percent, must be late before the operator is told. Lower: a backup that
/// runs at night is reported as overload.
const TOO_MANY: u16 = 10;

/// Counts late beats.
#[derive(Default)]
pub(super) struct Strain {
    beats: u16,
    late: u16,
}

impl Strain {
    /// Counts a beat; at the end of a window that had too many late ones, how many it had in
    /// percent.
    pub(super) fn count(&mut self, beat: Beat) -> Option<u8> {
        match beat {
            Beat::NotYet => return None,
            Beat::InTime => {}
            Beat::Late => self.late += 1,
        }
        self.beats += 1;
        if self.beats < WINDOW {
            return None;
        }
        let percent = self.late * 100 / self.beats;
        *self = Self::default();
        (percent >= TOO_MANY).then(|| u8::try_from(percent).unwrap_or(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(late: u16) -> Vec<u8> {
        let mut strain = Strain::default();
        let beats = (0..WINDOW).map(|beat| {
            if beat < late {
                Beat::Late
            } else {
                Beat::InTime
            }
        });
        let all = beats
            .flat_map(|beat| [Beat::NotYet, beat])
            .chain([Beat::NotYet, Beat::Late]);
        all.filter_map(|beat| strain.count(beat)).collect()
    }

    #[test]
    fn one_stumble_is_not_told_and_a_tenth_of_all_beats_is() {
        assert!(told(0).is_empty());
        assert!(told(WINDOW / 10 - 1).is_empty());
        assert_eq!(told(WINDOW / 10), [10]);
        assert_eq!(told(WINDOW), [100]);
    }
}
