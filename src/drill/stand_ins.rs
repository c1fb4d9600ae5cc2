//! The stand-ins that an airlock draws: read out of its table, beside the addresses that are known.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::canary::{Kind, Whose};
use super::memory::{self, Place as At, Snapshot};
use super::needles::{Form, Needle, Needles};
use super::scan::Search;
use super::{DrillError, thread};

/// Stand-ins, and for whom each stands.
pub(super) type StandIns = BTreeMap<IpAddr, Whose>;

/// How often the table is read while a story is played. Seldomer: the stand-ins of those who come and
/// go at once are missed. More often: the relay stands still for a noticeable part of its time.
const EVERY: Duration = Duration::from_millis(300);

/// Reads stand-ins out of a relay while something goes on.
pub(super) fn learn_while<T>(
    pid: u32,
    needles: &Needles,
    play: impl FnOnce() -> T,
) -> Result<(T, StandIns), DrillError> {
    let search = Search::new(needles.packed_addresses())?;
    let (going_on, over) = channel();
    std::thread::scope(|scope| {
        let learner = thread().spawn_scoped(scope, || learn(pid, &search, over));
        let learner = learner.map_err(DrillError::system)?;
        let played = play();
        drop(going_on);
        Ok((played, learner.join().unwrap_or_default()))
    })
}

fn learn(pid: u32, search: &Search, over: Receiver<()>) -> StandIns {
    let mut learned = StandIns::new();
    while over.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        let Ok(snapshot) = memory::written(pid) else {
            break;
        };
        learned.extend(read(&snapshot, search));
    }
    learned
}

/// The stand-ins in a snapshot.
pub(super) fn read(snapshot: &Snapshot, search: &Search) -> StandIns {
    let pairs = snapshot.hits(search).into_iter().filter_map(|at| {
        let needle = search.needle(at.hit)?;
        let held = in_airlock(snapshot, at, needle);
        let pair = held.then(|| snapshot.behind(at, PAIR))??;
        Some((stand_in(pair)?, needle.whose))
    });
    pairs.collect()
}

/// Makes needles of those that are new.
pub(super) fn add(needles: &mut Needles, learned: StandIns) {
    for (ip, whose) in learned {
        let known = match ip {
            IpAddr::V4(ip) => needles.has(&ip.octets()),
            IpAddr::V6(ip) => needles.has(&ip.octets()),
        };
        if !known {
            needles.ip(Kind::StandIn, whose, ip);
        }
    }
}

/// Bytes of a pair in the airlock's table (`airlock/pair.rs`): the real address, the stand-in's IP,
/// numbers, the stand-in's port.
const PAIR: usize = 64;
const STAND_IN: usize = 24;
const STAND_IN_PORT: usize = 60;

/// Whether a packed address stands in memory as the airlock holds it: the IP in sixteen bytes, the
/// scope, the port, the number of its socket, the family.
pub(super) fn in_airlock(snapshot: &Snapshot, at: At, needle: &Needle) -> bool {
    if needle.kind != Kind::Address {
        return false;
    }
    let Some(real) = snapshot.behind(at, STAND_IN) else {
        return false;
    };
    let family = match (needle.form, needle.bytes.len()) {
        (Form::Packed, 4) => real.get(4..20).filter(|rest| *rest == [0; 16]).map(|_| 4),
        (Form::Packed, 16) => Some(6),
        (Form::WithPort, _) => Some(if needle.bytes.starts_with(&[0]) { 6 } else { 4 }),
        _ => None,
    };
    family.is_some() && real.last().copied() == family
}

/// The stand-in in a pair; `None` in what is no pair: its highest bits say that it is in use.
fn stand_in(pair: &[u8]) -> Option<IpAddr> {
    if !matches!(pair.last()? >> 6, 1 | 2) {
        return None;
    }
    let ip: [u8; 16] = pair.get(STAND_IN..STAND_IN + 16)?.try_into().ok()?;
    let port = pair.get(STAND_IN_PORT..STAND_IN_PORT + 2)?;
    let [first, second, third, fourth, rest @ ..] = ip;
    let v4 = first >= 240 && rest == [0; 12] && [third, fourth] != [0; 2];
    match (v4, first) {
        _ if port == [0; 2] => None,
        (true, _) => Some(Ipv4Addr::new(first, second, third, fourth).into()),
        (false, 0xfd) => Some(Ipv6Addr::from(ip).into()),
        _ => None,
    }
}
