//! The one word to a service manager (systemd's `Type=notify`): that the relay is ready.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Whoever started this process and wants to hear when it is ready (`NOTIFY_SOCKET`, see
/// `sd_notify(3)`), if anyone does.
pub struct Manager(Option<UnixDatagram>);

impl Manager {
    /// Opens the way there. It takes a socket, so it must come before [`super::sandbox::fence`]; what
    /// is said may come after [`super::sandbox::filter`], which is why sd-notify's own call, that
    /// opens and says in one, does not do.
    pub fn find() -> Self {
        Self(std::env::var_os("NOTIFY_SOCKET").and_then(|place| open(place.as_bytes())))
    }

    /// Says it.
    pub fn ready(self) {
        // A manager that cannot be reached ends the service after a while; there is nobody else to tell.
        let _ = self.0.map(|socket| socket.send(b"READY=1\n"));
    }
}

/// A name that begins with `@` is in no folder.
fn open(place: &[u8]) -> Option<UnixDatagram> {
    let manager = match place.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(place)),
    };
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect_addr(&manager.ok()?).ok()?;
    // Rather unheard than stuck.
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}
