//! Error codes, in the one space that HTTP/3 and WebTransport share.

use quinn_proto::VarInt;

/// Why a stream or a connection ends: an application error code of QUIC's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Code(u64);

impl Code {
    // RFC 9114, section 8.1.
    pub(in super::super) const NO_ERROR: Self = Self(0x100);
    pub(super) const STREAM_CREATION: Self = Self(0x103);
    pub(super) const CLOSED_CRITICAL_STREAM: Self = Self(0x104);
    pub(super) const FRAME_UNEXPECTED: Self = Self(0x105);
    pub(super) const FRAME: Self = Self(0x106);
    pub(super) const EXCESSIVE_LOAD: Self = Self(0x107);
    pub(super) const ID: Self = Self(0x108);
    pub(super) const SETTINGS: Self = Self(0x109);
    pub(super) const MISSING_SETTINGS: Self = Self(0x10a);
    pub(super) const REQUEST_REJECTED: Self = Self(0x10b);
    pub(super) const REQUEST_INCOMPLETE: Self = Self(0x10d);
    pub(super) const MESSAGE: Self = Self(0x10e);
    /// RFC 9204, section 6: a field that needs a table which we do not have.
    pub(super) const DECOMPRESSION_FAILED: Self = Self(0x200);
    /// RFC 9297, section 5.2.
    pub(super) const DATAGRAM: Self = Self(0x33);
    /// draft-ietf-webtrans-http3, section 4.6: a stream of a session that there is not.
    pub(super) const NO_SESSION: Self = Self(0x3994_bd84);

    /// A code of our vocabulary's for a stream, mapped into HTTP/3's range as the draft says in its
    /// section 4.4: the codes that HTTP/3 keeps for greasing are left out. Those of peers are not
    /// mapped back, since nobody looks at them.
    pub(in super::super) const fn of_stream(code: u32) -> Self {
        const FIRST: u64 = 0x52e4_a40f_a8db;
        let code = code as u64;
        Self(FIRST + code + code / 0x1e)
    }
}

impl From<Code> for VarInt {
    fn from(code: Code) -> Self {
        // All of them are below 2^62.
        VarInt::from_u64(code.0).unwrap_or(VarInt::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_streams_are_mapped_as_the_draft_says() {
        let mapped = |code| Code::of_stream(code).0;
        assert_eq!(mapped(0), 0x52e4_a40f_a8db);
        assert_eq!(mapped(u32::MAX), 0x52e5_ac98_3162, "the last of the range");
        // 0x21 + 0x1f * N are HTTP/3's for greasing (RFC 9114, section 8.1).
        let grease = |code: u64| (code - 0x21).is_multiple_of(0x1f);
        assert!((0..10_000).all(|code| !grease(mapped(code))));
        assert!((0..10_000).all(|code| mapped(code) < mapped(code + 1)));
    }
}
