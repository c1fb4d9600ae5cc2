//! Type, length, value: HTTP/3's frames (RFC 9114, section 7.1) and capsules (RFC 9297, section 3.2)
//! are written alike.

use bytes::Bytes;

use super::head::Head;

/// Takes a sequence of records apart, however it is cut. It holds none of their values.
#[derive(Default)]
pub(super) struct Records {
    head: Head,
    /// What the record that is begun lacks.
    lacks: Option<u64>,
}

/// A part of a record.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Part {
    Begins { kind: u64, length: u64 },
    Value(Bytes),
    Ends,
}

impl Records {
    /// The first record's type has been taken already.
    pub(super) fn begun(head: Head) -> Self {
        Self { head, lacks: None }
    }

    /// The next part of what is in `bytes`.
    pub(super) fn next(&mut self, bytes: &mut Bytes) -> Option<Part> {
        match self.lacks {
            None => {
                let [kind, length] = self.head.both(bytes)?;
                self.lacks = Some(length);
                Some(Part::Begins { kind, length })
            }
            Some(0) => {
                self.lacks = None;
                Some(Part::Ends)
            }
            Some(_) if bytes.is_empty() => None,
            Some(lacks) => {
                let length = usize::try_from(lacks).map_or(bytes.len(), |n| n.min(bytes.len()));
                self.lacks = Some(lacks - length as u64);
                Some(Part::Value(bytes.split_to(length)))
            }
        }
    }

    /// Whether the sequence may end here.
    pub(super) fn is_whole(&self) -> bool {
        self.lacks.is_none() && !self.head.is_begun()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All parts, with values put together.
    fn parts(records: &mut Records, pieces: &[&[u8]]) -> Vec<Part> {
        let mut all: Vec<Part> = Vec::new();
        for piece in pieces {
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(part) = records.next(&mut piece) {
                match (part, all.last_mut()) {
                    (Part::Value(more), Some(Part::Value(value))) => {
                        *value = [&value[..], &more].concat().into();
                    }
                    (part, _) => all.push(part),
                }
            }
            assert!(piece.is_empty());
        }
        all
    }

    #[test]
    fn records_come_out_however_they_are_cut() {
        // A type of four bytes, a length of two; an empty one; one of a single byte.
        let bytes = [
            &[0x80, 0x0f, 0x07, 0x00, 0x40, 0x03, b'a', b'b', b'c'][..],
            &[0x21, 0x00],
            &[0x00, 0x01, b'd'],
        ]
        .concat();
        let expected = || {
            vec![
                Part::Begins {
                    kind: 0xf_0700,
                    length: 3,
                },
                Part::Value(Bytes::from_static(b"abc")),
                Part::Ends,
                Part::Begins {
                    kind: 0x21,
                    length: 0,
                },
                Part::Ends,
                Part::Begins { kind: 0, length: 1 },
                Part::Value(Bytes::from_static(b"d")),
                Part::Ends,
            ]
        };
        for one in 0..=bytes.len() {
            for two in one..=bytes.len() {
                let pieces = [&bytes[..one], &bytes[one..two], &bytes[two..]];
                let mut records = Records::default();
                assert_eq!(parts(&mut records, &pieces), expected());
                assert!(records.is_whole());
            }
        }
    }

    #[test]
    fn what_is_cut_off_is_not_whole() {
        let bytes = [0x40, 0x41, 0x02, b'a', b'b'];
        for cut in 1..bytes.len() {
            let mut records = Records::default();
            parts(&mut records, &[&bytes[..cut]]);
            assert!(!records.is_whole(), "{cut}");
        }
    }

    #[test]
    fn a_record_may_say_that_it_is_huge() {
        let mut records = Records::default();
        let huge = [&[0x00][..], &[0xff; 8], b"abc"].concat();
        let length = (1 << 62) - 1;
        assert_eq!(
            parts(&mut records, &[&huge]),
            [
                Part::Begins { kind: 0, length },
                Part::Value(Bytes::from_static(b"abc"))
            ]
        );
    }
}
