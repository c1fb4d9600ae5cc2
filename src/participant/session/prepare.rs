//! Everything that can be known to fail before the relay is troubled.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use super::Session;
use super::chats::Chats;
use super::stays::Stays;
use crate::carrier::address::RelayAddress;
use crate::carrier::certificate::CertificateHash;
use crate::meeting::links::Link;
use crate::meeting::vigil::Viewer;
use crate::meeting::{Presence, RelayRef, Standing, Surface, hosted};
use crate::participant::console::Console;
use crate::participant::error::JoinError;
use crate::participant::options::JoinOptions;
use crate::participant::outside::{Mute, Sizes};
use crate::participant::people::People;
use crate::participant::player::Player;
use crate::participant::scribe::Scribe;
use crate::participant::tally::Sent;
use crate::participant::trace::Trace;
use crate::participant::view::Output;
use crate::participant::watch::Watch;
use crate::stay::Unsigned;

impl Session {
    /// Checks what was asked for, and opens what is to be played.
    pub(super) async fn prepare(options: JoinOptions, output: Output) -> Result<Self, JoinError> {
        let (signs, admits_all) = (options.sign, options.admit_all);
        let speaks = options.speak;
        Self::prepare_for(options, output, move |link, presence, seed| match watching(
            &link, speaks, seed,
        ) {
            Some(viewer) => Box::new(viewer),
            None => Box::new(hosted::Meeting::new(
                link, presence, signs, admits_all, seed,
            )),
        })
        .await
    }

    /// The same for the meeting that `meeting` makes of the link, of who this participant is and of a
    /// random seed.
    pub(super) async fn prepare_for(
        options: JoinOptions,
        output: Output,
        meeting: impl FnOnce(Link, Presence, [u8; 32]) -> Box<dyn Surface>,
    ) -> Result<Self, JoinError> {
        let name = options.checked_name()?;
        let link = Link::parse(&options.link)?;
        if options.play.is_some() && watches(&link, options.speak) {
            return Err(JoinError::Watches);
        }
        if options.admit_all && matches!(link, Link::Meeting(_)) {
            return Err(JoinError::Admits);
        }
        if options.speak && link.meeting().viewer.is_none() {
            return Err(JoinError::Speaks);
        }
        let in_link = link.meeting().relays.len();
        let known = relays(&link.meeting().relays)?;
        let scribe = match &options.record {
            Some(folder) => {
                Some(
                    Scribe::start(folder.clone()).map_err(|error| JoinError::Folder {
                        folder: folder.display().to_string(),
                        error,
                    })?,
                )
            }
            None => None,
        };
        let watch = match &options.watch {
            Some(_) => Some(Watch::start(std::io::stdout()).map_err(JoinError::Watch)?),
            None => None,
        };
        let trace = match &options.trace {
            Some(path) => {
                Some(Trace::create(path).map_err(|error| JoinError::Trace(error.kind()))?)
            }
            None => None,
        };
        let player = match &options.play {
            Some(input) => {
                let opened = Player::open(input.clone(), options.again).await;
                Some(opened.map_err(|error| JoinError::Play {
                    file: options.played(),
                    error,
                })?)
            }
            None => None,
        };
        let tracks = player
            .as_ref()
            .map(|player| player.tracks.clone())
            .unwrap_or_default();
        let sent: BTreeMap<_, _> = tracks
            .iter()
            .map(|track| (track.track, (track.clone(), Sent::new())))
            .collect();
        let presence = Presence {
            name,
            tracks,
            timestamp_scale_ns: player.as_ref().map_or(1_000_000, |p| p.timestamp_scale_ns),
            tag: random()?,
        };
        let people = People::beside(presence.display_name());
        let bundle = link.meeting().bundle.0;
        let meeting = meeting(link, presence, random()?);
        let mut output = output;
        let console = Console::open(&mut output, options.input);
        Ok(Self {
            options,
            output,
            meeting,
            began: Instant::now(),
            ticked: None,
            stays: Stays::default(),
            seed: u64::from_ne_bytes(random()?),
            known,
            relays: in_link,
            relay: 0,
            welcomed: false,
            place: None,
            people,
            goodbyes: HashSet::new(),
            listening: HashSet::new(),
            missing: None,
            player,
            playing: false,
            damaged: false,
            audience: 0,
            play_at: None,
            sent,
            standing: Standing::default(),
            mute: Mute::default(),
            sizes: Sizes::default(),
            scribe,
            watch,
            watched: None,
            trace,
            last: None,
            warned: HashSet::new(),
            inside: false,
            joined: None,
            reconnections: 0,
            failure: None,
            over: None,
            bundle,
            watches: false,
            console,
            unsigned: Unsigned::default(),
            stopped: false,
            put_out: HashSet::new(),
            taken_out: HashSet::new(),
            chair: false,
            locked: false,
            knocks: BTreeMap::new(),
            words: None,
            chats: Chats::default(),
            leaving: None,
        })
    }
}

/// Whether this link is to watch: a vigil's, and not to hold it.
fn watches(link: &Link, speaks: bool) -> bool {
    matches!(link, Link::Meeting(link) if !speaks && link.viewer.is_some())
}

/// Somebody with this link, if it is to watch.
fn watching(link: &Link, speaks: bool, seed: [u8; 32]) -> Option<Viewer> {
    match link {
        Link::Meeting(link) if !speaks => Viewer::new(link.clone(), seed),
        Link::Meeting(_) | Link::Committer(_) => None,
    }
}

/// The relays in the link that this program can make sense of, and their numbers there.
fn relays(relays: &[RelayRef]) -> Result<Vec<(usize, RelayAddress)>, JoinError> {
    let address = |relay: &RelayRef| {
        let hashes = relay.hashes.iter().copied();
        let hashes = hashes.map(CertificateHash::new).collect();
        RelayAddress::new(&relay.host, relay.port, hashes).ok()
    };
    let known: Vec<_> = relays
        .iter()
        .enumerate()
        .filter_map(|(place, relay)| Some((place, address(relay)?)))
        .collect();
    match known.is_empty() {
        true => Err(JoinError::NoRelay),
        false => Ok(known),
    }
}

fn random<const N: usize>() -> Result<[u8; N], JoinError> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(JoinError::System(std::io::ErrorKind::Other)),
    }
}
