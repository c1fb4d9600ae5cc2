//! A listener for programs on this machine: hands out streams, and never an address of who came.
//! For everybody else: `front`.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::kernel::local_address;
use crate::system::words;

/// Owner and group may knock, others not.
const MODE: u32 = 0o660;

/// Why a door cannot be opened. Each is the operator's to solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DoorError {
    /// Another program listens there.
    #[error("another program listens there already: stop it, or choose another place")]
    Taken,
    /// The path leads to something else.
    #[error("something that is no socket is in the way: remove it, or choose another path")]
    NotASocket,
    /// The path's folder is not there.
    #[error("its folder is not there: make it first")]
    NoFolder,
    /// Anything else.
    #[error("the system refuses to listen there ({}); choose another place", words(*.0))]
    Other(io::ErrorKind),
}

impl From<io::Error> for DoorError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::Taken,
            io::ErrorKind::NotFound => Self::NoFolder,
            kind => Self::Other(kind),
        }
    }
}

/// A listener: bound, and not attended yet.
pub struct Door {
    listener: OwnedFd,
    unix: bool,
}

impl Door {
    /// On a TCP port of this machine.
    ///
    /// # Errors
    /// [`DoorError`].
    pub fn on_port(address: SocketAddr) -> Result<Self, DoorError> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener: listener.into(),
            unix: false,
        })
    }

    /// The TCP port, where it has one.
    pub fn port(&self) -> Option<u16> {
        let port = |socket| local_address(socket).ok().map(|local| local.port());
        port(self.listener.as_fd()).filter(|_| !self.unix)
    }

    /// On a Unix socket. One that an earlier process left is replaced; it stays when this process
    /// ends, which may remove no files then.
    ///
    /// # Errors
    /// [`DoorError`].
    pub fn on_path(path: &Path) -> Result<Self, DoorError> {
        match std::fs::symlink_metadata(path) {
            Ok(there) if !there.file_type().is_socket() => return Err(DoorError::NotASocket),
            Ok(_) => match UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    std::fs::remove_file(path)?;
                }
                _ => return Err(DoorError::Taken),
            },
            Err(_) => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, PermissionsExt::from_mode(MODE))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener: listener.into(),
            unix: true,
        })
    }

    /// From here on visitors can be waited for. In a tokio runtime.
    ///
    /// # Errors
    /// The system's.
    pub fn watch(self) -> io::Result<WatchedDoor> {
        Ok(WatchedDoor {
            listener: watch(self.listener)?,
            unix: self.unix,
        })
    }
}

/// A [`Door`] at which somebody waits.
pub struct WatchedDoor {
    listener: AsyncFd<OwnedFd>,
    unix: bool,
}

impl WatchedDoor {
    /// The next visitor.
    ///
    /// # Errors
    /// The system's.
    pub async fn accept(&self) -> io::Result<Visitor> {
        let accepted = self.listener.async_io(Interest::READABLE, accept).await?;
        Ok(Visitor(watch(match self.unix {
            true => Stream::Unix(accepted.into()),
            false => Stream::Tcp(accepted.into()),
        })?))
    }
}

pub(super) fn watch<T: AsFd + AsRawFd>(descriptor: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: the types of this file own their one descriptor for as long as they live, and nothing
    // replaces it.
    unsafe { AsyncFd::register(descriptor) }.map_err(io::Error::from)
}

fn accept(listener: &OwnedFd) -> io::Result<OwnedFd> {
    // SAFETY: the descriptor is open while it is borrowed; with null in place of an address and its
    // length the kernel writes neither.
    let accepted = unsafe {
        libc::accept4(
            listener.as_raw_fd(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
        )
    };
    if accepted < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(accepted) })
}

/// A stream to whoever came.
pub struct Visitor(AsyncFd<Stream>);

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Visitor {
    /// Over a connection that was accepted.
    pub(super) fn over_tcp(accepted: OwnedFd) -> io::Result<Self> {
        Ok(Self(watch(Stream::Tcp(accepted.into()))?))
    }

    /// Reads some bytes once they are there; none at the end.
    pub fn poll_read(&self, context: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(context))?;
            if let Ok(read) = ready.try_io(|stream| match stream.get_ref() {
                Stream::Tcp(stream) => { stream }.read(into),
                Stream::Unix(stream) => { stream }.read(into),
            }) {
                return Poll::Ready(read);
            }
        }
    }

    /// Writes some bytes once there is room.
    pub fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(context))?;
            if let Ok(written) = ready.try_io(|stream| match stream.get_ref() {
                Stream::Tcp(stream) => { stream }.write(bytes),
                Stream::Unix(stream) => { stream }.write(bytes),
            }) {
                return Poll::Ready(written);
            }
        }
    }

    /// Says that nothing more is sent.
    ///
    /// # Errors
    /// The system's.
    pub fn finish(&self) -> io::Result<()> {
        match self.0.get_ref() {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn a_socket_that_was_left_is_replaced_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("door");
        let refused = |path: &Path| Door::on_path(path).err().unwrap();
        let door = Door::on_path(&path).ok().unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, MODE);
        assert_eq!(refused(&path), DoorError::Taken);
        drop(door);
        assert!(path.exists());
        Door::on_path(&path).ok().unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "a file").unwrap();
        assert_eq!(refused(&path), DoorError::NotASocket);
        assert_eq!(
            refused(&path.join("deeper")),
            DoorError::Other(io::ErrorKind::NotADirectory)
        );
        assert_eq!(refused(&folder.path().join("no/door")), DoorError::NoFolder);
    }

    #[tokio::test]
    async fn who_comes_can_talk_and_has_no_address() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("door");
        let door = Door::on_path(&path).ok().unwrap().watch().unwrap();
        let mut outside = UnixStream::connect(&path).unwrap();
        let inside = door.accept().await.unwrap();
        outside.write_all(b"hello").unwrap();
        let mut bytes = [0; 8];
        let read = poll_fn(|context| inside.poll_read(context, &mut bytes)).await;
        assert_eq!((read.unwrap(), &bytes[..5]), (5, &b"hello"[..]));
        let written = poll_fn(|context| inside.poll_write(context, b"you")).await;
        assert_eq!(written.unwrap(), 3);
        inside.finish().unwrap();
        let mut heard = String::new();
        outside.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "you");
        drop(outside);
        let end = poll_fn(|context| inside.poll_read(context, &mut bytes)).await;
        assert_eq!(end.unwrap(), 0);
    }
}
