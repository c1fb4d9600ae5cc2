//! What those do who are no participants: rubbish, a flood, and a step past each limit.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::DrillError;
use super::cast::{Cast, FLOOD, Part};
use super::stranger::{REFUSED, Stranger, Target, Windows, first_packets, framed, hello};
use super::visitor::{Speaks, Visit, visit};
use crate::carrier::certificate::CertificateHash;
use crate::wire::limits::{AUDIO_PAYLOAD, BODY};
use crate::wire::{
    CloseReason, GroupNumber, Role, To, ToRelay, TrackId, UplinkGroup, encode_control, uplink,
};

/// First packets that nobody goes on with: more than the relay takes before it asks newcomers to
/// show that their address is theirs.
const FIRST_PACKETS: usize = 400;

/// How long a stranger stays: long enough for whoever listens inside the relay.
pub(super) const STAY: Duration = Duration::from_millis(1500);

/// Connections of one address, besides those that fill a room, where the relay takes few.
pub(super) const SPARE: usize = 2;

/// How much of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Everything,
    /// One stranger, who comes and goes.
    One,
}

/// Where they find the relay.
#[derive(Clone)]
pub(super) struct Strangers {
    pub(super) relay: Vec<SocketAddr>,
    /// By which they know it.
    pub(super) hashes: Arc<[CertificateHash]>,
    /// Members that fit into a room, where that is few.
    pub(super) seats: Option<usize>,
}

impl Strangers {
    /// Plays their part; what happened.
    pub(super) fn play(&self, cast: &Cast, wanted: Wanted) -> Result<Vec<String>, DrillError> {
        let mut visits = self.visits(cast)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(DrillError::system)?;
        let story: Result<Vec<String>, DrillError> = runtime.block_on(async {
            let mut story = self.guest(cast, "a stranger").await?;
            story.extend(self.looks_around(cast).await?);
            if wanted == Wanted::Everything {
                story.extend(self.guest(cast, "a stranger by IPv6").await?);
                story.extend(self.rubbish(cast).await?);
                story.extend(self.past_each_limit(cast).await?);
                story.extend(self.retry(cast).await?);
            }
            Ok(story)
        });
        runtime.shutdown_background();
        cast.strangers_over();
        visits.extend(story?);
        Ok(visits)
    }

    /// Two come for the page.
    fn visits(&self, cast: &Cast) -> Result<Vec<String>, DrillError> {
        for (what, speaks) in [
            ("a visitor of the page", Speaks::One),
            ("a visitor of the page by IPv6", Speaks::Two),
        ] {
            let part = cast.part(what)?;
            let visit = visit(part, &self.to(part)?, speaks)?;
            cast.register.gone(part.whose);
            if visit == Visit::NobodyThere {
                return Ok(vec![
                    "nobody got a page, which this relay does not serve".into(),
                ]);
            }
        }
        Ok(vec!["two got the page, by HTTP/1.1 and by HTTP/2".into()])
    }

    /// The relay's address in somebody's family.
    pub(super) fn to(&self, part: &Part) -> Result<Target, DrillError> {
        let same = |relay: &&SocketAddr| relay.is_ipv4() == part.address.is_ipv4();
        match self.relay.iter().find(same) {
            None => Err(DrillError::Story("the relay does not listen there")),
            Some(address) => Ok(Target {
                address: *address,
                hashes: self.hashes.clone(),
            }),
        }
    }

    async fn connect(&self, part: &Part, windows: Windows) -> Result<Stranger, DrillError> {
        let name = format!("{}.invalid", part.text);
        Stranger::connect(part, &self.to(part)?, &name, windows).await
    }

    /// Comes by a name of its own, passes bytes on, and goes with a text.
    async fn guest(&self, cast: &Cast, what: &'static str) -> Result<Vec<String>, DrillError> {
        let part = cast.part(what)?;
        let mut stranger = self.connect(part, Windows::Usual).await?;
        stranger.enter(cast.room, Role::Member).await?;
        let body = part.passed.to_vec();
        stranger
            .say(&ToRelay::Send {
                to: To::Everyone,
                body,
            })
            .await;
        let (track, group) = (TrackId(0), GroupNumber(0));
        let _ = stranger
            .connection
            .send_datagram(uplink(track, &part.passed));
        let header = UplinkGroup {
            track: TrackId(1),
            group,
        }
        .encode();
        stranger.group(&[&header[..], &part.passed].concat()).await;
        sleep(STAY).await;
        stranger.close(&part.text).await;
        cast.register.gone(part.whose);
        // One by IPv6 comes by IPv4 where there is no other.
        let came = match part.address.is_ipv4() {
            true => "a stranger",
            false => what,
        };
        Ok(vec![format!("{came} came and went")])
    }

    /// Packets that mean nothing, and ones that are too large.
    async fn rubbish(&self, cast: &Cast) -> Result<Vec<String>, DrillError> {
        let part = cast.part("a sender of rubbish")?;
        let relay = self.to(part)?.address;
        let socket = UdpSocket::bind(part.address).map_err(DrillError::network)?;
        let mut version = vec![0x0a; 1200];
        version[0] = 0xc0;
        version[5] = 20;
        version[26] = 20;
        let mut initial = version.clone();
        initial[1..5].copy_from_slice(&1_u32.to_be_bytes());
        let mut short = vec![0x33; 60];
        short[0] = 0x40;
        for packet in [
            vec![],
            vec![1],
            version,
            initial,
            short,
            vec![0x5a; 1501],
            vec![0xff; 9000],
        ] {
            let _ = socket.send_to(&packet, relay);
            sleep(Duration::from_millis(20)).await;
        }
        cast.register.gone(part.whose);
        Ok(vec!["rubbish came".into()])
    }

    /// So many first packets that the relay sends a Retry; somebody comes in all the same.
    async fn retry(&self, cast: &Cast) -> Result<Vec<String>, DrillError> {
        let mut sockets = Vec::with_capacity(FLOOD);
        for part in &cast.flood {
            let socket = UdpSocket::bind(part.address).map_err(DrillError::network)?;
            socket.set_nonblocking(true).map_err(DrillError::network)?;
            sockets.push((socket, part, self.to(part)?));
        }
        let mut retries = 0;
        for number in 0..FIRST_PACKETS {
            let Some((socket, part, relay)) = sockets.get(number % FLOOD) else {
                break;
            };
            for packet in first_packets(part, relay, "flood.invalid")? {
                let _ = socket.send_to(&packet, relay.address);
            }
            let mut answer = [0; 2048];
            while let Ok(length) = socket.recv(&mut answer) {
                retries += usize::from(length > 0 && answer[0] & 0xf0 == 0xf0);
            }
            sleep(Duration::from_millis(3)).await;
        }
        let part = cast.part("a stranger under Retry")?;
        let mut stranger = self.connect(part, Windows::Usual).await?;
        stranger.enter(cast.room, Role::Member).await?;
        stranger.close(&part.text).await;
        cast.register.gone(part.whose);
        for part in &cast.flood {
            cast.register.gone(part.whose);
        }
        match retries {
            0 => Err(DrillError::Story(
                "a flood of first packets brought no Retry",
            )),
            _ => Ok(vec!["one came in under Retry".into()]),
        }
    }

    /// Each limit has somebody who is closed for going past it.
    async fn past_each_limit(&self, cast: &Cast) -> Result<Vec<String>, DrillError> {
        let silent = cast.part("a stranger who says nothing")?;
        let waits = self.connect(silent, Windows::Usual).await?;

        let part = cast.part("a stranger of another version")?;
        let mut stranger = self.connect(part, Windows::Usual).await?;
        let room = cast.room;
        let role = Role::Member;
        stranger
            .say(&ToRelay::Hello {
                version: u16::MAX,
                room,
                role,
                pass: None,
            })
            .await;
        self.closed(cast, part, stranger, CloseReason::Version)
            .await?;

        let part = cast.part("a stranger who stammers")?;
        let mut stranger = self.connect(part, Windows::Usual).await?;
        stranger.enter(cast.room, Role::Member).await?;
        stranger.write(&framed(64, 1, &[9])).await;
        self.closed(cast, part, stranger, CloseReason::Malformed)
            .await?;

        let part = cast.part("a stranger who is too loud")?;
        let mut stranger = self.connect(part, Windows::Usual).await?;
        stranger.enter(cast.room, Role::Member).await?;
        let datagram = uplink(TrackId(0), &[0; AUDIO_PAYLOAD + 1]);
        let _ = stranger.connection.send_datagram(datagram);
        self.closed(cast, part, stranger, CloseReason::TooLarge)
            .await?;

        let part = cast.part("a stranger who speaks too early")?;
        let mut stranger = self.connect(part, Windows::Usual).await?;
        let body = part.passed.to_vec();
        stranger
            .say(&ToRelay::Send {
                to: To::Everyone,
                body,
            })
            .await;
        self.closed(cast, part, stranger, CloseReason::Unexpected)
            .await?;

        let part = cast.part("a stranger who asks too much")?;
        let mut stranger = self.connect(part, Windows::Usual).await?;
        let participant = stranger.enter(cast.room, Role::Member).await?;
        let track = TrackId(0);
        let asks = ToRelay::Subscribe { participant, track };
        if let Ok(asks) = encode_control(&asks) {
            stranger.write(&asks.repeat(6000)).await;
        }
        self.closed(cast, part, stranger, CloseReason::TooMany)
            .await?;

        self.slow(cast).await?;
        if let Some(seats) = self.seats {
            self.no_seat(cast, seats).await?;
        }
        self.closed(cast, silent, waits, CloseReason::NoHello)
            .await?;
        Ok(vec!["others went past each limit and were closed".into()])
    }

    /// One who reads nothing of what another sends it.
    async fn slow(&self, cast: &Cast) -> Result<(), DrillError> {
        let part = cast.part("a stranger who does not read")?;
        let mut slow = self.connect(part, Windows::Narrow).await?;
        let to = To::One(slow.enter(cast.room, Role::Member).await?);
        let other = cast.part("a stranger under Retry")?;
        let mut sender = self.connect(other, Windows::Usual).await?;
        sender.enter(cast.room, Role::Member).await?;
        for _ in 0..30 {
            let mut body = other.passed.to_vec();
            body.resize(BODY / 2, 1);
            sender.say(&ToRelay::Send { to, body }).await;
        }
        self.closed(cast, part, slow, CloseReason::TooSlow).await?;
        sender.close(&other.text).await;
        Ok(())
    }

    /// One member more than a room takes, and then more connections than one address may have.
    async fn no_seat(&self, cast: &Cast, seats: usize) -> Result<(), DrillError> {
        let part = cast.part("a stranger without a seat")?;
        let mut others = Vec::new();
        for port in 1..=seats as u16 {
            let mut part = part.clone();
            part.address.set_port(part.address.port() + port);
            let mut stranger = self.connect(&part, Windows::Usual).await?;
            stranger.enter(cast.room, Role::Member).await?;
            others.push(stranger);
        }
        let mut late = self.connect(part, Windows::Usual).await?;
        late.say(&hello(cast.room, Role::Member)).await;
        late.closed_for(CloseReason::RoomFull).await?;
        self.too_many(part, part.address.port() + seats as u16 + 1)
            .await?;
        for stranger in others {
            stranger.close(&part.text).await;
        }
        cast.register.gone(part.whose);
        Ok(())
    }

    /// Connections from these ports of one address, until one is refused.
    async fn too_many(&self, part: &Part, ports: u16) -> Result<(), DrillError> {
        let (mut part, mut held) = (part.clone(), Vec::new());
        for port in ports..=ports + SPARE as u16 {
            part.address.set_port(port);
            match self.connect(&part, Windows::Usual).await {
                Ok(stranger) => held.push(stranger),
                Err(DrillError::Story(REFUSED)) => return Ok(()),
                Err(other) => return Err(other),
            }
        }
        Err(DrillError::Story(
            "no connection of one address was one too many",
        ))
    }

    async fn closed(
        &self,
        cast: &Cast,
        part: &Part,
        stranger: Stranger,
        reason: CloseReason,
    ) -> Result<(), DrillError> {
        stranger.closed_for(reason).await?;
        cast.register.gone(part.whose);
        Ok(())
    }
}
