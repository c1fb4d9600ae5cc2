//! What a request asks for, and what it is answered: field sections (RFC 9204, section 4.5).
//!
//! Three things are looked for: the method CONNECT, the field `:protocol`, and the names of
//! WebTransport. A Huffman code (RFC 7541, appendix B) writes a word in one way alone, so that words
//! are compared as they came; what else a browser says of itself and of its page is skipped by its
//! length.

use super::code::Code;

/// The largest field section that is looked at, in bytes. A browser's request for a session has some
/// five hundred.
pub(super) const LARGEST: u64 = 4096;

/// The answer to a request for a session: HEADERS with `:status: 200`, and the name of the draft that
/// clients of its draft 2 want to see.
pub(super) const ACCEPTED: &[u8] =
    b"\x01\x29\x00\x00\xd9\x27\x15sec-webtransport-http3-draft\x07draft02";

/// A session cannot be had now: `:status: 503`, `content-length: 0`.
pub(super) const UNAVAILABLE: &[u8] = b"\x01\x04\x00\x00\xdc\xc4";

/// Nothing is here: `:status: 404`, `content-length: 0`.
pub(super) const NOT_FOUND: &[u8] = b"\x01\x04\x00\x00\xdb\xc4";

/// The fields of a request are too large: `:status: 431`, `content-length: 0`.
pub(super) const TOO_LARGE: &[u8] = b"\x01\x09\x00\x00\x5f\x09\x03431\xc4";

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asks {
    Session,
    Something,
}

/// A word that is looked for, and the same in the Huffman code.
struct Word {
    plain: &'static [u8],
    coded: &'static [u8],
}

const METHOD: Word = Word {
    plain: b":method",
    coded: b"\xb9\x49\x53\x39\xe4",
};
const CONNECT: Word = Word {
    plain: b"CONNECT",
    coded: b"\xbd\xab\x4e\x9c\x17\xb7\xff",
};
const PROTOCOL: Word = Word {
    plain: b":protocol",
    coded: b"\xb9\x5d\x87\x49\xc8\x7a\x3f",
};
/// As the drafts up to 14 call it.
const WEBTRANSPORT: Word = Word {
    plain: b"webtransport",
    coded: b"\xf0\x58\xd3\x60\xea\x45\x67\xb1\x3f",
};
/// As later ones do.
const WEBTRANSPORT_H3: Word = Word {
    plain: b"webtransport-h3",
    coded: b"\xf0\x58\xd3\x60\xea\x45\x67\xb1\x2b\x4e\xcf",
};

/// The entries of the static table (RFC 9204, appendix A) that are methods; the first is CONNECT.
const METHODS: std::ops::RangeInclusive<usize> = 15..=21;
const STATIC_ENTRIES: usize = 99;

/// A string as it came.
#[derive(Clone, Copy)]
struct Text<'a> {
    is_coded: bool,
    bytes: &'a [u8],
}

impl Text<'_> {
    fn is(self, word: &Word) -> bool {
        match self.is_coded {
            true => self.bytes == word.coded,
            false => self.bytes == word.plain,
        }
    }
}

/// What the fields of a request ask for.
///
/// # Errors
/// What the connection ends with (a table is referred to that is not there), or the request does.
pub(super) fn asks(section: &[u8]) -> Result<Asks, Code> {
    let mut rest = Reader(section);
    // How many entries of a table of the peer's making are needed, and from where they are counted.
    if rest.prefixed(8)? != 0 {
        return Err(Code::DECOMPRESSION_FAILED);
    }
    rest.prefixed(7)?;
    let (mut method, mut protocol) = (None, None);
    while let Some(first) = rest.peek() {
        let (name, value) = rest.line(first)?;
        let found = match (name, value) {
            (Name::Entry(entry), value) if METHODS.contains(&entry) => {
                let is = value.map_or(entry == *METHODS.start(), |value| value.is(&CONNECT));
                method.replace(is)
            }
            (Name::Text(name), Some(value)) if name.is(&METHOD) => {
                method.replace(value.is(&CONNECT))
            }
            (Name::Text(name), Some(value)) if name.is(&PROTOCOL) => {
                protocol.replace(value.is(&WEBTRANSPORT) || value.is(&WEBTRANSPORT_H3))
            }
            _ => None,
        };
        if found.is_some() {
            return Err(Code::MESSAGE);
        }
    }
    match (method, protocol) {
        (Some(true), Some(true)) => Ok(Asks::Session),
        (Some(_), _) => Ok(Asks::Something),
        (None, _) => Err(Code::MESSAGE),
    }
}

/// What names a field.
enum Name<'a> {
    /// An entry of the static table, which may have a value too.
    Entry(usize),
    Text(Text<'a>),
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// One field: its name, and its value unless the static table has it.
    fn line(&mut self, first: u8) -> Result<(Name<'a>, Option<Text<'a>>), Code> {
        // Others refer to a table of the peer's making.
        const INDEXED: u8 = 0b1100_0000;
        const NAME_INDEXED: u8 = 0b0101_0000;
        const LITERAL: u8 = 0b0010_0000;
        if first & INDEXED == INDEXED {
            return Ok((Name::Entry(self.entry(6)?), None));
        }
        let name = if first & 0b1101_0000 == NAME_INDEXED {
            Name::Entry(self.entry(4)?)
        } else if first & 0b1110_0000 == LITERAL {
            Name::Text(self.text(3)?)
        } else {
            return Err(Code::DECOMPRESSION_FAILED);
        };
        Ok((name, Some(self.text(7)?)))
    }

    fn entry(&mut self, bits: u32) -> Result<usize, Code> {
        let entry = self.prefixed(bits)?;
        match entry < STATIC_ENTRIES {
            true => Ok(entry),
            false => Err(Code::DECOMPRESSION_FAILED),
        }
    }

    /// A string whose length has so many bits of the first byte, and the bit before them says whether
    /// it is coded.
    fn text(&mut self, bits: u32) -> Result<Text<'a>, Code> {
        let first = self.peek().ok_or(Code::DECOMPRESSION_FAILED)?;
        let length = self.prefixed(bits)?;
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(Code::DECOMPRESSION_FAILED)?;
        self.0 = rest;
        Ok(Text {
            is_coded: u32::from(first) & 1 << bits != 0,
            bytes,
        })
    }

    /// An integer that begins with so many bits of the first byte (RFC 7541, section 5.1). What has
    /// more than two bytes after it is larger than a field section can be.
    fn prefixed(&mut self, bits: u32) -> Result<usize, Code> {
        let mask = u8::MAX >> (8 - bits);
        let mut number = usize::from(self.byte()? & mask);
        if number < usize::from(mask) {
            return Ok(number);
        }
        for shift in [0, 7] {
            let byte = self.byte()?;
            number += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Code::DECOMPRESSION_FAILED)
    }

    fn byte(&mut self) -> Result<u8, Code> {
        let (&byte, rest) = self.0.split_first().ok_or(Code::DECOMPRESSION_FAILED)?;
        self.0 = rest;
        Ok(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes of the letters in our words and how many bits each has (RFC 7541, appendix B).
    const LETTERS: [(u8, u32, u32); 23] = [
        (b'-', 0x16, 6),
        (b'3', 0x19, 6),
        (b':', 0x5c, 7),
        (b'C', 0x5e, 7),
        (b'E', 0x60, 7),
        (b'N', 0x69, 7),
        (b'O', 0x6a, 7),
        (b'T', 0x6f, 7),
        (b'a', 0x03, 5),
        (b'b', 0x23, 6),
        (b'c', 0x04, 5),
        (b'd', 0x24, 6),
        (b'e', 0x05, 5),
        (b'h', 0x27, 6),
        (b'l', 0x28, 6),
        (b'm', 0x29, 6),
        (b'n', 0x2a, 6),
        (b'o', 0x07, 5),
        (b'p', 0x2b, 6),
        (b'r', 0x2c, 6),
        (b's', 0x08, 5),
        (b't', 0x09, 5),
        (b'w', 0x78, 7),
    ];

    #[test]
    fn words_are_coded_as_in_the_table() {
        for word in [METHOD, CONNECT, PROTOCOL, WEBTRANSPORT, WEBTRANSPORT_H3] {
            let mut bits = String::new();
            for letter in word.plain {
                let (_, code, length) = LETTERS.iter().find(|entry| entry.0 == *letter).unwrap();
                bits += &format!("{code:0length$b}", length = *length as usize);
            }
            // The rest of the last byte is ones.
            bits += &"1".repeat(bits.len().next_multiple_of(8) - bits.len());
            let bytes = bits.as_bytes().chunks(8);
            let bytes: Vec<u8> = bytes
                .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
                .collect();
            assert_eq!(bytes, word.coded);
        }
    }

    fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
        let length = |bits: u8, first: u8, length: usize| match length < usize::from(bits) {
            true => vec![first | length as u8],
            false => vec![first | bits, (length - usize::from(bits)) as u8],
        };
        [
            length(0x07, 0x20, name.len()),
            name.to_vec(),
            length(0x7f, 0, value.len()),
            value.to_vec(),
        ]
        .concat()
    }

    fn section(lines: &[&[u8]]) -> Vec<u8> {
        [&[&[0, 0][..]], lines].concat().concat()
    }

    #[test]
    fn the_example_of_the_rfc_is_a_request_without_a_method() {
        // RFC 9204, appendix B.1: `:path` with a value of its own.
        let example = b"\x00\x00\x51\x0b/index.html";
        assert_eq!(asks(example), Err(Code::MESSAGE));
        let get = [example, &b"\xd1"[..]].concat();
        assert_eq!(asks(&get), Ok(Asks::Something));
    }

    #[test]
    fn a_session_is_asked_for_in_every_spelling() {
        let connect = [
            b"\xcf".to_vec(),
            [b"\x5f\x00\x07", CONNECT.plain].concat(),
            [b"\x5f\x00\x87", CONNECT.coded].concat(),
            literal(METHOD.plain, CONNECT.plain),
            [b"\x2d", METHOD.coded, b"\x87", CONNECT.coded].concat(),
        ];
        let protocol = [
            literal(PROTOCOL.plain, WEBTRANSPORT.plain),
            literal(PROTOCOL.plain, WEBTRANSPORT_H3.plain),
            [b"\x2f\x00", PROTOCOL.coded, b"\x89", WEBTRANSPORT.coded].concat(),
            [b"\x3f\x00", PROTOCOL.coded, b"\x8b", WEBTRANSPORT_H3.coded].concat(),
        ];
        let path = literal(b":path", &[b'/'; 200]);
        for connect in &connect {
            for protocol in &protocol {
                let lines = section(&[connect, &path, protocol, b"\xd7"]);
                assert_eq!(asks(&lines), Ok(Asks::Session), "{lines:x?}");
                let lines = section(&[protocol, connect]);
                assert_eq!(asks(&lines), Ok(Asks::Session));
            }
        }
    }

    #[test]
    fn everything_else_is_some_request() {
        let sockets = literal(PROTOCOL.plain, b"websocket");
        let protocol = literal(PROTOCOL.plain, WEBTRANSPORT.plain);
        for lines in [
            section(&[b"\xd1"]),
            section(&[b"\xcf"]),
            section(&[b"\xcf", &sockets]),
            section(&[b"\xd1", &protocol]),
            section(&[&literal(b":method", b"BREW")]),
            section(&[b"\x5f\x04\x04HEAD"]),
        ] {
            assert_eq!(asks(&lines), Ok(Asks::Something), "{lines:x?}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let protocol = literal(PROTOCOL.plain, WEBTRANSPORT.plain);
        for lines in [
            section(&[]),
            section(&[&protocol]),
            section(&[b"\xcf", b"\xd1"]),
            section(&[b"\xcf", &protocol, &protocol]),
        ] {
            assert_eq!(asks(&lines), Err(Code::MESSAGE), "{lines:x?}");
        }
        for lines in [
            &b""[..],
            b"\x00",
            // Entries of a table are needed.
            b"\x01\x00\xcf",
            b"\x02\x00\xd1\x10",
            // Dynamic, post-base, and past the end of the static table.
            b"\x00\x00\x80",
            b"\x00\x00\x10",
            b"\x00\x00\x00\x01a",
            b"\x00\x00\x41\x01a",
            b"\x00\x00\xff\x24",
            // Cut off, and a length that has no end.
            b"\x00\x00\x51\x0b/index",
            b"\x00\x00\x51\x7f\xff\xff\xff\x00",
            b"\x00\x00\x2f",
        ] {
            assert_eq!(asks(lines), Err(Code::DECOMPRESSION_FAILED), "{lines:x?}");
        }
    }

    #[test]
    fn answers_are_frames_that_end_where_they_say() {
        for answer in [ACCEPTED, UNAVAILABLE, NOT_FOUND, TOO_LARGE] {
            assert_eq!(answer[0], 1, "HEADERS");
            assert_eq!(usize::from(answer[1]), answer.len() - 2);
            // They have no method, and nothing else is wrong with them.
            assert_eq!(asks(&answer[2..]), Err(Code::MESSAGE));
        }
    }
}
