//! Everybody in the canary meeting, and everything that is theirs alone.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::DrillError;
use super::canary::{Kind, Register, Whose, draw, is_unmistakable, v4, v6, word};
use super::forwarder::PORTS;
use super::needles::Needles;
use super::network::Network;
use crate::carrier::address::RelayAddress;
use crate::carrier::client::web::Request;
use crate::meeting::RelayRef;
use crate::meeting::links::{Link, Links, MeetingLink};
use crate::wire::RoomHandle;

/// Somebody.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) whose: Whose,
    pub(super) address: SocketAddr,
    /// What it is called, or calls the relay, or gives as its reason to go.
    pub(super) text: String,
    /// What it sends, where it seals nothing.
    pub(super) passed: [u8; 48],
    /// What its connection ids begin with, where it is a stranger.
    pub(super) ids: [u8; 12],
}

/// What a browser's request says, each a canary.
#[derive(Clone)]
pub(super) struct Asks {
    authority: String,
    path: String,
    origin: String,
    agent: String,
}

impl Asks {
    fn draw(needles: &mut Needles, whose: Whose) -> Result<Self, DrillError> {
        let mut canary = || {
            let text = format!("{REQUEST}{}-{}", word()?, word()?);
            needles.text(Kind::Request, whose, &text);
            Ok(text)
        };
        Ok(Self {
            authority: format!("{}.invalid:443", canary()?),
            path: format!("/{}", canary()?),
            origin: format!("https://{}.invalid", canary()?),
            agent: format!("Mozilla/5.0 ({})", canary()?),
        })
    }

    pub(super) fn request(&self) -> Request<'_> {
        Request {
            authority: &self.authority,
            path: &self.path,
            origin: &self.origin,
            agent: &self.agent,
        }
    }
}

/// By which those who test the drill know what stands in a request.
const REQUEST: &str = "canaryrq-";

/// Those who take part by the program that people use: who they are, whether by IPv6.
const PEOPLE: [(&str, bool); 9] = [
    ("the host", false),
    ("a guest", false),
    ("a guest by IPv6", true),
    ("one who was denied", false),
    ("one who was removed", false),
    ("one whose device crashed", false),
    ("one whose way was closed", false),
    ("a scout", false),
    ("a later scout", false),
];

/// Those who speak QUIC, or TLS, by themselves.
const STRANGERS: [(&str, bool); 14] = [
    ("a stranger", false),
    ("a stranger by IPv6", true),
    ("a sender of rubbish", false),
    ("a stranger under Retry", false),
    ("a stranger of another version", false),
    ("a stranger who stammers", false),
    ("a stranger who is too loud", false),
    ("a stranger who speaks too early", false),
    ("a stranger who asks too much", false),
    ("a stranger who says nothing", false),
    ("a stranger who does not read", false),
    ("a stranger without a seat", false),
    ("a visitor of the page", false),
    ("a visitor of the page by IPv6", true),
];

/// One who takes part in a browser, and one who looks around in another.
pub(super) const IN_A_BROWSER: &str = "one in a browser";
pub(super) const LOOKS_AROUND: &str = "a browser that looks around";

/// Where spoofed first packets seem to come from.
pub(super) const FLOOD: usize = 8;

/// All canaries of a drill.
pub(super) struct Cast {
    pub(super) register: Register,
    parts: HashMap<&'static str, Part>,
    asks: HashMap<&'static str, Asks>,
    /// Where the guest goes in mid-meeting.
    pub(super) elsewhere: Part,
    pub(super) flood: Vec<Part>,
    pub(super) links: Links,
    /// The meeting's own rooms.
    rooms: Whose,
    /// The room of the strangers.
    pub(super) room: RoomHandle,
    strangers_room: Whose,
    pub(super) sound: [u8; 40],
    pub(super) picture: [u8; 40],
    pub(super) chat: String,
}

impl Cast {
    /// Draws everybody, for a relay that participants find at `port` of 127.0.0.1.
    pub(super) fn draw(
        network: &Network,
        relay: &RelayAddress,
        port: u16,
    ) -> Result<(Self, Needles), DrillError> {
        let (register, mut needles) = (Register::default(), Needles::default());
        let (mut parts, mut taken) = (HashMap::new(), HashSet::new());
        for (what, six) in PEOPLE {
            let part = part(&register, &mut needles, &mut taken, network, what, six)?;
            needles.text(Kind::Name, part.whose, &part.text);
            parts.insert(what, part);
        }
        for (what, six) in STRANGERS {
            let part = part(&register, &mut needles, &mut taken, network, what, six)?;
            needles.text(Kind::PeerText, part.whose, &part.text);
            needles.bytes(Kind::Passed, part.whose, &part.passed);
            needles.bytes(Kind::ConnectionId, part.whose, &part.ids);
            parts.insert(what, part);
        }
        let mut asks = HashMap::new();
        for (what, kind) in [(IN_A_BROWSER, Kind::Name), (LOOKS_AROUND, Kind::PeerText)] {
            let part = part(&register, &mut needles, &mut taken, network, what, false)?;
            needles.text(kind, part.whose, &part.text);
            needles.bytes(Kind::Passed, part.whose, &part.passed);
            needles.bytes(Kind::ConnectionId, part.whose, &part.ids);
            asks.insert(what, Asks::draw(&mut needles, part.whose)?);
            parts.insert(what, part);
        }
        let mut another = |what| part(&register, &mut needles, &mut taken, network, what, false);
        let elsewhere = another("a guest that moved")?;
        let flood = (0..FLOOD)
            .map(|_| another("a spoofed first packet"))
            .collect::<Result<Vec<_>, _>>()?;
        for part in &flood {
            needles.bytes(Kind::ConnectionId, part.whose, &part.ids);
        }

        let whose = register.enter("the meeting");
        let title = format!("canary title {} {}", word()?, word()?);
        needles.text(Kind::Name, whose, &title);
        let relay = RelayRef {
            host: "127.0.0.1".into(),
            port,
            hashes: relay.hashes().iter().map(|hash| *hash.as_bytes()).collect(),
            pass: None,
        };
        let links = Links::draw(vec![relay], &title, 0, false, draw()?)
            .map_err(|_| DrillError::Story("no links could be drawn"))?;
        let Ok(Link::Committer(host)) = Link::parse(&links.host) else {
            return Err(DrillError::Story("no links could be drawn"));
        };
        let committers = host.meeting.with_secret(host.committers_room());
        for link in [&host.meeting, &committers] {
            add(&mut needles, whose, link);
        }
        let (sound, picture) = (draw()?, draw()?);
        needles.bytes(Kind::Payload, whose, &sound);
        needles.bytes(Kind::Payload, whose, &picture);
        let chat = format!("canary words {} {}", word()?, word()?);
        needles.text(Kind::Chat, whose, &chat);
        let room = RoomHandle(marked(b"CanaryRm")?);
        let strangers_room = register.enter("the strangers' room");
        needles.bytes(Kind::Room, strangers_room, &room.0);
        let cast = Self {
            register,
            parts,
            asks,
            elsewhere,
            flood,
            links,
            rooms: whose,
            room,
            strangers_room,
            sound,
            picture,
            chat,
        };
        Ok((cast, needles))
    }

    /// A link that the meeting got on its way is as secret as its first, and so is where it leads.
    pub(super) fn add_link(&self, needles: &mut Needles, link: &str) {
        if let Ok(link) = Link::parse(link) {
            add(needles, self.rooms, link.meeting());
        }
    }

    /// Nor is a room that is only known once it is there any other.
    pub(super) fn add_room(&self, needles: &mut Needles, room: &RoomHandle) {
        needles.bytes(Kind::Room, self.rooms, &room.0);
    }

    /// Somebody, by what it is.
    pub(super) fn part(&self, what: &'static str) -> Result<&Part, DrillError> {
        self.parts
            .get(what)
            .ok_or(DrillError::Story("a part is missing"))
    }

    /// What somebody's browser says when it asks for something.
    pub(super) fn asks(&self, what: &'static str) -> Result<&Asks, DrillError> {
        self.asks
            .get(what)
            .ok_or(DrillError::Story("a part is missing"))
    }

    /// The address of loopback from which somebody speaks to the forwarder. The relay never sees it.
    pub(super) fn plain(&self, part: &Part) -> IpAddr {
        let [_, _, _, low] = (part.whose.number() as u32 + 2).to_be_bytes();
        Ipv4Addr::new(127, 0, 1, low).into()
    }

    /// All strangers have gone, and their room with them.
    pub(super) fn strangers_over(&self) {
        self.register.gone(self.strangers_room);
    }

    /// Everything of the meeting's that ends with it is over.
    pub(super) fn over(&self) {
        for part in self
            .parts
            .values()
            .chain([&self.elsewhere])
            .chain(&self.flood)
        {
            self.register.gone(part.whose);
        }
        self.register.gone(self.rooms);
    }
}

fn add(needles: &mut Needles, whose: Whose, link: &MeetingLink) {
    needles.bytes(Kind::Secret, whose, link.secret.as_bytes());
    if let Some(handle) = link.lobby(0) {
        needles.bytes(Kind::Room, whose, &handle.0);
    }
}

/// Who is to come by IPv6 comes by IPv4 where there is none.
fn part(
    register: &Register,
    needles: &mut Needles,
    taken: &mut HashSet<IpAddr>,
    network: &Network,
    what: &'static str,
    six: bool,
) -> Result<Part, DrillError> {
    let address = loop {
        let address = match six && network.has_v6() {
            true => v6(network.is_own())?,
            false => v4()?,
        };
        // An address of two people would be excused by the one who is there.
        if taken.insert(address.ip()) || !is_unmistakable(address.ip()) {
            break address;
        }
    };
    network.add(address)?;
    let whose = register.enter(what);
    needles.address(Kind::Address, whose, address);
    if !is_unmistakable(address.ip()) {
        // Each of its connections has a port of its own.
        for more in 1..PORTS {
            let other = SocketAddr::new(address.ip(), address.port() + more);
            needles.address(Kind::Address, whose, other);
        }
    }
    Ok(Part {
        whose,
        address,
        // Two words: half of it is still unmistakable where an allocator wrote over its beginning.
        text: format!("canary-{}-{}", word()?, word()?),
        passed: marked(b"CanaryPs")?,
        ids: draw()?,
    })
}

/// Random bytes behind a mark, by which those who test the drill know them.
fn marked<const N: usize>(mark: &[u8; 8]) -> Result<[u8; N], DrillError> {
    let mut bytes = draw()?;
    if let Some(head) = bytes.first_chunk_mut() {
        *head = *mark;
    }
    Ok(bytes)
}
