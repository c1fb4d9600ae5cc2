//! What can go wrong on the way to a relay, in sentences that say what to do.
//!
//! Nothing in here carries text or an address that came from the other side.

use std::io;

use quinn::ConnectionError;

use crate::system::words;
use crate::wire::CloseReason;

/// `CONNECTION_REFUSED` (RFC 9000, 20.1): the server takes no more connections now.
const CONNECTION_REFUSED: u64 = 0x02;

/// Why there is no connection to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The network: DNS knows no such host, or does not answer.
    #[error(
        "the relay's name cannot be found. Check the address for a typing error, and this \
         machine's network connection"
    )]
    NameNotFound,
    /// The network: there is no way from here to where the relay is.
    #[error("this machine has no way to the relay's network; check its network connection")]
    NoRoute,
    /// The network or the relay: nothing answers.
    #[error(
        "the relay does not answer. Check that it is running and that its UDP port is open on \
         the way (some networks let no UDP through)"
    )]
    Unreachable,
    /// Someone in between, or an old link: the certificate is none of those in the link.
    #[error(
        "this is not the relay the link names: its certificate is another one, so no connection \
         was made. Ask for a fresh link; if a fresh one leads here too, someone is posing as the \
         relay"
    )]
    WrongCertificate,
    /// Someone in between, or the operator: the link has no hashes, and no authority vouches.
    #[error(
        "no authority that this machine trusts vouches for the relay's certificate, and the link \
         has no hash to know it by, so no connection was made. The part behind # of the relay's \
         address may have been missing when the link was made: have it made again from the whole \
         address that the relay printed, or ask the relay's operator"
    )]
    Untrusted,
    /// This machine: it has no list of authorities to check a link without hashes against.
    #[error(
        "this machine has no list of trusted authorities to check the relay against, and the \
         link has no hash to know it by. If the part behind # of the relay's address was missing \
         when the link was made, have it made again from the whole address; otherwise install \
         such a list (the package ca-certificates)"
    )]
    NoAuthorities,
    /// This machine or the relay: the certificate is not valid at this machine's time.
    #[error(
        "the relay's certificate is not valid at this machine's time. Check this machine's date \
         and time; if they are right, the relay's are wrong, or its certificate has run out"
    )]
    ClockWrong,
    /// The address: something answers there, but no relay of ours.
    #[error("what answers at this address is no sottovoce relay; check host and port")]
    NotSottovoce,
    /// The relay: it takes no more connections now.
    #[error("the relay takes no more connections now; try again in a while")]
    Busy,
    /// The relay: it ended the connection before it stood.
    #[error("the relay refused the connection: {}", sentence(*.0))]
    Refused(CloseReason),
    /// This machine: the local address can't be used.
    #[error(transparent)]
    Bind(#[from] BindFailed),
    /// Us: something that cannot happen did.
    #[error("a fault of this program's own stopped the connection; please report it")]
    Internal,
}

/// Why the local address can't be sent from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindFailed {
    /// Another process has the port.
    #[error("the local port is taken by another program; choose another, or 0 for any")]
    AddressInUse,
    /// The address is none of this machine's.
    #[error("the local address is not one of this machine's; choose one that it has")]
    NotHere,
    /// The port is reserved to the administrator.
    #[error("this user may not use the local port; choose one above 1023, or 0 for any")]
    Permission,
    /// One is IPv4 and the other IPv6.
    #[error("the local address and the relay's are of two kinds (IPv4 and IPv6)")]
    OtherFamily,
    /// The system refuses for another reason.
    #[error("the system gives no socket for the local address ({}); choose another", words(*.0))]
    System(io::ErrorKind),
}

/// Why a connection that stood is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LostReason {
    /// The relay ended it.
    #[error("the relay ended the connection: {}", sentence(*.0))]
    Closed(CloseReason),
    /// Nothing came for ten seconds.
    #[error("nothing came from the relay for a while")]
    TimedOut,
    /// The relay knows nothing of this connection any more: it was restarted.
    #[error("the relay was restarted")]
    Forgotten,
    /// What came from the relay is against QUIC, or it says so of us.
    #[error("the relay and this program do not understand each other; try a newer version")]
    Broken,
    /// This side ended it.
    #[error("the connection was closed here")]
    Left,
}

/// Why a datagram was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatagramError {
    /// It is larger than the path or the relay takes.
    #[error("a datagram that is too large for the way to the relay")]
    TooLarge,
    /// The connection is over.
    #[error(transparent)]
    Lost(#[from] LostReason),
}

/// Why a group goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The relay gave it up: its sender did, or a newer one takes its place.
    #[error("the group was given up")]
    GivenUp,
    /// The connection is over.
    #[error(transparent)]
    Lost(#[from] LostReason),
}

impl ConnectError {
    /// What a failed handshake says, when the certificate was not the matter.
    pub(super) fn of(error: &ConnectionError) -> Self {
        match error {
            ConnectionError::TimedOut => Self::Unreachable,
            ConnectionError::VersionMismatch => Self::NotSottovoce,
            ConnectionError::ConnectionClosed(close) => match u64::from(close.error_code) {
                CONNECTION_REFUSED => Self::Busy,
                _ => Self::NotSottovoce,
            },
            ConnectionError::ApplicationClosed(close) => {
                match CloseReason::from_code(close.error_code.into_inner()) {
                    Some(reason) => Self::Refused(reason),
                    None => Self::NotSottovoce,
                }
            }
            ConnectionError::TransportError(_) | ConnectionError::Reset => Self::NotSottovoce,
            ConnectionError::LocallyClosed | ConnectionError::CidsExhausted => Self::Internal,
        }
    }

    /// Of two failures, at two addresses of one relay or at two relays, the one that tells more.
    pub(crate) fn or_more_telling(self, other: Self) -> Self {
        if other.weight() > self.weight() {
            other
        } else {
            self
        }
    }

    fn weight(self) -> u8 {
        match self {
            Self::Internal => 0,
            Self::NameNotFound => 1,
            Self::NoRoute => 2,
            Self::Bind(_) => 3,
            Self::Unreachable => 4,
            Self::NotSottovoce => 5,
            Self::Busy => 6,
            Self::Refused(_) => 7,
            Self::NoAuthorities => 8,
            Self::ClockWrong => 9,
            Self::Untrusted => 10,
            Self::WrongCertificate => 11,
        }
    }
}

impl From<&io::Error> for BindFailed {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse,
            io::ErrorKind::AddrNotAvailable => Self::NotHere,
            io::ErrorKind::PermissionDenied => Self::Permission,
            kind => Self::System(kind),
        }
    }
}

impl From<ConnectionError> for LostReason {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(close) => {
                // A reason of a later version is no reason that we know.
                let reason = CloseReason::from_code(close.error_code.into_inner());
                Self::Closed(reason.unwrap_or(CloseReason::Internal))
            }
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::Reset => Self::Forgotten,
            ConnectionError::LocallyClosed => Self::Left,
            ConnectionError::VersionMismatch
            | ConnectionError::TransportError(_)
            | ConnectionError::ConnectionClosed(_)
            | ConnectionError::CidsExhausted => Self::Broken,
        }
    }
}

/// A relay's reason in words, with the remedy where there is one.
fn sentence(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Done => "goodbye",
        CloseReason::Restarting => "it is stopping; try again in a moment, if it comes back",
        CloseReason::Version => "it speaks another version; use the program of its version",
        CloseReason::Malformed => "it could not read what was sent",
        CloseReason::Unexpected => "it was sent something that is not allowed",
        CloseReason::TooLarge => "it was sent something too large",
        CloseReason::TooMany => "it was sent too many things at a time",
        CloseReason::RoomFull => "the meeting has as many participants as it may have",
        CloseReason::RelayFull => "it has as many participants as it may have; try another relay",
        CloseReason::TooSlow => "this machine or its network does not keep up",
        CloseReason::NoHello => "this program was too slow to say what it wants",
        CloseReason::Internal => "something is wrong at the relay; ask its operator",
        CloseReason::Pass => {
            "it serves only those whose link holds its pass; ask for a link made with `invite --pass`"
        }
    }
}
