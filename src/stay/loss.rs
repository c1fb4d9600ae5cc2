//! What a relay's last word means.

use crate::wire::CloseReason;

/// Why it makes sense to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It says that it stops, which it may do for good; or it was stopped, and is back.
    Restarting,
    /// It says that this participant does not take what is sent to it.
    TooSlow,
    /// It ended the connection, or it no longer knows of it.
    Ended,
}

/// What it means that a relay closed; `None`: coming back is of no use. `was_in`: this participant has
/// been in the meeting already.
pub fn closed(reason: CloseReason, was_in: bool) -> Option<Loss> {
    match reason {
        CloseReason::Restarting => Some(Loss::Restarting),
        CloseReason::TooSlow => Some(Loss::TooSlow),
        CloseReason::Done | CloseReason::NoHello | CloseReason::Internal => Some(Loss::Ended),
        // Its place may still be held by its own dead connection; and that there was too much of
        // something in a meeting that had gone well can be the doing of others, who come and go.
        CloseReason::RoomFull | CloseReason::RelayFull | CloseReason::TooMany if was_in => {
            Some(Loss::Ended)
        }
        CloseReason::RoomFull
        | CloseReason::RelayFull
        | CloseReason::Version
        | CloseReason::Malformed
        | CloseReason::Unexpected
        | CloseReason::TooLarge
        | CloseReason::TooMany
        | CloseReason::Pass => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_room_is_the_end_for_a_newcomer_only() {
        assert_eq!(closed(CloseReason::RoomFull, false), None);
        assert_eq!(closed(CloseReason::RoomFull, true), Some(Loss::Ended));
    }

    #[test]
    fn faults_of_ours_are_not_repeated() {
        for reason in CloseReason::ALL {
            let fault = matches!(
                reason,
                CloseReason::Version
                    | CloseReason::Malformed
                    | CloseReason::Unexpected
                    | CloseReason::TooLarge
                    | CloseReason::Pass
            );
            assert_eq!(closed(reason, true).is_none(), fault, "{reason:?}");
        }
    }
}
