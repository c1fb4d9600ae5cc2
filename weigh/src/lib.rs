//! What `meeting` weighs in a browser: everything behind `hosted::Meeting` and what goes with it, with
//! exports that leave the linker nothing to take out. `scripts/wasm-size.sh` builds it. What it gives
//! is of no use; bytes go in one by one, so that nothing here reads memory by its address.

#![allow(unsafe_code)] // names for exports are

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use sottovoce::meeting::hosted::Meeting;
use sottovoce::meeting::links::{Link, Links, RelayRef};
use sottovoce::meeting::verify::{Language, MeetingWords};
use sottovoce::meeting::{
    Command, Frame, Input, Notice, Output, Presence, StayId, Surface, Who, display_safe,
};
use sottovoce::wire::{ControlReader, GroupNumber, ParticipantId, TrackId, encode_control};

#[derive(Default)]
struct Held {
    input: Vec<u8>,
    output: Vec<u8>,
    meeting: Option<Meeting>,
}

thread_local! {
    static HELD: RefCell<Held> = RefCell::default();
}

fn with<T: Default>(work: impl FnOnce(&mut Held) -> Option<T>) -> T {
    HELD.with_borrow_mut(|held| work(held).unwrap_or_default())
}

/// One more byte of what the next call takes.
#[unsafe(no_mangle)]
pub extern "C" fn put(byte: u32) {
    with(|held| Some(held.input.push(byte as u8)));
}

/// One byte of what the last call gave.
#[unsafe(no_mangle)]
pub extern "C" fn get(index: u32) -> u32 {
    with(|held| held.output.get(index as usize).map(|byte| u32::from(*byte)))
}

/// Draws a meeting's links.
#[unsafe(no_mangle)]
pub extern "C" fn draw(co_hosts: u32) -> u32 {
    with(|held| {
        let input = std::mem::take(&mut held.input);
        let (seed, rest) = input.split_first_chunk()?;
        let text = std::str::from_utf8(rest).ok()?;
        let (host, title) = text.split_once('\n')?;
        let relay = RelayRef {
            host: host.into(),
            port: co_hosts as u16,
            hashes: Vec::new(),
            pass: None,
        };
        let links = Links::draw(vec![relay], title, co_hosts as usize, false, *seed).ok()?;
        held.output = format!("{}\n{}\n{:?}", links.meeting, links.host, links.co_hosts).into();
        Some(1)
    })
}

/// Begins: a seed, a presence, a link.
#[unsafe(no_mangle)]
pub extern "C" fn begin(signs: u32) -> u32 {
    with(|held| {
        let input = std::mem::take(&mut held.input);
        let (seed, rest) = input.split_first_chunk()?;
        let (presence, link) = postcard::take_from_bytes::<Presence>(rest).ok()?;
        let link = Link::parse(std::str::from_utf8(link).ok()?).ok()?;
        let words = MeetingWords::of_bundle(&link.meeting().bundle.0)?;
        held.output = words.words(Language::English).join(" ").into();
        held.meeting = Some(Meeting::new(link, presence, signs != 0, false, *seed));
        Some(1)
    })
}

/// Something happens.
#[unsafe(no_mangle)]
pub extern "C" fn happens(now: u32, what: u32, a: u32, b: u32, c: u32) -> u32 {
    with(|held| {
        let bytes = Bytes::from(std::mem::take(&mut held.input));
        let input = input(what, (a, b, c), bytes)?;
        let meeting = held.meeting.as_mut()?;
        meeting.handle(Duration::from_millis(u64::from(now)), input);
        let due = meeting.deadline().unwrap_or_default();
        Some(due.as_millis() as u32)
    })
}

fn input(what: u32, (a, b, c): (u32, u32, u32), bytes: Bytes) -> Option<Input> {
    let (stay, from, track) = (StayId(a), ParticipantId(b), TrackId(c as u8));
    let text = || String::from_utf8(bytes.to_vec()).ok();
    Some(match what {
        0 => Input::Tick,
        1 => Input::Connected {
            stay,
            relay: b as usize,
        },
        2 => Input::Lost { stay },
        3 => {
            let mut reader = ControlReader::new();
            reader.push(&bytes).ok()?;
            let message = reader.next().ok()??;
            Input::Relay { stay, message }
        }
        4 => Input::Datagram {
            stay,
            from,
            track,
            payload: bytes,
        },
        5 => Input::GroupFrame {
            stay,
            from,
            track,
            group: GroupNumber(c >> 8),
            bytes,
        },
        6 => Input::Send(Frame {
            track,
            group: GroupNumber(a),
            number: u64::from(b),
            timestamp_ns: u64::from(b) * 20,
            keyframe: a & 1 == 1,
            invisible: false,
            duration_ns: None,
            discard_padding_ns: None,
            payload: bytes,
        }),
        7 => Input::Ended {
            track,
            frames: u64::from(b),
        },
        8 => Input::Listen {
            who: Who(b),
            track,
            on: a != 0,
        },
        9 => Input::Command(Command::Say(text()?)),
        10 => Input::Command(Command::Who),
        11 => Input::Command(Command::Admit(a)),
        12 => Input::Command(Command::AdmitAll(a != 0)),
        13 => Input::Command(Command::Deny(a)),
        14 => Input::Command(Command::Remove(Who(a))),
        15 => Input::Command(Command::Lock(a != 0)),
        16 => Input::Command(Command::AskQuiet),
        _ => Input::Goodbye,
    })
}

/// The next thing that follows; 0 when that was all.
#[unsafe(no_mangle)]
pub extern "C" fn follows() -> u32 {
    with(|held| {
        let output = held.meeting.as_mut()?.poll()?;
        held.output.clear();
        Some(follow(output, &mut held.output))
    })
}

fn follow(output: Output, out: &mut Vec<u8>) -> u32 {
    match output {
        Output::Enter { stay } => stay.0 << 8 | 1,
        Output::Leave { stay } => stay.0 << 8 | 2,
        Output::Main(stay) => stay.0 << 8 | 3,
        Output::Control { stay, message } => {
            out.extend(encode_control(&message).unwrap_or_default());
            stay.0 << 8 | 4
        }
        Output::Datagram { payload, .. } => {
            out.extend_from_slice(&payload);
            5
        }
        Output::GroupFrame { bytes, .. } => {
            out.extend_from_slice(&bytes);
            6
        }
        Output::Inside => 7,
        Output::Appeared { who, presence } => {
            out.extend(display_safe(&presence.name).bytes());
            who.0 << 8 | 8
        }
        Output::Departed { who } | Output::Unheard { who } | Output::Goodbye { who } => {
            who.0 << 8 | 9
        }
        Output::Frame { who, frame } => {
            out.extend_from_slice(&frame.payload);
            who.0 << 8 | 10
        }
        Output::Ended { frames, .. } => (frames as u32) << 8 | 11,
        Output::Rejected(rejection) => (rejection as u32) << 8 | 12,
        Output::Told(notice) => {
            match notice {
                Notice::Title(text) | Notice::Link(text) => *out = text.into(),
                Notice::Chat { text, .. } => *out = text.into(),
                Notice::Knocking { name, .. } => *out = name.into(),
                Notice::Roster(all) => out.extend(all.iter().flat_map(|one| one.name.bytes())),
                _ => {}
            }
            13
        }
        Output::Over(_) => 14,
    }
}
