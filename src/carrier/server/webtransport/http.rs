//! What one peer says over HTTP/3, stream by stream: which of it is our vocabulary, and what is to be
//! done about the rest.

use bytes::Bytes;
use quinn_proto::coding::Codec;
use quinn_proto::{Dir, StreamId, VarInt};
use zeroize::Zeroizing;

use super::super::super::limits::{HTTP_BYTES, HTTP_BYTES_A_SECOND, HTTP_STREAM};
use super::code::Code;
use super::fields::{self, Asks};
use super::head::Head;
use super::records::{Part, Records};
use super::settings::{self, SETTINGS};

/// Types of unidirectional streams (RFC 9114, section 6.2; RFC 9204, section 4.2; the draft's 4.2).
mod stream {
    pub(super) const CONTROL: u64 = 0x00;
    pub(super) const ENCODER: u64 = 0x02;
    pub(super) const DECODER: u64 = 0x03;
    pub(super) const SESSION: u64 = 0x54;
}

/// Types of frames (RFC 9114, section 7.2).
mod frame {
    pub(super) const DATA: u64 = 0x00;
    pub(super) const HEADERS: u64 = 0x01;
    /// What stands where a frame would at the head of a session's bidirectional stream (the draft's
    /// section 4.3).
    pub(super) const SESSION: u64 = 0x41;
}

/// CLOSE_WEBTRANSPORT_SESSION (the draft's section 6).
pub(super) const CLOSE_SESSION: u64 = 0x2843;

/// The most bytes of SETTINGS.
const SETTINGS_BYTES: u64 = 1024;

/// A session is on one of the first so many requests: then its number is one byte of each datagram.
const SESSIONS_BELOW: u64 = 64;

/// A stream of our vocabulary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ours {
    Control,
    Group,
}

/// What bytes mean.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// Nothing, until there are more.
    Nothing,
    /// A stream of ours begins; what is left of the bytes belongs to it.
    Begins(Ours),
    /// The bytes are all of a stream of ours.
    More(Ours, Bytes),
    /// A request, which is answered with these bytes and nothing more. It may say all that it has, as to a
    /// plain site.
    Request(&'static [u8]),
    /// A session begins when these bytes are sent.
    SessionBegins(&'static [u8]),
    SessionEnds,
    /// The stream is of no use, in neither direction.
    Useless(Code),
}

/// What the end of a stream means.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Ended {
    Nothing,
    Ours(Ours),
    SessionEnds,
    /// Nothing is answered.
    Useless(Code),
}

/// What is known of a peer's streams. Of each, no more is held than [`Reading`] says.
pub(super) struct Http {
    streams: Vec<(StreamId, Reading)>,
    control: bool,
    encoder: bool,
    decoder: bool,
    session: Session,
    /// The control stream of the vocabulary was opened.
    talks: bool,
    /// What the peer may still say that is not of the vocabulary.
    left: u64,
}

enum Session {
    /// There may be one.
    Free,
    /// There will be none.
    Unavailable,
    Open(StreamId),
    Over,
}

/// How far a stream was read.
enum Reading {
    /// What it is stands at its head.
    Head(Head),
    /// HTTP/3's own control stream.
    Control(Collecting),
    /// Instructions for tables that there are not.
    Table,
    Request(Collecting),
    /// A request that was answered; nothing that it still says matters.
    Answered,
    Session {
        frames: Records,
        capsules: Records,
        /// The frame at hand is DATA.
        data: bool,
    },
    Ours(Ours),
}

/// Frames of which one is of interest.
#[derive(Default)]
struct Collecting {
    frames: Records,
    /// Its value, as far as it came.
    value: Option<Zeroizing<Vec<u8>>>,
    /// It was taken.
    done: bool,
}

impl Http {
    /// `sessions`: whether it may have one.
    pub(super) fn new(sessions: bool) -> Self {
        Self {
            streams: Vec::new(),
            control: false,
            encoder: false,
            decoder: false,
            session: if sessions {
                Session::Free
            } else {
                Session::Unavailable
            },
            talks: false,
            left: HTTP_BYTES,
        }
    }

    /// The stream of the session, while it is open.
    pub(super) fn session(&self) -> Option<StreamId> {
        match self.session {
            Session::Open(id) => Some(id),
            _ => None,
        }
    }

    /// There will be no session unless there is one.
    pub(super) fn refuse_sessions(&mut self) {
        if let Session::Free = self.session {
            self.session = Session::Unavailable;
        }
    }

    /// Nothing more is read of a stream.
    pub(super) fn forget(&mut self, id: StreamId) {
        self.streams.retain(|(stream, _)| *stream != id);
    }

    /// Takes bytes of a stream, as many as mean one thing.
    ///
    /// # Errors
    /// What the connection ends with.
    pub(super) fn take(&mut self, id: StreamId, bytes: &mut Bytes) -> Result<Said, Code> {
        let at = match self.streams.iter().position(|(stream, _)| *stream == id) {
            Some(at) => at,
            None => {
                self.streams.push((id, Reading::Head(Head::default())));
                self.streams.len() - 1
            }
        };
        let Some((_, reading)) = self.streams.get_mut(at) else {
            return Ok(Said::Nothing);
        };
        if let Reading::Ours(ours) = reading {
            return Ok(Said::More(*ours, std::mem::take(bytes)));
        }
        if let Reading::Head(_) = reading {
            let said = self.head(at, id, bytes)?;
            if let Said::Useless(_) = said {
                self.forget(id);
            }
            return Ok(said);
        }
        self.left = paid(self.left, bytes.len() as u64)?;
        let said = match reading {
            Reading::Control(control) => control.control(bytes)?,
            Reading::Table | Reading::Answered => {
                bytes.clear();
                Said::Nothing
            }
            Reading::Request(request) => match request.request(bytes)? {
                Some(Answer::Asks(asks)) => self.asked(at, id, asks),
                Some(Answer::TooLarge) => Said::Request(fields::TOO_LARGE),
                Some(Answer::Wrong(code)) => Said::Useless(code),
                None => Said::Nothing,
            },
            Reading::Session {
                frames,
                capsules,
                data,
            } => session(frames, capsules, data, bytes)?,
            Reading::Head(_) | Reading::Ours(_) => Said::Nothing,
        };
        match said {
            Said::Request(_) => {
                if let Some((_, reading)) = self.streams.get_mut(at) {
                    *reading = Reading::Answered;
                }
            }
            Said::Useless(_) => self.forget(id),
            Said::SessionEnds => self.session = Session::Over,
            _ => {}
        }
        Ok(said)
    }

    /// Looks what a stream is.
    fn head(&mut self, at: usize, id: StreamId, bytes: &mut Bytes) -> Result<Said, Code> {
        let Some((_, reading)) = self.streams.get_mut(at) else {
            return Ok(Said::Nothing);
        };
        let Reading::Head(head) = reading else {
            return Ok(Said::Nothing);
        };
        let Some(kind) = head.first(bytes) else {
            return Ok(Said::Nothing);
        };
        let belongs = match id.dir() {
            Dir::Uni => kind == stream::SESSION,
            Dir::Bi => kind == frame::SESSION,
        };
        if belongs {
            return match head.both(bytes) {
                Some([_, session]) => self.of_session(at, id, session),
                None => Ok(Said::Nothing),
            };
        }
        let next = match (id.dir(), kind) {
            (Dir::Bi, _) => {
                self.left = paid(self.left, HTTP_STREAM)?;
                Reading::Request(Collecting {
                    frames: Records::begun(std::mem::take(head)),
                    ..Collecting::default()
                })
            }
            (Dir::Uni, stream::CONTROL) if !std::mem::replace(&mut self.control, true) => {
                Reading::Control(Collecting::default())
            }
            (Dir::Uni, stream::ENCODER) if !std::mem::replace(&mut self.encoder, true) => {
                Reading::Table
            }
            (Dir::Uni, stream::DECODER) if !std::mem::replace(&mut self.decoder, true) => {
                Reading::Table
            }
            // A second one, or what a server alone may open.
            (Dir::Uni, stream::CONTROL..=stream::DECODER) => return Err(Code::STREAM_CREATION),
            (Dir::Uni, _) => {
                self.left = paid(self.left, HTTP_STREAM)?;
                return Ok(Said::Useless(Code::STREAM_CREATION));
            }
        };
        *reading = next;
        Ok(Said::Nothing)
    }

    /// A stream says that it belongs to a session.
    fn of_session(&mut self, at: usize, id: StreamId, session: u64) -> Result<Said, Code> {
        if !session.is_multiple_of(4) {
            return Err(Code::ID);
        }
        if self
            .session()
            .is_none_or(|open| u64::from(VarInt::from(open)) != session)
        {
            self.left = paid(self.left, HTTP_STREAM)?;
            return Ok(Said::Useless(Code::NO_SESSION));
        }
        let ours = match id.dir() {
            Dir::Uni => Ours::Group,
            Dir::Bi if !std::mem::replace(&mut self.talks, true) => Ours::Control,
            Dir::Bi => {
                self.left = paid(self.left, HTTP_STREAM)?;
                return Ok(Said::Useless(Code::of_stream(0)));
            }
        };
        if let Some((_, reading)) = self.streams.get_mut(at) {
            *reading = Reading::Ours(ours);
        }
        Ok(Said::Begins(ours))
    }

    /// A whole request is there.
    fn asked(&mut self, at: usize, id: StreamId, asks: Asks) -> Said {
        match (asks, &self.session) {
            (Asks::Something, _) => Said::Request(fields::NOT_FOUND),
            (Asks::Session, Session::Free) if id.index() < SESSIONS_BELOW => {
                self.session = Session::Open(id);
                if let Some((_, reading)) = self.streams.get_mut(at) {
                    *reading = Reading::Session {
                        frames: Records::default(),
                        capsules: Records::default(),
                        data: false,
                    };
                }
                Said::SessionBegins(fields::ACCEPTED)
            }
            (Asks::Session, Session::Free | Session::Unavailable) => {
                Said::Request(fields::UNAVAILABLE)
            }
            (Asks::Session, Session::Open(_) | Session::Over) => {
                Said::Useless(Code::REQUEST_REJECTED)
            }
        }
    }

    /// A stream has ended, `well` or by a reset.
    ///
    /// # Errors
    /// What the connection ends with.
    pub(super) fn ended(&mut self, id: StreamId, well: bool) -> Result<Ended, Code> {
        let Some(at) = self.streams.iter().position(|(stream, _)| *stream == id) else {
            return Ok(Ended::Nothing);
        };
        let (_, reading) = self.streams.swap_remove(at);
        match reading {
            Reading::Control(_) | Reading::Table => Err(Code::CLOSED_CRITICAL_STREAM),
            Reading::Answered => Ok(Ended::Nothing),
            Reading::Ours(ours) => Ok(Ended::Ours(ours)),
            Reading::Session { .. } => {
                self.session = Session::Over;
                Ok(Ended::SessionEnds)
            }
            Reading::Request(request) if well && !request.frames.is_whole() => Err(Code::FRAME),
            Reading::Head(_) | Reading::Request(_) => {
                self.left = paid(self.left, HTTP_STREAM)?;
                Ok(match id.dir() {
                    Dir::Uni => Ended::Nothing,
                    Dir::Bi => Ended::Useless(Code::REQUEST_INCOMPLETE),
                })
            }
        }
    }

    /// What a datagram brings of the vocabulary's (RFC 9297, section 2.1; the draft's 4.5). Others
    /// belong to sessions that there are not.
    ///
    /// # Errors
    /// What the connection ends with.
    pub(super) fn datagram(&self, mut bytes: Bytes) -> Result<Option<Bytes>, Code> {
        let quarter = VarInt::decode(&mut bytes).map_err(|_| Code::DATAGRAM)?;
        let session = self.session().map(StreamId::index);
        Ok((session == Some(quarter.into_inner())).then_some(bytes))
    }

    /// A second has gone by.
    pub(super) fn refill(&mut self) {
        self.left = (self.left + HTTP_BYTES_A_SECOND).min(HTTP_BYTES);
    }
}

/// What is left after `bytes`.
fn paid(left: u64, bytes: u64) -> Result<u64, Code> {
    left.checked_sub(bytes).ok_or(Code::EXCESSIVE_LOAD)
}

/// What came of a request.
enum Answer {
    Asks(Asks),
    TooLarge,
    /// The request alone is wrong.
    Wrong(Code),
}

impl Collecting {
    fn control(&mut self, bytes: &mut Bytes) -> Result<Said, Code> {
        while let Some(part) = self.frames.next(bytes) {
            match part {
                Part::Begins { kind, length } => match (kind, self.done) {
                    (SETTINGS, false) if length <= SETTINGS_BYTES => self.begin(length),
                    (SETTINGS, false) => return Err(Code::EXCESSIVE_LOAD),
                    (_, false) => return Err(Code::MISSING_SETTINGS),
                    (SETTINGS, true) => return Err(Code::FRAME_UNEXPECTED),
                    (kind, true) if is_of_requests(kind) => return Err(Code::FRAME_UNEXPECTED),
                    (_, true) => {}
                },
                Part::Value(value) => self.more(&value),
                Part::Ends => {
                    if let Some(value) = self.value.take() {
                        self.done = true;
                        settings::check(&value)?;
                    }
                }
            }
        }
        Ok(Said::Nothing)
    }

    fn request(&mut self, bytes: &mut Bytes) -> Result<Option<Answer>, Code> {
        while let Some(part) = self.frames.next(bytes) {
            match part {
                Part::Begins { kind, length } => match kind {
                    frame::HEADERS if length <= fields::LARGEST => self.begin(length),
                    frame::HEADERS => return Ok(Some(Answer::TooLarge)),
                    frame::DATA => return Err(Code::FRAME_UNEXPECTED),
                    kind if is_of_control(kind) => return Err(Code::FRAME_UNEXPECTED),
                    _ => {}
                },
                Part::Value(value) => self.more(&value),
                Part::Ends => {
                    if let Some(value) = self.value.take() {
                        return match fields::asks(&value) {
                            Ok(asks) => Ok(Some(Answer::Asks(asks))),
                            Err(Code::MESSAGE) => Ok(Some(Answer::Wrong(Code::MESSAGE))),
                            Err(code) => Err(code),
                        };
                    }
                }
            }
        }
        Ok(None)
    }

    /// The frame of interest begins; `length` is within its bound.
    fn begin(&mut self, length: u64) {
        self.value = Some(Zeroizing::new(Vec::with_capacity(length as usize)));
    }

    fn more(&mut self, bytes: &[u8]) {
        if let Some(value) = &mut self.value {
            value.extend_from_slice(bytes);
        }
    }
}

/// What the stream of a session brings: capsules in DATA, of which one is of interest. Its code and
/// its text are not: whoever leaves has left.
fn session(
    frames: &mut Records,
    capsules: &mut Records,
    data: &mut bool,
    bytes: &mut Bytes,
) -> Result<Said, Code> {
    while let Some(part) = frames.next(bytes) {
        match part {
            Part::Begins { kind, .. } if is_of_control(kind) => {
                return Err(Code::FRAME_UNEXPECTED);
            }
            Part::Begins { kind, .. } => *data = kind == frame::DATA,
            Part::Value(mut value) if *data => {
                while let Some(part) = capsules.next(&mut value) {
                    if let Part::Begins {
                        kind: CLOSE_SESSION,
                        ..
                    } = part
                    {
                        return Ok(Said::SessionEnds);
                    }
                }
            }
            Part::Value(_) | Part::Ends => {}
        }
    }
    Ok(Said::Nothing)
}

/// Frames that no control stream has: DATA, HEADERS, PUSH_PROMISE, and HTTP/2's (RFC 9114, sections
/// 7.2 and 11.2.1).
fn is_of_requests(kind: u64) -> bool {
    matches!(kind, 0x00 | 0x01 | 0x05) || is_of_http2(kind)
}

/// Frames that no request has: CANCEL_PUSH, SETTINGS, PUSH_PROMISE (a client's), GOAWAY, MAX_PUSH_ID,
/// and HTTP/2's.
fn is_of_control(kind: u64) -> bool {
    matches!(kind, 0x03 | SETTINGS | 0x05 | 0x07 | 0x0d) || is_of_http2(kind)
}

fn is_of_http2(kind: u64) -> bool {
    matches!(kind, 0x02 | 0x06 | 0x08 | 0x09)
}
