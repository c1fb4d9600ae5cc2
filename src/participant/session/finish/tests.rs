use super::*;
use crate::carrier::client::LostReason;
use crate::wire::CloseReason;

#[test]
fn a_network_that_is_slow_is_no_relay_that_is_gone() {
    let soon = SLOW / 2;
    assert!(at_the_end(Farewell::Delivered, [soon, SLOW], true).is_none());
    let slow = at_the_end(Farewell::CutShort, [soon, soon], true);
    assert!(matches!(slow, Some(JoinError::EndMissing { video: true })));
    let lost = Farewell::Lost(LostReason::TimedOut);
    for (farewell, after) in [(Farewell::CutShort, SLOW * 3), (lost, soon)] {
        let gone = at_the_end(farewell, [soon, after], true);
        let told = matches!(gone, Some(JoinError::Gone { seconds: 1 }));
        assert!(told, "{farewell:?}");
    }
}

#[test]
fn what_the_relay_says_last_is_told_when_it_is_final() {
    let end = |reason| {
        let farewell = Farewell::Lost(LostReason::Closed(reason));
        at_the_end(farewell, [Duration::ZERO; 2], false)
    };
    let told = end(CloseReason::TooLarge);
    assert!(matches!(
        told,
        Some(JoinError::Closed(CloseReason::TooLarge))
    ));
    let gone = end(CloseReason::Restarting);
    assert!(matches!(gone, Some(JoinError::Gone { .. })));
}
