use super::*;

const STEP: Duration = Duration::from_millis(20);

fn receive(tally: &mut Received, start: Instant, numbers: &[u64]) {
    for number in numbers {
        let at = STEP * u32::try_from(*number).unwrap();
        tally.frame(start + at, *number, at, &number.to_be_bytes());
    }
}

#[test]
fn losses_are_gaps_after_the_first_frame_that_came() {
    let mut tally = Received::new();
    receive(&mut tally, Instant::now(), &[100, 101, 104, 103, 110]);
    assert_eq!((tally.frames, tally.expected(), tally.lost()), (5, 11, 6));
    tally.ended(115);
    assert_eq!((tally.expected(), tally.lost()), (15, 10));
    tally.ended(3);
    assert_eq!(tally.lost(), 10, "a smaller number takes nothing back");
}

#[test]
fn one_who_heard_nothing_was_owed_nothing() {
    let mut tally = Received::new();
    tally.ended(500);
    assert_eq!((tally.expected(), tally.lost()), (0, 0));
    assert_eq!(tally.lateness(0.5), None);
}

#[test]
fn the_sum_ignores_order_and_nothing_else() {
    let now = Instant::now();
    let (mut sent, mut received) = (Sent::new(), Received::new());
    for number in 0..50_u64 {
        sent.sent(now, number, &number.to_be_bytes());
    }
    let mut order: Vec<u64> = (0..50).collect();
    order.reverse();
    order.swap(3, 30);
    receive(&mut received, Instant::now(), &order);
    assert!(sent.sum == received.sum);
    assert_eq!(sent.bytes, received.bytes);

    let mut other = Sent::new();
    for number in 0..50_u64 {
        let payload = if number == 20 { 21 } else { number };
        other.sent(now, number, &payload.to_be_bytes());
    }
    assert!(other.sum != received.sum, "a changed payload shows");
    let mut exchanged = Sent::new();
    for number in 0..50_u64 {
        exchanged.sent(now, number ^ 1, &number.to_be_bytes());
    }
    assert!(exchanged.sum != received.sum, "a changed number shows");
}

#[test]
fn a_sum_carries() {
    let mut sum = FrameSum([0xff; 32]);
    let mut one = [0; 32];
    one[0] = 1;
    sum.add(&one);
    assert!(sum == FrameSum::new());
}

#[test]
fn what_a_sum_takes_on_it_can_give_back() {
    let mut sum = FrameSum::new();
    let frames: Vec<_> = (0..50).map(|number| frame_digest(number, b"x")).collect();
    frames.iter().for_each(|frame| sum.add(frame));
    frames.iter().for_each(|frame| sum.remove(frame));
    assert!(sum == FrameSum::new());
}

#[test]
fn what_went_to_a_relay_that_was_gone_did_not_go_out() {
    let start = Instant::now();
    let (mut sent, mut known) = (Sent::new(), Sent::new());
    for number in 0..50_u32 {
        let (at, number) = (start + STEP * number, u64::from(number));
        sent.sent(at, number, &number.to_be_bytes());
        if number <= 30 {
            known.sent(at, number, &number.to_be_bytes());
        }
    }
    sent.answered(start + STEP * 30);
    sent.answered(start + STEP * 20);
    sent.gone();
    assert_eq!((sent.frames, sent.unsent), (31, 19));
    assert_eq!(sent.bytes, known.bytes);
    assert!(sent.sum == known.sum);
    sent.gone();
    assert_eq!((sent.frames, sent.unsent), (31, 19), "once");
}

#[test]
fn what_is_unanswered_is_bounded() {
    let now = Instant::now();
    let mut sent = Sent::new();
    for number in 0..3 * UNANSWERED as u64 {
        sent.sent(now, number, b"x");
    }
    assert_eq!(sent.unanswered.len(), UNANSWERED);
    sent.gone();
    assert_eq!((sent.frames, sent.unsent), (8192, 4096));
}

#[test]
fn lateness_is_counted_from_the_most_punctual_frame() {
    let start = Instant::now();
    let mut tally = Received::new();
    for number in 0..100_u32 {
        let stamp = STEP * number;
        // The first frame is 10 ms late, one in ten is 50 ms late, the others are punctual.
        let late = match number {
            0 => 10,
            number if number % 10 == 5 => 50,
            _ => 0,
        };
        let at = start + stamp + Duration::from_millis(late);
        tally.frame(at, u64::from(number), stamp, b"x");
    }
    assert_eq!(tally.lateness(0.5), Some(Duration::ZERO));
    assert_eq!(tally.lateness(0.99), Some(Duration::from_millis(50)));
}

#[test]
fn wild_timestamps_break_nothing() {
    let start = Instant::now();
    let mut tally = Received::new();
    tally.frame(start, u64::MAX, Duration::from_nanos(u64::MAX), b"x");
    tally.frame(start, 0, Duration::ZERO, b"x");
    tally.frame(start, 7, Duration::from_nanos(u64::MAX), b"x");
    assert!(tally.lateness(1.0).is_some());
    assert!(tally.lost() > 0);
}

#[test]
fn the_rate_is_that_of_the_last_two_seconds() {
    let start = Instant::now();
    let mut tally = Received::new();
    for number in 0..500_u32 {
        tally.frame(
            start + STEP * number,
            u64::from(number),
            STEP * number,
            &[0; 60],
        );
    }
    assert_eq!(tally.bits_per_second(start + STEP * 499), 24_000);
    assert_eq!(
        tally.bits_per_second(start + STEP * 499 + Rate::WINDOW / 2),
        12_000
    );
    assert_eq!(tally.bits_per_second(start + Duration::from_secs(60)), 0);
    for _ in 0..10_000 {
        tally.frame(start + Duration::from_secs(61), 1, Duration::ZERO, &[0; 60]);
    }
    assert!(tally.rate.recent.len() <= Rate::KEPT);
    assert_eq!(
        tally.bits_per_second(start + Duration::from_secs(61)),
        10_000 * 60 * 8 / 2
    );
}
