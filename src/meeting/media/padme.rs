//! Padmé padding (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication
//! with PURBs", PETS 2019, section 4): a length of L bytes tells O(log log L) bits, and grows by 12 %
//! at most.

/// The length to pad to.
pub(super) fn padme(length: usize) -> usize {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1usize << exponent.saturating_sub(kept)) - 1;
    length.checked_add(mask).map_or(length, |sum| sum & !mask)
}

#[cfg(test)]
mod tests {
    use super::padme;

    #[test]
    fn lengths_are_those_of_the_paper() {
        for (length, padded) in [
            (0, 0),
            (1, 1),
            (2, 2),
            (8, 8),
            (9, 10),
            (15, 16),
            (100, 104),
        ] {
            assert_eq!(padme(length), padded, "{length}");
        }
        assert_eq!(padme(1_000_000), 1_015_808);
        assert_eq!(padme(usize::MAX), usize::MAX);
    }

    #[test]
    fn it_costs_an_eighth_at_most_and_tells_few_sizes() {
        let mut sizes = std::collections::BTreeSet::new();
        for length in 1..200_000usize {
            let padded = padme(length);
            assert!(padded >= length && padded - length <= length * 12 / 100 + 1);
            assert_eq!(padme(padded), padded, "padding twice is padding once");
            sizes.insert(padded);
        }
        assert!(sizes.len() < 250, "{}", sizes.len());
    }
}
