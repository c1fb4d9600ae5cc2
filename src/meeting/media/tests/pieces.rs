//! A sender who cuts what must not be cut, so that receivers keep it.

use super::super::schedule::SenderSecret;
use super::super::seal::{Again, Padding, Sealer};
use super::*;

/// Seals one piece of two, of so many bytes.
fn half(number: u64, size: usize) -> Bytes {
    let secret = SenderSecret::new(&base(1), 1, LEAF, SALT);
    let mut sealer = Sealer::new(&secret.track(PICTURE)).unwrap();
    let bytes = Bytes::from(vec![7; size]);
    for _ in 0..number {
        let one = frame(PICTURE, 0, b"");
        sealer.seal(&one, 0, 1, &Bytes::new(), Padding::None, Again::default());
    }
    let again = Again::default();
    let sealed = sealer.seal(
        &frame(PICTURE, number, b""),
        0,
        2,
        &bytes,
        Padding::None,
        again,
    );
    sealed.unwrap()
}

#[test]
fn nothing_large_is_kept_to_wait_for_its_other_pieces() {
    let mut receiver = receiver(1);
    let mut open = |sealed: &Bytes| receiver.open(at(0), PICTURE, GroupNumber(7), sealed);
    let large = half(0, 4_000_000);
    assert!(open(&large) == Err(Rejection::TooLarge));
    assert!(open(&half(1, 1000)) == Err(Rejection::TooLarge));
    assert!(open(&half(2, 900)) == Ok(Opened::Piece));
}
