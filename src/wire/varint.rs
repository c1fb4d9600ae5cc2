//! Lengths in one or two bytes: the two shortest forms of QUIC's integers (RFC 9000, section 16).

/// The largest number that two bytes hold.
pub(crate) const MAX: usize = (1 << 14) - 1;

/// How many bytes `number` takes; it must be at most [`MAX`].
pub(crate) const fn len(number: usize) -> usize {
    if number < 64 { 1 } else { 2 }
}

/// Appends `number`, which must be at most [`MAX`].
pub(crate) fn put(into: &mut Vec<u8>, number: usize) {
    debug_assert!(number <= MAX);
    if number < 64 {
        into.push(number as u8);
    } else {
        into.extend_from_slice(&(number as u16 | 0x4000).to_be_bytes());
    }
}

/// Reads a number: it and the bytes that it took; `None` when the bytes end too early or the form
/// is a longer one.
pub(crate) fn get(bytes: &[u8]) -> Option<(usize, usize)> {
    let first = *bytes.first()?;
    match first >> 6 {
        0 => Some((usize::from(first), 1)),
        1 => {
            let second = *bytes.get(1)?;
            Some((usize::from(first & 0x3f) << 8 | usize::from(second), 2))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        for number in 0..=MAX {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            assert_eq!(bytes.len(), len(number));
            assert_eq!(get(&bytes), Some((number, bytes.len())));
            assert_eq!(get(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(get(&[0x80, 0, 0, 0]), None);
    }
}
