//! What both sides say of themselves first (RFC 9114, section 7.2.4).

use super::code::Code;
use super::fields::LARGEST;
use super::head::{numbers, put};

/// The type of HTTP/3's control stream.
const CONTROL: u64 = 0x00;

/// The type of a SETTINGS frame.
pub(super) const SETTINGS: u64 = 0x04;

const H3_DATAGRAM: u64 = 0x33;

/// What we say. Browsers know WebTransport under several names, by the draft that they follow: these
/// are what Chromium and Firefox look for.
const OURS: [(u64, u64); 9] = [
    // No table that fields refer to, so that every request says all by itself (RFC 9204, section 5).
    (0x01, 0),
    (0x07, 0),
    (0x06, LARGEST),
    // Extended CONNECT (RFC 9220, section 5).
    (0x08, 1),
    // Datagrams (RFC 9297, section 2.1.1), and the name that they had in its draft 4.
    (H3_DATAGRAM, 1),
    (0xff_d277, 1),
    // WebTransport and the number of its sessions, in draft 2; and in draft 7, where the number alone
    // says both.
    (0x2b60_3742, 1),
    (0x2b60_3743, 1),
    (0xc671_706a, 1),
];

/// The first bytes of our control stream.
pub(super) fn opening() -> Vec<u8> {
    let mut pairs = Vec::new();
    for (name, value) in OURS {
        put(&mut pairs, name);
        put(&mut pairs, value);
    }
    let mut bytes = Vec::new();
    put(&mut bytes, CONTROL);
    put(&mut bytes, SETTINGS);
    put(&mut bytes, pairs.len() as u64);
    bytes.extend(pairs);
    bytes
}

/// Looks whether what the peer says of itself is well-formed. Nothing of it is kept: whoever asks for
/// a session can have one.
pub(super) fn check(mut frame: &[u8]) -> Result<(), Code> {
    while !frame.is_empty() {
        let [name, value] = numbers(&mut frame).ok_or(Code::FRAME)?;
        match name {
            // HTTP/2's (RFC 9114, section 7.2.4.1).
            0x00 | 0x02..=0x05 => return Err(Code::SETTINGS),
            H3_DATAGRAM if value > 1 => return Err(Code::SETTINGS),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_well_formed_and_end_where_they_say() {
        let bytes = opening();
        let mut rest = &bytes[..];
        assert_eq!(numbers(&mut rest), Some([CONTROL, SETTINGS]));
        assert_eq!(numbers(&mut rest), Some([(bytes.len() - 3) as u64]));
        assert_eq!(check(rest), Ok(()));
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        assert_eq!(check(&[]), Ok(()));
        // Greasing: 0x21 + 0x1f * N, of any value.
        assert_eq!(check(&[0x40, 0x40, 0xff, 1, 2, 3, 4, 5, 6, 7]), Ok(()));
        assert_eq!(check(&[0x33, 0x02]), Err(Code::SETTINGS));
        assert_eq!(check(&[0x02, 0x00]), Err(Code::SETTINGS));
        assert_eq!(check(&[0x33]), Err(Code::FRAME));
        assert_eq!(check(&[0x33, 0x40]), Err(Code::FRAME));
    }
}
