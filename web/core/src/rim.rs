//! What JavaScript sees: functions, one class, plain values. Nothing is decided here.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::{Serializer, from_value};
use sottovoce::meeting::verify::{Language, MeetingWords};
use sottovoce::meeting::{Command, NAME_BYTES, NAME_LETTERS, Standing, Who};
use sottovoce::wire::TrackId;
use wasm_bindgen::prelude::*;

use crate::links::{self, LinkFault, NewMeeting};
use crate::session::{Joining, OwnFrame, OwnTrack, Session, describe};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn complain(text: &str);
}

/// A fault of our own ends the module. It says where it was, and nothing of what was in hand.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|fault| {
        if let Some(place) = fault.location() {
            complain(&format!(
                "sottovoce: a fault at {}:{}",
                place.file(),
                place.line()
            ));
        }
    }));
}

/// What can be told of a link, or of the part of one behind its `#`.
///
/// # Errors
/// A [`LinkFault`] as the error's message.
#[wasm_bindgen(js_name = readLink, unchecked_return_type = "LinkInfo")]
pub fn read_link(text: &str) -> Result<JsValue, JsError> {
    value(&links::read(text)?)
}

/// Makes the links of a new meeting. Nothing is sent anywhere.
///
/// # Errors
/// A [`LinkFault`] as the error's message.
#[wasm_bindgen(js_name = newMeeting, unchecked_return_type = "MeetingLinks")]
pub fn new_meeting(
    #[wasm_bindgen(unchecked_param_type = "NewMeeting")] meeting: JsValue,
) -> Result<JsValue, JsError> {
    let new: NewMeeting = from_value(meeting).map_err(|_| JsError::new("options"))?;
    value(&links::draw(&new, random()?)?)
}

/// The five words of a meeting, by their places in a list, from [`LinkInfo`](crate::links::LinkInfo)'s `bundle`. Takes a good part of
/// a second and 64 MiB that the module keeps: for a worker of its own, which is ended after it.
#[wasm_bindgen(js_name = meetingWords)]
pub fn meeting_words(bundle: &str) -> Option<Vec<u16>> {
    let words = MeetingWords::of_bundle(&links::of_hex(bundle)?)?;
    Some(words.numbers().into())
}

/// The name of the list that has the words for a screen's language (a BCP 47 tag): one word a line, in
/// `src/meeting/verify/lists/NAME.txt`.
#[wasm_bindgen(js_name = wordList)]
pub fn word_list(language: &str) -> String {
    Language::of_tag(language).name().to_owned()
}

/// What a page says when it joins.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    name: String,
    tracks: Vec<OwnTrack>,
    signs: bool,
    admits_all: bool,
    speaks: bool,
}

/// One participant in one meeting. `now` is in milliseconds since any beginning (`performance.now()`).
/// After each call that takes it everything that [`poll`](Self::poll) gives is to be done, in order, and
/// [`tick`](Self::tick) to be called at the [`deadline`](Self::deadline).
#[wasm_bindgen(js_name = Session)]
pub struct JsSession(Session);

#[wasm_bindgen(js_class = Session)]
impl JsSession {
    /// Takes part in a meeting. Keys are made here, and never leave.
    ///
    /// # Errors
    /// A [`LinkFault`], `name`, `tracks` or `options` as the error's message.
    #[wasm_bindgen(constructor)]
    pub fn new(
        now: f64,
        link: &str,
        #[wasm_bindgen(unchecked_param_type = "JoinOptions")] options: JsValue,
    ) -> Result<JsSession, JsError> {
        let options: Options = from_value(options).map_err(|_| JsError::new("options"))?;
        let name = options.name.trim().to_owned();
        if name.is_empty() || name.len() > NAME_BYTES || name.chars().count() > NAME_LETTERS {
            return Err(JsError::new("name"));
        }
        let joining = Joining {
            link: links::parse(link)?,
            name,
            tracks: describe(&options.tracks)?,
            signs: options.signs,
            admits_all: options.admits_all,
            speaks: options.speaks,
            seed: random()?,
            jitter: u64::from_ne_bytes(random()?),
            tag: random()?,
        };
        Ok(Self(Session::new(time(now), joining)?))
    }

    /// The next thing to do; `undefined` when that was all.
    #[wasm_bindgen(unchecked_return_type = "Out | undefined")]
    pub fn poll(&mut self) -> JsValue {
        // Nothing in it fails to become a value.
        let out = self.0.poll();
        out.and_then(|out| value(&out).ok())
            .unwrap_or(JsValue::UNDEFINED)
    }

    /// When to call [`tick`](Self::tick), if nothing else happens before.
    pub fn deadline(&self) -> Option<f64> {
        let due = self.0.deadline()?;
        // Never before it.
        Some((due.as_secs_f64() * 1000.0).ceil())
    }

    /// Time has passed.
    pub fn tick(&mut self, now: f64) {
        self.0.tick(time(now));
    }

    /// A connection stands: it is ready, and its control stream is open.
    pub fn connected(&mut self, now: f64, line: u32) {
        self.0.connected(time(now), line);
    }

    /// No connection came about.
    pub fn failed(&mut self, now: f64, line: u32) {
        self.0.failed(time(now), line);
    }

    /// A connection is over; `code`: what the relay closed it with.
    pub fn lost(&mut self, now: f64, line: u32, code: Option<u32>) {
        self.0.lost(time(now), line, code);
    }

    /// Bytes came on the control stream.
    pub fn control(&mut self, now: f64, line: u32, bytes: &[u8]) {
        self.0.control(time(now), line, bytes);
    }

    /// A datagram came.
    pub fn datagram(&mut self, now: f64, line: u32, bytes: Vec<u8>) {
        self.0.datagram(time(now), line, bytes.into());
    }

    /// Bytes came on a unidirectional stream. `stream`: a number of the page's for it, new on this line.
    pub fn group(&mut self, now: f64, line: u32, stream: u32, bytes: Vec<u8>) {
        self.0.group(time(now), line, stream, bytes.into());
    }

    /// That stream has ended, or was reset.
    #[wasm_bindgen(js_name = groupOver)]
    pub fn group_over(&mut self, now: f64, line: u32, stream: u32) {
        self.0.group_over(time(now), line, stream);
    }

    /// The network took a piece that was to be written (`await writer.write(bytes)` is done).
    pub fn wrote(&mut self, now: f64, line: u32, stream: u32) {
        self.0.wrote(time(now), line, stream);
    }

    /// A stream that was opened here takes nothing any more.
    pub fn stopped(&mut self, now: f64, line: u32, stream: u32) {
        self.0.stopped(time(now), line, stream);
    }

    /// An encoded frame of one's own, times in microseconds: sealed and sent, now or never.
    pub fn send(
        &mut self,
        now: f64,
        track: u8,
        timestamp: f64,
        keyframe: bool,
        duration: Option<f64>,
        bytes: Vec<u8>,
    ) {
        let frame = OwnFrame {
            track: TrackId(track),
            timestamp,
            duration,
            keyframe,
            payload: Bytes::from(bytes),
        };
        self.0.send(time(now), frame);
    }

    /// These are one's own tracks from now on.
    ///
    /// # Errors
    /// `tracks` or `options` as the error's message.
    pub fn tracks(
        &mut self,
        now: f64,
        #[wasm_bindgen(unchecked_param_type = "OwnTrack[]")] tracks: JsValue,
    ) -> Result<(), JsError> {
        let tracks: Vec<OwnTrack> = from_value(tracks).map_err(|_| JsError::new("options"))?;
        self.0.describe(time(now), describe(&tracks)?);
        Ok(())
    }

    /// How this participant stands from now on; also before it is in.
    ///
    /// # Errors
    /// `options` as the error's message.
    pub fn show(
        &mut self,
        now: f64,
        #[wasm_bindgen(unchecked_param_type = "Standing")] standing: JsValue,
    ) -> Result<(), JsError> {
        let standing: Standing = from_value(standing).map_err(|_| JsError::new("options"))?;
        self.0.stand(time(now), standing);
        Ok(())
    }

    /// No pictures are sent for now.
    pub fn pause(&mut self, now: f64) {
        self.0.pause(time(now));
    }

    /// Somebody's track is wanted, or not any more.
    pub fn listen(&mut self, now: f64, who: u32, track: u8, on: bool) {
        self.0.listen(time(now), Who(who), TrackId(track), on);
    }

    /// Says something to be read. `false`: it was not sent, since nobody would have it.
    pub fn say(&mut self, now: f64, text: String) -> bool {
        self.0.say(time(now), text)
    }

    /// Asks who is in the meeting: `roster` answers.
    pub fn who(&mut self, now: f64) {
        self.0.command(time(now), Command::Who);
    }

    /// In the chair: lets somebody in who knocks.
    pub fn admit(&mut self, now: f64, number: u32) {
        self.0.command(time(now), Command::Admit(number));
    }

    /// In the chair: lets everybody in who knocks, now and later; or no more.
    #[wasm_bindgen(js_name = admitAll)]
    pub fn admit_all(&mut self, now: f64, on: bool) {
        self.0.command(time(now), Command::AdmitAll(on));
    }

    /// In the chair: does not let somebody in.
    pub fn deny(&mut self, now: f64, number: u32) {
        self.0.command(time(now), Command::Deny(number));
    }

    /// In the chair: has two words to compare with somebody who knocks.
    pub fn compare(&mut self, now: f64, number: u32) {
        self.0.command(time(now), Command::Compare(number));
    }

    /// In the chair: the words are the same on both screens; or they are not, and that one is not let in.
    #[wasm_bindgen(js_name = sameWords)]
    pub fn same_words(&mut self, now: f64, number: u32, same: bool) {
        let command = match same {
            true => Command::Same(number),
            false => Command::Different(number),
        };
        self.0.command(time(now), command);
    }

    /// In the chair: puts somebody out.
    pub fn remove(&mut self, now: f64, who: u32) {
        self.0.command(time(now), Command::Remove(Who(who)));
    }

    /// In the chair: admits nobody, or people again.
    pub fn lock(&mut self, now: f64, on: bool) {
        self.0.command(time(now), Command::Lock(on));
    }

    /// In the chair: asks everyone to be quiet.
    #[wasm_bindgen(js_name = askQuiet)]
    pub fn ask_quiet(&mut self, now: f64) {
        self.0.command(time(now), Command::AskQuiet);
    }

    /// In the chair: ends the meeting for everybody. `over` follows a few seconds later here, when the
    /// others know. `false`: not done, since nobody would hear of it.
    #[wasm_bindgen(js_name = endForAll)]
    pub fn end_for_all(&mut self, now: f64) -> bool {
        self.0.end_for_all(time(now))
    }

    /// Leaves on purpose; `over` is the end of it.
    pub fn leave(&mut self, now: f64) {
        self.0.leave(time(now));
    }
}

/// As a plain value: objects, `undefined` where there is nothing, `Uint8Array`s.
fn value(of: &impl Serialize) -> Result<JsValue, JsError> {
    let serializer = Serializer::new();
    of.serialize(&serializer)
        .map_err(|_| JsError::new("internal"))
}

/// What is no time is the beginning: time never goes back.
fn time(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or_default()
}

fn random<const N: usize>() -> Result<[u8; N], LinkFault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| LinkFault::NoRandomness)?;
    Ok(bytes)
}
