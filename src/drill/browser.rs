//! Those who come as browsers do, by WebTransport: one who takes part in the meeting, and one who looks
//! around. What their requests say is written without the Huffman code, so that whatever is kept of it
//! is found.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{interval, sleep, timeout};

use super::canary::draw;
use super::cast::{Asks, Cast, IN_A_BROWSER, LOOKS_AROUND, Part};
use super::person::PATIENCE;
use super::story::{Meeting as Running, Stage, any};
use super::stranger::{Target, hello, visit};
use super::strangers::{STAY, Strangers};
use super::{DrillError, thread};
use crate::carrier::client::web::Session;
use crate::meeting::hosted::Meeting;
use crate::meeting::links::Link;
use crate::meeting::{
    Codec, Command, Frame, Input, Output, Presence, StayId, Surface, TrackDescription, TrackKind,
};
use crate::wire::{
    BundleEntries, ControlReader, FromRelay, GroupNumber, Role, To, ToRelay, TrackId, UplinkGroup,
    encode_control, uplink,
};

/// The sound of the one who takes part.
const SOUND: TrackId = TrackId(0);
const PACE: Duration = Duration::from_millis(20);

/// Time for the last words to arrive before the session ends.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What went wrong.
const NO_SESSION: DrillError = DrillError::Story("a browser got no session");
const LOST: DrillError = DrillError::Story("a browser lost the relay");
const NOT_IN: DrillError = DrillError::Story("one in a browser did not come in and hear somebody");
const NO_PAGE: DrillError = DrillError::Story("a browser that asked for a page got no answer");

/// One who takes part.
pub(super) struct Browser {
    heard: Receiver<()>,
    leaves: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), DrillError>>,
}

impl Stage<'_> {
    /// Somebody comes in a browser, knocks and is let in, hears the host and writes something.
    pub(super) fn admit_browser(
        &self,
        cast: &Cast,
        meeting: &mut Running,
    ) -> Result<(), DrillError> {
        let part = cast.part(IN_A_BROWSER)?.clone();
        let browser = Browser::join(Life {
            relay: self.strangers.to(&part)?,
            asks: cast.asks(IN_A_BROWSER)?.clone(),
            link: cast.links.meeting.clone(),
            sound: cast.sound,
            chat: cast.chat.clone(),
            part,
        })?;
        let number = self.knock(cast, meeting, IN_A_BROWSER)?;
        let host = meeting.person("the host")?;
        host.types(&format!("/admit {number}"));
        host.until("chat", "what one in a browser said did not arrive", any)?;
        browser.heard.recv_timeout(PATIENCE).map_err(|_| NOT_IN)?;
        meeting.browsers.push(browser);
        let story = "one came by WebTransport, as a browser does, was let in, heard and wrote";
        meeting.story.push(story.into());
        Ok(())
    }
}

impl Strangers {
    /// Asks for a page, comes into the strangers' room, passes bytes on, and goes with a text.
    pub(super) async fn looks_around(&self, cast: &Cast) -> Result<Vec<String>, DrillError> {
        let (part, asks) = (cast.part(LOOKS_AROUND)?, cast.asks(LOOKS_AROUND)?);
        let relay = self.to(part)?;
        let visitor = visit(part, &relay).await?;
        let page = timeout(PATIENCE, visitor.get(&asks.request())).await;
        if !page.is_ok_and(|page| page.is_ok_and(|page| !page.is_empty())) {
            return Err(NO_PAGE);
        }
        let session = timeout(PATIENCE, visitor.session(&asks.request())).await;
        let session = session.map_err(|_| NO_SESSION)?.map_err(|_| NO_SESSION)?;
        let (inputs, mut came) = mpsc::unbounded_channel();
        let way = Way::open(session, StayId(0), inputs).await?;
        way.say(&hello(cast.room, Role::Member));
        match timeout(PATIENCE, came.recv()).await {
            Ok(Some(Input::Relay {
                message: FromRelay::Welcome { .. },
                ..
            })) => {}
            _ => return Err(LOST),
        }
        let body = part.passed.to_vec();
        let to = To::Everyone;
        way.say(&ToRelay::Send { to, body });
        let _ = way.session.send_datagram(&uplink(SOUND, &part.passed));
        let (track, group) = (TrackId(1), GroupNumber(0));
        let header = UplinkGroup { track, group }.encode();
        if let Ok(mut group) = way.session.open_group().await {
            let _ = group.write_all(&[&header, &part.passed[..]].concat()).await;
            let _ = group.finish();
        }
        sleep(STAY).await;
        way.leave(&part.text).await?;
        cast.register.gone(part.whose);
        Ok(vec![
            "a browser asked for a page, and came and went by WebTransport".into(),
        ])
    }
}

impl Browser {
    fn join(life: Life) -> Result<Self, DrillError> {
        let (hears, heard) = channel();
        let (leaves, left) = oneshot::channel();
        let thread = thread().spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(DrillError::system)?;
            let lived = runtime.block_on(life.live(hears, left));
            runtime.shutdown_background();
            lived
        });
        Ok(Self {
            heard,
            leaves,
            thread: thread.map_err(DrillError::system)?,
        })
    }

    /// Leaves as a page that is closed.
    pub(super) fn leave(self) -> Result<(), DrillError> {
        let _ = self.leaves.send(());
        self.thread.join().unwrap_or(Err(LOST))
    }
}

/// Who it is.
struct Life {
    part: Part,
    asks: Asks,
    relay: Target,
    link: String,
    sound: [u8; 40],
    chat: String,
}

impl Life {
    /// From its knock until it is told to leave.
    async fn live(
        self,
        hears: Sender<()>,
        mut left: oneshot::Receiver<()>,
    ) -> Result<(), DrillError> {
        let link = Link::parse(&self.link);
        let link = link.map_err(|_| DrillError::Story("a link does not parse"))?;
        let mut meeting = Meeting::new(link, self.presence()?, false, false, draw()?);
        let (inputs, mut came) = mpsc::unbounded_channel();
        let began = Instant::now();
        let mut ways: BTreeMap<StayId, Way> = BTreeMap::new();
        let (mut inside, mut number) = (false, 0);
        let mut pace = interval(PACE);
        loop {
            while let Some(output) = meeting.poll() {
                match output {
                    Output::Enter { stay } => {
                        let session = self.session(stay).await?;
                        ways.insert(stay, Way::open(session, stay, inputs.clone()).await?);
                        meeting.handle(began.elapsed(), Input::Connected { stay, relay: 0 });
                    }
                    Output::Leave { stay } => {
                        if let Some(way) = ways.remove(&stay) {
                            way.leave("").await?;
                        }
                    }
                    Output::Control { stay, message } => {
                        if let Some(way) = ways.get(&stay) {
                            way.say(&message);
                        }
                    }
                    Output::Datagram {
                        stay,
                        track,
                        payload,
                    } => {
                        let datagram = uplink(track, &payload);
                        if let Some(way) = ways.get(&stay) {
                            let _ = way.session.send_datagram(&datagram);
                        }
                    }
                    Output::Appeared { who, presence } => {
                        for TrackDescription { track, .. } in presence.tracks {
                            let on = true;
                            meeting.handle(began.elapsed(), Input::Listen { who, track, on });
                        }
                    }
                    Output::Inside => {
                        inside = true;
                        let say = Command::Say(self.chat.clone());
                        meeting.handle(began.elapsed(), Input::Command(say));
                    }
                    Output::Frame { .. } => {
                        let _ = hears.send(());
                    }
                    _ => {}
                }
            }
            let wait = meeting.deadline();
            let wait = wait.map(|at| at.saturating_sub(began.elapsed()));
            let input = tokio::select! {
                input = came.recv() => input.ok_or(LOST)?,
                _ = pace.tick(), if inside => {
                    number += 1;
                    Input::Send(self.frame(number - 1))
                }
                () = sleep(wait.unwrap_or(PATIENCE)) => Input::Tick,
                told = &mut left => {
                    // Where nobody tells it any more, the relay has ended before it.
                    if told.is_ok() {
                        for way in ways.into_values() {
                            way.leave("").await?;
                        }
                    }
                    return Ok(());
                }
            };
            match input {
                Input::Lost { stay } if !ways.contains_key(&stay) => {}
                Input::Lost { .. } => return Err(LOST),
                input => meeting.handle(began.elapsed(), input),
            }
        }
    }

    fn presence(&self) -> Result<Presence, DrillError> {
        let sound = TrackDescription {
            screen: false,
            track: SOUND,
            kind: TrackKind::Audio {
                rate: 48_000,
                channels: 1,
            },
            codec: Codec::Opus,
            codec_private: Vec::new(),
            codec_delay_ns: 0,
            seek_preroll_ns: 0,
            default_duration_ns: None,
        };
        Ok(Presence {
            name: self.part.text.clone(),
            tracks: vec![sound],
            timestamp_scale_ns: 1,
            tag: draw()?,
        })
    }

    fn frame(&self, number: u64) -> Frame {
        Frame {
            track: SOUND,
            group: GroupNumber(0),
            number,
            timestamp_ns: number * PACE.as_nanos() as u64,
            keyframe: true,
            invisible: false,
            duration_ns: None,
            discard_padding_ns: None,
            payload: Bytes::copy_from_slice(&self.sound.repeat(4)),
        }
    }

    /// A session of its own for each room, from another port of its address.
    async fn session(&self, stay: StayId) -> Result<Session, DrillError> {
        let mut part = self.part.clone();
        let port = part.address.port() + stay.0 as u16;
        part.address.set_port(port);
        let visitor = visit(&part, &self.relay).await?;
        let request = self.asks.request();
        let session = timeout(PATIENCE, visitor.session(&request)).await;
        session.map_err(|_| NO_SESSION)?.map_err(|_| NO_SESSION)
    }
}

/// A session, whose streams and datagrams come as inputs.
struct Way {
    session: Arc<Session>,
    says: mpsc::UnboundedSender<Bytes>,
}

impl Way {
    async fn open(
        session: Session,
        stay: StayId,
        inputs: mpsc::UnboundedSender<Input>,
    ) -> Result<Self, DrillError> {
        let session = Arc::new(session);
        let control = session.open_control().await;
        let (mut control, mut answers) = control.map_err(|_| LOST)?;
        let (says, mut said) = mpsc::unbounded_channel::<Bytes>();
        tokio::spawn(async move {
            while let Some(message) = said.recv().await {
                let _ = control.write_chunk(message).await;
            }
            // A page ends the session and not the stream.
            sleep(PATIENCE).await;
        });
        let (told, heard) = (inputs.clone(), session.clone());
        tokio::spawn(async move {
            let mut reader = ControlReader::<FromRelay>::new();
            while let Ok(Some(chunk)) = answers.read_chunk(65_536, true).await {
                let _ = reader.push(&chunk.bytes);
                while let Ok(Some(message)) = reader.next() {
                    let _ = told.send(Input::Relay { stay, message });
                }
            }
            let _ = told.send(Input::Lost { stay });
        });
        tokio::spawn(async move {
            while let Ok(bundle) = heard.datagram().await {
                for entry in BundleEntries::new(bundle).flatten() {
                    let _ = inputs.send(Input::Datagram {
                        stay,
                        from: entry.sender,
                        track: entry.track,
                        payload: entry.payload,
                    });
                }
            }
        });
        // Pictures are taken, and not looked at.
        let seen = session.clone();
        tokio::spawn(async move {
            while let Ok(mut group) = seen.accept_group().await {
                tokio::spawn(async move {
                    while let Ok(Some(_)) = group.read_chunk(65_536, true).await {}
                });
            }
        });
        Ok(Self { session, says })
    }

    fn say(&self, message: &ToRelay) {
        if let Ok(bytes) = encode_control(message) {
            let _ = self.says.send(bytes);
        }
    }

    /// Ends the session with a text, as a page that is closed.
    async fn leave(self, text: &str) -> Result<(), DrillError> {
        sleep(LAST_WORDS).await;
        match timeout(PATIENCE, self.session.leave(text)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(LOST),
        }
    }
}
