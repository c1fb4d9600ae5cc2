//! Where programs on this machine may ask the relay something: nobody else can.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use crate::airlock::{Door, DoorError, Visitor, WatchedDoor};

/// A place that only this machine reaches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoorAddress(Place);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    Port(SocketAddr),
    Path(PathBuf),
}

/// Why a text is no such place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DoorAddressError {
    /// Others could come in.
    #[error(
        "must be an address of this machine alone, like 127.0.0.1:9464 or [::1]:9464, or a Unix \
         socket, like unix:/run/sottovoce/metrics; whoever reads it from elsewhere goes through a \
         program of yours that asks who they are"
    )]
    Exposed,
    /// It is neither.
    #[error("must be an address and a port, like 127.0.0.1:9464, or unix:/run/sottovoce/metrics")]
    NoPlace,
    /// The path is relative, or longer than a socket's may be.
    #[error(
        "must be a whole path, from / on, of at most 107 bytes, like unix:/run/sottovoce/metrics"
    )]
    Path,
}

/// The longest path of a socket, in bytes, without the zero behind it (unix(7)).
const LONGEST: usize = 107;

impl FromStr for DoorAddress {
    type Err = DoorAddressError;

    fn from_str(text: &str) -> Result<Self, DoorAddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let whole = Path::new(path).is_absolute() && !path.contains('\0');
            return match whole && path.len() <= LONGEST {
                true => Ok(Self(Place::Path(path.into()))),
                false => Err(DoorAddressError::Path),
            };
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if !address.ip().is_loopback() => Err(DoorAddressError::Exposed),
            // Port 0 would be another one each time, and nobody is told which.
            Ok(address) if address.port() != 0 => Ok(Self(Place::Port(address))),
            _ => Err(DoorAddressError::NoPlace),
        }
    }
}

impl DoorAddress {
    /// Listens there.
    ///
    /// # Errors
    /// [`DoorError`].
    pub fn open(&self) -> Result<Door, DoorError> {
        match &self.0 {
            Place::Port(address) => Door::on_port(*address),
            Place::Path(path) => Door::on_path(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_can_come_in() {
        for place in [
            "127.0.0.1:9464",
            "127.7.7.7:1",
            "[::1]:9464",
            "unix:/run/a b",
        ] {
            assert!(place.parse::<DoorAddress>().is_ok(), "{place}");
        }
        use DoorAddressError::{Exposed, NoPlace, Path};
        let long = format!("unix:/{}", "a".repeat(LONGEST));
        for (place, error) in [
            ("0.0.0.0:9464", Exposed),
            ("[::]:9464", Exposed),
            ("192.0.2.1:9464", Exposed),
            ("[::ffff:127.0.0.1]:9464", Exposed),
            ("[fe80::1%1]:9464", Exposed),
            ("localhost:9464", NoPlace),
            ("127.0.0.1", NoPlace),
            ("127.0.0.1:0", NoPlace),
            ("9464", NoPlace),
            ("", NoPlace),
            ("unix:", Path),
            ("unix:run/metrics", Path),
            ("unix:/a\0b", Path),
            (&long, Path),
        ] {
            assert_eq!(place.parse::<DoorAddress>(), Err(error), "{place}");
        }
    }
}
