//! A listener for whoever wants the page: hands out streams, and never an address of who came.
//!
//! Each connection ends by a reset. So the kernel keeps no row about it, which would name the other's
//! address for another minute (TIME_WAIT), nor what it learned of the way there, for an hour
//! (`ip tcp_metrics`).

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use zeroize::Zeroize;

use super::address::{Name, RealAddress};
use super::berths::{Berth, Berths};
use super::dice::Dice;
use super::door::{Visitor, watch};
use super::handed::HandedError;
use super::kernel::{BindError, local_address, open, take_name};
use super::limits::{FRONT_BUFFER, FRONT_QUEUE, FRONT_SEGMENT};
use super::options::{get, set, set_linger};
use super::scrub::scrub_stack;

/// A TCP port for everybody: listening, and not attended yet.
pub struct Front {
    listener: OwnedFd,
    local: SocketAddr,
}

impl Front {
    /// On one of our own addresses.
    ///
    /// # Errors
    /// [`BindError`].
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let listener = open(address, libc::SOCK_STREAM)?;
        set(listener.as_fd(), libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
        let taken = |error: io::Error| match error.into() {
            BindError::PortTaken => BindError::TcpPortTaken,
            other => other,
        };
        take_name(listener.as_fd(), &address).map_err(taken)?;
        listen(listener.as_fd()).map_err(taken)?;
        Ok(Self::of(listener)?)
    }

    /// Takes over one that listens already.
    ///
    /// # Errors
    /// [`HandedError`].
    pub fn adopt(listener: OwnedFd) -> Result<Self, HandedError> {
        let socket = listener.as_fd();
        // It cannot be set on a socket that is bound.
        let both = get(socket, libc::SOL_SOCKET, libc::SO_DOMAIN)? == libc::AF_INET6
            && get(socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)? != 1;
        if both {
            return Err(HandedError::BothFamilies);
        }
        // Whoever opened it lets thousands wait, who would stand in the kernel's table all the while.
        listen(socket)?;
        let listener = TcpListener::from(listener);
        listener.set_nonblocking(true)?;
        Ok(Self::of(listener.into())?)
    }

    /// What is set here, those have that are accepted.
    fn of(listener: OwnedFd) -> io::Result<Self> {
        let socket = listener.as_fd();
        set_linger(socket, 0)?;
        set(socket, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;
        set(socket, libc::IPPROTO_TCP, libc::TCP_MAXSEG, FRONT_SEGMENT)?;
        set(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, FRONT_BUFFER)?;
        set(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, FRONT_BUFFER)?;
        Ok(Self {
            local: local_address(socket)?,
            listener,
        })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// From here on visitors can be waited for. In a tokio runtime.
    ///
    /// # Errors
    /// The system's.
    pub fn watch(self, seats: &Seats) -> io::Result<WatchedFront> {
        Ok(WatchedFront {
            listener: watch(self.listener)?,
            seats: seats.clone(),
        })
    }
}

/// Has the kernel take connections, of which so many may wait for us.
fn listen(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes integers alone. Of a socket that listens already it changes how many may wait.
    match unsafe { libc::listen(socket.as_raw_fd(), FRONT_QUEUE) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// How many of one address (IPv4, or a /56 of IPv6) are here at a time, over several fronts: counters,
/// and no addresses, as those of QUIC connections.
#[derive(Clone)]
pub struct Seats(Arc<Mutex<Taken>>);

struct Taken {
    most: usize,
    berths: Berths,
    dice: Dice,
}

impl Seats {
    /// So many of one address; for 0 everybody is sent away. `seed`: random.
    pub fn new(most: usize, seed: [u8; 32]) -> Self {
        let mut dice = Dice::new(seed);
        let berths = Berths::new(&mut dice);
        Self(Arc::new(Mutex::new(Taken { most, berths, dice })))
    }

    fn take(&self, real: &RealAddress) -> Option<Seat> {
        let prefix = real.prefix();
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.berths.count(prefix.words()).all as usize >= taken.most {
            return None;
        }
        Some(Seat {
            berth: Some(taken.berths.take(prefix.words())),
            seats: self.clone(),
        })
    }
}

/// One of them, which it gives back in the end.
struct Seat {
    berth: Option<Berth>,
    seats: Seats,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Taken { berths, dice, .. } = &mut *taken;
        if let Some(berth) = self.berth.take() {
            berths.give_back(berth, dice);
        }
    }
}

/// A [`Front`] at which somebody waits.
pub struct WatchedFront {
    listener: AsyncFd<OwnedFd>,
    seats: Seats,
}

impl WatchedFront {
    /// The next visitor; `None` for one of an address that has as many as it may.
    ///
    /// # Errors
    /// The system's.
    pub async fn accept(&self) -> io::Result<Option<Guest>> {
        let accept = |listener: &OwnedFd| {
            let accepted = accept(listener, &self.seats);
            scrub_stack();
            accepted
        };
        let accepted = self.listener.async_io(Interest::READABLE, accept).await?;
        let Some((stream, seat)) = accepted else {
            return Ok(None);
        };
        Ok(Some(Guest {
            visitor: Visitor::over_tcp(stream)?,
            _seat: seat,
        }))
    }
}

#[inline(never)]
fn accept(listener: &OwnedFd, seats: &Seats) -> io::Result<Option<(OwnedFd, Seat)>> {
    let mut name = Name::EMPTY;
    let mut length = Name::ROOM as libc::socklen_t;
    // SAFETY: the descriptor is open while it is borrowed; `name` has room for `length` bytes, and the
    // kernel writes no more.
    let accepted = unsafe {
        libc::accept4(
            listener.as_raw_fd(),
            name.0.as_mut_ptr().cast(),
            &mut length,
            libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
        )
    };
    if accepted < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and nobody else has it.
    let accepted = unsafe { OwnedFd::from_raw_fd(accepted) };
    let real = RealAddress::heard(&name, length as usize, 0);
    name.zeroize();
    Ok(real
        .and_then(|real| seats.take(&real))
        .map(|seat| (accepted, seat)))
}

/// Somebody who wants the page: a stream, and a seat.
pub struct Guest {
    visitor: Visitor,
    _seat: Seat,
}

impl Guest {
    /// The stream.
    pub fn visitor(&self) -> &Visitor {
        &self.visitor
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::{Read, Write};
    use std::net::{TcpStream, UdpSocket};

    use super::*;

    fn front(seats: usize) -> (WatchedFront, SocketAddr) {
        let front = Front::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let at = front.local_address();
        (front.watch(&Seats::new(seats, [7; 32])).unwrap(), at)
    }

    /// From an address of loopback, as no other of these tests.
    fn come(from: &str, to: SocketAddr) -> TcpStream {
        let from = SocketAddr::new(from.parse().unwrap(), 0);
        let socket = open(from, libc::SOCK_STREAM).unwrap();
        take_name(socket.as_fd(), &from).unwrap();
        let (name, length) = Name::encode(&to);
        // SAFETY: `name` holds `length` bytes of a socket address.
        let result = unsafe {
            libc::connect(
                socket.as_raw_fd(),
                name.0.as_ptr().cast(),
                length as libc::socklen_t,
            )
        };
        let error = io::Error::last_os_error().raw_os_error();
        assert!(result == 0 || error == Some(libc::EINPROGRESS));
        let stream = TcpStream::from(socket);
        stream.set_nonblocking(false).unwrap();
        stream
    }

    /// What the kernel's table of IPv4 connections has of a port.
    fn rows(port: u16) -> Vec<String> {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let port = format!(":{port:04X} ");
        let rows = table.lines().filter(|row| row.contains(&port));
        rows.map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn one_address_has_so_many_seats_and_gives_them_back() {
        let (front, at) = front(2);
        let mut here = Vec::new();
        for _ in 0..2 {
            let stream = come("127.3.0.1", at);
            here.push((stream, front.accept().await.unwrap().unwrap()));
        }
        let mut third = come("127.3.0.1", at);
        assert!(front.accept().await.unwrap().is_none());
        assert!(third.read(&mut [0; 1]).is_err(), "it was reset");
        let _other = come("127.3.0.2", at);
        assert!(front.accept().await.unwrap().is_some());
        here.pop();
        let _again = come("127.3.0.1", at);
        assert!(front.accept().await.unwrap().is_some());
    }

    #[tokio::test]
    async fn the_kernel_keeps_no_row_whoever_ends_it() {
        let (front, at) = front(9);
        let listening = rows(at.port()).len();
        for the_guest_goes_first in [true, false] {
            let mut outside = come("127.3.0.3", at);
            let guest = front.accept().await.unwrap().unwrap();
            let wrote = poll_fn(|context| guest.visitor().poll_write(context, b"page")).await;
            assert_eq!(wrote.unwrap(), 4);
            let mut page = [0; 4];
            outside.read_exact(&mut page).unwrap();
            outside.write_all(b"thanks").unwrap();
            match the_guest_goes_first {
                true => {
                    drop(outside);
                    drop(guest);
                }
                false => {
                    drop(guest);
                    drop(outside);
                }
            }
            assert_eq!(rows(at.port()).len(), listening, "{:?}", rows(at.port()));
        }
    }

    #[tokio::test]
    async fn segments_are_short() {
        let (front, at) = front(1);
        let outside = come("127.3.0.4", at);
        let (inside, _seat) = accept(front.listener.get_ref(), &front.seats)
            .unwrap()
            .unwrap();
        for socket in [outside.as_fd(), inside.as_fd()] {
            let segment = get(socket, libc::IPPROTO_TCP, libc::TCP_MAXSEG).unwrap();
            assert!((1000..=FRONT_SEGMENT).contains(&segment), "{segment}");
        }
    }

    #[tokio::test]
    async fn where_there_are_no_seats_nobody_stays_in_the_table() {
        let (front, at) = front(0);
        let listening = rows(at.port()).len();
        let mut outside = come("127.3.0.5", at);
        assert!(front.accept().await.unwrap().is_none());
        assert!(outside.read(&mut [0; 1]).is_err(), "it was reset");
        assert_eq!(rows(at.port()).len(), listening, "{:?}", rows(at.port()));
    }

    #[test]
    fn a_port_that_another_has_is_named_for_what_it_is() {
        let front = Front::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let at = front.local_address();
        assert_eq!(Front::bind(at).err(), Some(BindError::TcpPortTaken));
        // UDP has ports of its own.
        drop(UdpSocket::bind(at));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let adopted = Front::adopt(listener.into()).ok().unwrap();
        assert_eq!(adopted.local_address(), at);
    }
}
