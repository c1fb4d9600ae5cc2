//! What the canaries look like: every form in which a process could hold them.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};

use super::canary::{Kind, Whose, is_unmistakable};

/// How a canary is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Form {
    Text,
    Utf16,
    Packed,
    Reversed,
    /// With its port, as the kernel, the airlock or Rust's standard library holds it.
    WithPort,
    Hex,
    Base64,
    /// `[67, 97]`, as Rust prints bytes.
    Listed,
    /// `b"\xab"`, as Rust prints bytes that may be text.
    Escaped,
}

impl Form {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Utf16 => "UTF-16",
            Self::Packed => "packed",
            Self::Reversed => "packed, reversed",
            Self::WithPort => "socket address",
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Listed => "a list of numbers",
            Self::Escaped => "escaped bytes",
        }
    }

    /// As a relay holds what it must hold: not as text of any kind.
    pub(super) fn is_raw(self) -> bool {
        matches!(self, Self::Packed | Self::Reversed | Self::WithPort)
    }
}

/// Bytes to look for.
#[derive(Clone)]
pub(super) struct Needle {
    pub(super) kind: Kind,
    pub(super) whose: Whose,
    pub(super) form: Form,
    pub(super) bytes: Vec<u8>,
}

/// Patterns of so few bytes come about by chance.
const SHORT: usize = 5;

/// Letters that are looked for at least: four stand in any text by chance.
const LETTERS: usize = 5;

/// Bytes that an allocator writes over at the beginning of what was freed: two pointers, with glibc.
const OVERWRITTEN: usize = 16;

/// Bytes of an IPv6 address that are one customer's, a /56, and letters of its text.
const SITE: usize = 7;
const SITE_LETTERS: usize = 17;

impl Needle {
    pub(super) fn is_short(&self) -> bool {
        self.bytes.len() <= SHORT
    }
}

/// All needles of a drill, and how many canaries they are.
#[derive(Clone, Default)]
pub(super) struct Needles {
    all: Vec<Needle>,
    known: HashSet<Vec<u8>>,
    canaries: Vec<(Kind, Whose)>,
}

impl Needles {
    pub(super) fn all(&self) -> &[Needle] {
        &self.all
    }

    /// How many canaries of a kind there are.
    pub(super) fn canaries(&self, kind: Kind) -> usize {
        self.canaries
            .iter()
            .filter(|canary| canary.0 == kind)
            .count()
    }

    pub(super) fn has(&self, bytes: &[u8]) -> bool {
        self.known.contains(bytes)
    }

    /// Those of them by which an address is found where a program holds it to work with it.
    pub(super) fn packed_addresses(&self) -> Self {
        let packed = |needle: &&Needle| needle.kind == Kind::Address && needle.form.is_raw();
        Self {
            all: self.all.iter().filter(packed).cloned().collect(),
            ..Self::default()
        }
    }

    /// A text, such as a name.
    pub(super) fn text(&mut self, kind: Kind, whose: Whose, text: &str) {
        self.canaries.push((kind, whose));
        for piece in pieces(text.as_bytes()) {
            self.written(kind, whose, piece);
        }
    }

    /// Bytes, such as a room handle.
    pub(super) fn bytes(&mut self, kind: Kind, whose: Whose, bytes: &[u8]) {
        self.canaries.push((kind, whose));
        for piece in pieces(bytes) {
            self.packed(kind, whose, piece);
        }
    }

    /// An address with its port: the port is looked for where only that makes it unmistakable.
    pub(super) fn address(&mut self, kind: Kind, whose: Whose, address: SocketAddr) {
        if is_unmistakable(address.ip()) {
            return self.ip(kind, whose, address.ip());
        }
        self.canaries.push((kind, whose));
        self.written(kind, whose, address.to_string().as_bytes());
        let octets = match address.ip() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        self.with_port(kind, whose, &octets, address.port());
    }

    /// An address that is unmistakable by itself. It stands in every form that has a port too.
    pub(super) fn ip(&mut self, kind: Kind, whose: Whose, ip: IpAddr) {
        self.canaries.push((kind, whose));
        self.written(kind, whose, ip.to_string().as_bytes());
        match ip {
            IpAddr::V4(ip) => self.v4(kind, whose, ip),
            IpAddr::V6(ip) => self.v6(kind, whose, ip),
        }
    }

    /// The four bytes stand in every packed form: mapped into IPv6, with a port before or behind, in
    /// a `sockaddr_in`.
    fn v4(&mut self, kind: Kind, whose: Whose, ip: Ipv4Addr) {
        let octets = ip.octets();
        for number in [u32::from_be_bytes(octets), u32::from_le_bytes(octets)] {
            self.written(kind, whose, number.to_string().as_bytes());
        }
        let [a, b, c, d] = octets;
        let mapped = format!("{a:02x}{b:02x}:{c:02x}{d:02x}");
        self.written(kind, whose, mapped.as_bytes());
        self.packed(kind, whose, &octets);
    }

    /// Whole, and in parts: its network is enough to find somebody, and who copies it by words may
    /// leave one of them.
    fn v6(&mut self, kind: Kind, whose: Whose, ip: Ipv6Addr) {
        let octets = ip.octets();
        let groups = ip.segments().map(|group| format!("{group:04x}"));
        let text = groups.join(":");
        // What a freed text keeps, and what names the network.
        let (_, freed) = text.split_at(OVERWRITTEN + 4);
        let (site, _) = text.split_at(SITE_LETTERS);
        for text in [&text, freed, site] {
            self.written(kind, whose, text.as_bytes());
            self.written(kind, whose, text.to_uppercase().as_bytes());
        }
        // As the kernel's tables of sockets print it.
        let words = octets.chunks(4).flat_map(|word| word.iter().rev().copied());
        self.packed(kind, whose, &words.collect::<Vec<u8>>());
        let (high, low) = octets.split_at(8);
        for part in [&octets[..], high, low, &octets[..SITE]] {
            self.packed(kind, whose, part);
        }
    }

    /// What only a port makes unmistakable.
    fn with_port(&mut self, kind: Kind, whose: Whose, octets: &[u8], port: u16) {
        let (big, little) = (port.to_be_bytes(), port.to_le_bytes());
        // `sockaddr_in6` has four bytes of flow information between the two, Rust's own type four
        // or eight bytes behind.
        let shapes: [Vec<u8>; 6] = match octets.len() {
            4 => [
                [&big[..], octets].concat(),
                [&little[..], octets].concat(),
                [octets, &big].concat(),
                [octets, &little].concat(),
                [octets, &[0; 16], &big].concat(),
                [octets, &[0; 2], &little].concat(),
            ],
            _ => [
                [&big[..], &[0; 4], octets].concat(),
                [&little[..], octets].concat(),
                [octets, &big].concat(),
                [octets, &little].concat(),
                [octets, &[0; 4], &big].concat(),
                [octets, &[0; 8], &little].concat(),
            ],
        };
        for shape in shapes {
            self.encoded(kind, whose, &shape);
            // Where the address alone is looked for these would count twice.
            if octets.len() == 16 && octets[..15] == [0; 15] || *octets == [127, 255, 255, 255] {
                self.push(kind, whose, Form::WithPort, shape);
            }
        }
    }

    /// A text in all encodings of text.
    fn written(&mut self, kind: Kind, whose: Whose, text: &[u8]) {
        self.push(kind, whose, Form::Text, text.to_vec());
        let little = text.iter().flat_map(|&byte| [byte, 0]).collect();
        self.push(kind, whose, Form::Utf16, little);
        let big = text.iter().flat_map(|&byte| [0, byte]).collect();
        self.push(kind, whose, Form::Utf16, big);
        self.encoded(kind, whose, text);
    }

    /// Bytes in both orders, and both as somebody would print them.
    fn packed(&mut self, kind: Kind, whose: Whose, bytes: &[u8]) {
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        self.encoded(kind, whose, bytes);
        self.encoded(kind, whose, &reversed);
        self.push(kind, whose, Form::Packed, bytes.to_vec());
        self.push(kind, whose, Form::Reversed, reversed);
    }

    /// Bytes as somebody would print them.
    fn encoded(&mut self, kind: Kind, whose: Whose, bytes: &[u8]) {
        for encoding in [HEXLOWER, HEXUPPER] {
            self.push(kind, whose, Form::Hex, encoding.encode(bytes).into_bytes());
        }
        for encoding in [BASE64_NOPAD, BASE64URL_NOPAD] {
            for before in 0..3 {
                for letters in base64(&encoding, bytes, before) {
                    self.push(kind, whose, Form::Base64, letters);
                }
            }
        }
        let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
        for between in [", ", ","] {
            let list = numbers.join(between).into_bytes();
            self.push(kind, whose, Form::Listed, list);
        }
        let escaped = bytes.escape_ascii().to_string();
        // The crate `bytes` writes two of them in another way.
        let shorter = escaped.replace("\\x00", "\\0").replace("\\'", "'");
        for text in [escaped, shorter] {
            self.push(kind, whose, Form::Escaped, text.into_bytes());
        }
    }

    fn push(&mut self, kind: Kind, whose: Whose, form: Form, bytes: Vec<u8>) {
        let least = if form.is_raw() { 4 } else { LETTERS };
        if bytes.len() >= least && self.known.insert(bytes.clone()) {
            self.all.push(Needle {
                kind,
                whose,
                form,
                bytes,
            });
        }
    }
}

/// The letters that say these bytes alone, where so many others go before. Those at the ends hold
/// bits of the neighbours too; where few are left, they count with all that these bits can be.
fn base64(encoding: &Encoding, bytes: &[u8], before: usize) -> Vec<Vec<u8>> {
    let from = (before * 8).div_ceil(6);
    let to = (before + bytes.len()) * 8 / 6;
    let letters = |head: u8, tail: u8, from: usize, to: usize| {
        let whole = [&[head; 2][..before], bytes, &[tail]].concat();
        let text = encoding.encode(&whole).into_bytes();
        text.get(from..to).unwrap_or_default().to_vec()
    };
    if to >= from + LETTERS || before != 1 {
        return vec![letters(0, 0, from, to)];
    }
    // Four bytes behind one: two bits of either neighbour.
    let neighbours = (0..4).flat_map(|head| (0..4).map(move |tail| (head, tail << 6)));
    let both = neighbours.map(|(head, tail)| letters(head, tail, from - 1, to + 1));
    both.collect()
}

/// The halves of something long: the second is still there when an allocator has written over the
/// beginning of what was freed.
fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    match bytes.len() {
        0..24 => vec![bytes],
        length => {
            let (one, other) = bytes.split_at(OVERWRITTEN.max(length / 2));
            vec![one, other]
        }
    }
}

#[cfg(test)]
#[path = "needles_tests.rs"]
mod tests;
