//! What the canaries look like: every form in which a process could hold them.

use std::net::{IpAddr, SocketAddr};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

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

impl Needle {
    pub(super) fn is_short(&self) -> bool {
        self.bytes.len() <= SHORT
    }
}

/// All needles of a drill, and how many canaries they are.
#[derive(Clone, Default)]
pub(super) struct Needles {
    all: Vec<Needle>,
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
            self.push(kind, whose, Form::Packed, piece.to_vec());
            let reversed = piece.iter().rev().copied().collect();
            self.push(kind, whose, Form::Reversed, reversed);
            self.encoded(kind, whose, piece);
        }
    }

    /// An address. The four bytes of IPv4 stand in every packed form: mapped into IPv6, with a port
    /// before or behind, in a `sockaddr_in`. A port alone is two bytes, which are everywhere.
    pub(super) fn address(&mut self, kind: Kind, whose: Whose, address: SocketAddr) {
        self.canaries.push((kind, whose));
        let port = address.port();
        let octets = match address.ip() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        self.written(kind, whose, address.to_string().as_bytes());
        self.with_port(kind, whose, &octets, port);
        if !is_unmistakable(address.ip()) {
            return;
        }
        self.written(kind, whose, address.ip().to_string().as_bytes());
        match address.ip() {
            IpAddr::V4(ip) => {
                let number = u32::from(ip);
                self.written(kind, whose, number.to_string().as_bytes());
                self.written(kind, whose, ip.to_ipv6_mapped().to_string().as_bytes());
                // As the kernel's tables of sockets print it, and that of IPv6 below.
                let little: Vec<u8> = octets.iter().rev().copied().collect();
                self.encoded(kind, whose, &little);
            }
            IpAddr::V6(ip) => {
                let groups = ip.segments().map(|group| format!("{group:04x}"));
                self.written(kind, whose, groups.join(":").as_bytes());
                self.written(kind, whose, groups.join(":").to_uppercase().as_bytes());
                let words = octets.chunks(4).flat_map(|word| word.iter().rev().copied());
                let words: Vec<u8> = words.collect();
                self.encoded(kind, whose, &words);
                self.push(kind, whose, Form::Reversed, words);
            }
        }
        self.push(kind, whose, Form::Packed, octets.clone());
        let reversed = octets.iter().rev().copied().collect();
        self.push(kind, whose, Form::Reversed, reversed);
        self.encoded(kind, whose, &octets);
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

    /// Bytes as somebody would print them.
    fn encoded(&mut self, kind: Kind, whose: Whose, bytes: &[u8]) {
        for encoding in [HEXLOWER, HEXUPPER] {
            self.push(kind, whose, Form::Hex, encoding.encode(bytes).into_bytes());
        }
        for encoding in [BASE64_NOPAD, BASE64URL_NOPAD] {
            for before in 0..3 {
                let whole = [&[0; 3][..before], bytes].concat();
                let text = encoding.encode(&whole).into_bytes();
                // The letters at the ends hold bits of the neighbours too.
                let (from, to) = ((before * 8).div_ceil(6), whole.len() * 8 / 6);
                let inner = text.get(from..to).unwrap_or_default();
                self.push(kind, whose, Form::Base64, inner.to_vec());
            }
        }
    }

    fn push(&mut self, kind: Kind, whose: Whose, form: Form, bytes: Vec<u8>) {
        let known = |needle: &Needle| needle.bytes == bytes;
        // Four letters stand in any text by chance.
        let least = if form.is_raw() { 4 } else { 5 };
        if bytes.len() >= least && !self.all.iter().any(known) {
            self.all.push(Needle {
                kind,
                whose,
                form,
                bytes,
            });
        }
    }
}

/// The halves of something long: an allocator writes over the beginning of what was freed.
fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    match bytes.len() {
        0..24 => vec![bytes],
        length => {
            let (one, other) = bytes.split_at(length / 2);
            vec![one, other]
        }
    }
}
