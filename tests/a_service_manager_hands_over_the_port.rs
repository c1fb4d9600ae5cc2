//! systemd starts a relay with sockets that it holds itself (socket activation), and hears when it is
//! ready (`Type=notify`); what it hands over by mistake is refused with a sentence.

mod support;

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::browser::{ask, connect, request};
use support::{Participant, Relay, sottovoce};

/// A relay that finds `sockets` as systemd leaves them: from descriptor 3 on, with the number of
/// the process that they are for.
fn started_with(sockets: Vec<OwnedFd>, arguments: &str) -> Command {
    let program = sottovoce().get_program().to_owned();
    let script = format!("LISTEN_PID=$$ exec \"$0\" relay {arguments}");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(program);
    command.env("LISTEN_FDS", sockets.len().to_string());
    let places = move || {
        // First out of the way, since one may stand where another belongs.
        let mut apart = [-1; 8];
        for (socket, descriptor) in sockets.iter().zip(&mut apart) {
            *descriptor = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_DUPFD, 100) };
        }
        for (descriptor, place) in apart.iter().take(sockets.len()).zip(3..) {
            if unsafe { libc::dup2(*descriptor, place) } < 0 {
                return Err(std::io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // Between fork and exec it only moves descriptors.
    unsafe { command.pre_exec(places) };
    command
}

#[test]
fn a_relay_serves_at_the_sockets_that_it_is_handed() {
    let sockets = [
        UdpSocket::bind("127.0.0.1:0").unwrap(),
        UdpSocket::bind("127.0.0.2:0").unwrap(),
    ];
    let ports = sockets
        .each_ref()
        .map(|socket| socket.local_addr().unwrap().port());
    let sockets = sockets.map(OwnedFd::from).into();
    // Where it would listen by itself does not count.
    let mut command = started_with(sockets, "--json --listen 192.0.2.1:1 --require-sandbox");
    let relay = Relay::spawn(&mut command);
    drop(command);
    assert_eq!(relay.port(), ports[0]);
    let links = relay.invite();
    let mut host = Participant::hosts(&links, "Ada", &[] as &[&str]);
    host.until("connected", Duration::from_secs(10));
    let second = relay.address.replace(
        &format!("127.0.0.1:{}", ports[0]),
        &format!("127.0.0.2:{}", ports[1]),
    );
    let mut other = Participant::hosts(&support::invite(&second, &[]), "Ada", &[] as &[&str]);
    other.until("connected", Duration::from_secs(10));
}

/// The page is served at the TCP ports that it is handed, and at no other.
#[test]
fn a_page_is_served_where_a_port_is_handed_over_for_it() {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = TcpListener::bind("127.0.0.3:0").unwrap();
    let page = tcp.local_addr().unwrap();
    let alone: OwnedFd = udp.try_clone().unwrap().into();
    let mut command = started_with(vec![udp.into(), tcp.into()], "--json --require-sandbox");
    let relay = Relay::spawn(&mut command);
    drop(command);
    let asked = |page| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut stream = connect("127.0.0.1", page, "relay.invalid", "http/1.1").await?;
            ask(&mut stream, &request("GET", "/", "")).await
        })
    };
    assert_eq!(asked(page).unwrap().status, 200);
    assert!(asked(([127, 0, 0, 1], relay.port()).into()).is_err());
    drop(relay);

    // Without one there is none, which is said.
    let mut command = started_with(vec![alone], "");
    let mut relay = command
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(relay.stderr.take().unwrap()).lines();
    let line = said.find(|line| line.as_ref().is_ok_and(|line| line.contains("page")));
    assert!(line.unwrap().unwrap().contains("ListenStream="));
    support::signal(relay.id(), "TERM");
    relay.wait().unwrap();
}

/// Where it serves none, nobody waits at a port that is held open for it all the same: the kernel would keep
/// their addresses, gone or not, until somebody took them.
#[test]
fn nobody_waits_at_a_port_where_no_page_is_served() {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = TcpListener::bind("127.0.0.3:0").unwrap();
    let page = tcp.local_addr().unwrap();
    // As systemd does.
    let _held = tcp.try_clone().unwrap();
    let sockets = vec![udp.into(), tcp.into()];
    let mut command = started_with(sockets, "--json --no-page --require-sandbox");
    let _relay = Relay::spawn(&mut command);
    drop(command);
    for _ in 0..3 {
        let mut stream = TcpStream::connect(page).unwrap();
        let patience = Some(Duration::from_secs(10));
        stream.set_read_timeout(patience).unwrap();
        let read = stream.read(&mut [0; 1]);
        assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = format!(":{:04X} ", page.port());
    let rows: Vec<_> = table.lines().filter(|row| row.contains(&port)).collect();
    assert_eq!(rows.len(), 1, "it listens, and that is all: {rows:?}");
}

#[test]
fn sockets_for_another_process_are_left_alone() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut command = sottovoce();
    command
        .args(["relay", "--json", "--listen", "127.0.0.1:0"])
        .env("LISTEN_FDS", "1")
        .env("LISTEN_PID", "1");
    let relay = Relay::spawn(&mut command);
    assert_ne!(relay.port(), socket.local_addr().unwrap().port());
}

#[test]
fn what_is_of_no_use_is_refused_with_a_sentence() {
    let tcp: OwnedFd = TcpListener::bind("127.0.0.1:0").unwrap().into();
    let mut wrong = vec![(tcp, "ListenDatagram=")];
    // Lets IPv4 in where the system does so by default.
    if let Ok(both) = UdpSocket::bind("[::]:0")
        && !nix::sys::socket::getsockopt(&both, nix::sys::socket::sockopt::Ipv6V6Only).unwrap()
    {
        wrong.push((both.into(), "BindIPv6Only=ipv6-only"));
    }
    for (socket, remedy) in wrong {
        let output = started_with(vec![socket], "").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(11), "{said}");
        assert!(said.contains(remedy) && said.lines().count() == 1, "{said}");
    }
    let output = started_with(Vec::new(), "")
        .env("LISTEN_FDS", "70")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(11), "{said}");
    assert!(said.contains("LISTEN_FDS"), "{said}");
}

/// Starts a relay whose manager listens at `place`, and ends it once it has said that it is ready.
fn tells(manager: &UnixDatagram, place: &OsStr) {
    let patience = Some(Duration::from_secs(20));
    manager.set_read_timeout(patience).unwrap();
    let mut command = sottovoce();
    command
        .args(["relay", "--json", "--listen", "127.0.0.1:0"])
        .arg("--require-sandbox")
        .env("NOTIFY_SOCKET", place);
    let relay = Relay::spawn(&mut command);
    let mut said = [0; 64];
    let length = manager.recv(&mut said).unwrap();
    assert_eq!(&said[..length], b"READY=1\n");
    // From then on a signal is one that it heeds.
    relay.signal("TERM");
    let (status, _) = relay.finish(Duration::from_secs(5));
    assert!(status.success(), "{status}");
}

#[test]
fn the_manager_hears_when_the_relay_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    tells(&UnixDatagram::bind(&path).unwrap(), path.as_os_str());
}

#[test]
fn a_manager_may_listen_in_no_folder() {
    let name = format!("sottovoce-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let place = OsString::from(format!("@{name}"));
    tells(&UnixDatagram::bind_addr(&address).unwrap(), &place);
}
