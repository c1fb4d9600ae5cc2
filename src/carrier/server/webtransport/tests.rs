//! What peers may say over HTTP/3, and what it means.

use bytes::Bytes;
use proptest::prelude::*;
use quinn_proto::{Dir, Side, StreamId};

use super::super::super::limits::{HTTP_BYTES, HTTP_STREAM};
use super::code::Code;
use super::fields::{ACCEPTED, LARGEST, NOT_FOUND, TOO_LARGE, UNAVAILABLE};
use super::head::put;
use super::http::{CLOSE_SESSION, Ended, Http, Ours, Said};

/// What Chromium says first: SETTINGS, and PRIORITY_UPDATE of its request.
const CONTROL: &[u8] =
    b"\x00\x04\x0f\x01\x80\x01\x00\x00\x06\x80\x01\x00\x00\x33\x01\x40\x40\x01\x40\x80\x0f\x07\x00\x04\x00u=1";
/// CONNECT, https, and the rest with a path and an authority that nobody reads.
const CONNECT: &[u8] = b"\x01\x33\x00\x00\xcf\xd7\x50\x0e127.0.0.1:4433\
    \x51\x05/meet\x27\x02:protocol\x0cwebtransport";
const GET: &[u8] = b"\x01\x0f\x00\x00\xd1\xd7\x50\x05relay\x51\x01/\xc1";

fn bidi(number: u64) -> StreamId {
    StreamId::new(Side::Client, Dir::Bi, number)
}

fn uni(number: u64) -> StreamId {
    StreamId::new(Side::Client, Dir::Uni, number)
}

/// All that bytes mean, in pieces of at most so many; `More` is put together.
fn said(http: &mut Http, id: StreamId, bytes: &[u8], piece: usize) -> Result<Vec<Said>, Code> {
    let mut all: Vec<Said> = Vec::new();
    for piece in bytes.chunks(piece) {
        let mut piece = Bytes::copy_from_slice(piece);
        while !piece.is_empty() {
            match (http.take(id, &mut piece)?, all.last_mut()) {
                (Said::Nothing, _) => {}
                (Said::More(_, more), Some(Said::More(_, before))) => {
                    *before = [&before[..], &more].concat().into();
                }
                (useless @ (Said::Useless(_) | Said::Request(_)), _) => {
                    all.push(useless);
                    return Ok(all);
                }
                (said, _) => all.push(said),
            }
        }
    }
    Ok(all)
}

fn say(http: &mut Http, id: StreamId, bytes: &[u8]) -> Result<Vec<Said>, Code> {
    said(http, id, bytes, usize::MAX)
}

/// A peer with a session on its first request.
fn in_session() -> Http {
    let mut http = Http::new(true);
    let connected = say(&mut http, bidi(0), CONNECT);
    assert_eq!(connected, Ok(vec![Said::SessionBegins(ACCEPTED)]));
    http
}

fn more(ours: Ours, bytes: &'static [u8]) -> Said {
    Said::More(ours, Bytes::from_static(bytes))
}

#[test]
fn a_browser_is_understood_however_its_bytes_are_cut() {
    for piece in 1..80 {
        let mut http = Http::new(true);
        let mut says = |id, bytes: &[u8]| said(&mut http, id, bytes, piece);
        assert_eq!(says(uni(0), CONTROL), Ok(vec![]));
        assert_eq!(says(uni(1), b"\x02\x3f\xe1\x1f"), Ok(vec![]));
        assert_eq!(says(uni(2), b"\x03"), Ok(vec![]));
        let connected = says(bidi(0), CONNECT);
        assert_eq!(connected, Ok(vec![Said::SessionBegins(ACCEPTED)]));
        assert_eq!(
            says(bidi(1), b"\x40\x41\x00hello"),
            Ok(vec![
                Said::Begins(Ours::Control),
                more(Ours::Control, b"hello")
            ])
        );
        assert_eq!(
            says(uni(3), b"\x40\x54\x00picture"),
            Ok(vec![
                Said::Begins(Ours::Group),
                more(Ours::Group, b"picture")
            ])
        );
        assert_eq!(http.ended(uni(3), true), Ok(Ended::Ours(Ours::Group)));
        assert_eq!(http.ended(bidi(1), true), Ok(Ended::Ours(Ours::Control)));
        let sound = http.datagram(Bytes::from_static(b"\x00sound"));
        assert_eq!(sound, Ok(Some(Bytes::from_static(b"sound"))));
    }
}

#[test]
fn whoever_asks_for_something_else_is_answered_as_by_a_plain_site() {
    let huge = [&[0x01, 0x40 | (LARGEST >> 8) as u8, 1][..], &[0; 100]].concat();
    let grease = [b"\x21\x03abc", GET].concat();
    for (request, answer) in [(GET, NOT_FOUND), (&grease, NOT_FOUND), (&huge, TOO_LARGE)] {
        let mut http = Http::new(true);
        let answered = Ok(vec![Said::Request(answer)]);
        assert_eq!(say(&mut http, bidi(0), request), answered);
        assert_eq!(http.ended(bidi(0), true), Ok(Ended::Nothing), "it is done");
        // A session on a later request has another number.
        assert!(say(&mut http, bidi(3), CONNECT).is_ok() && http.session() == Some(bidi(3)));
        let group = say(&mut http, uni(0), b"\x40\x54\x0cx");
        assert_eq!(
            group,
            Ok(vec![Said::Begins(Ours::Group), more(Ours::Group, b"x")])
        );
        let datagram = |bytes| http.datagram(Bytes::from_static(bytes));
        assert_eq!(datagram(b"\x03x"), Ok(Some(Bytes::from_static(b"x"))));
        assert_eq!(datagram(b"\x00x"), Ok(None));
    }
}

#[test]
fn there_is_one_session_and_only_where_it_may_be() {
    let mut http = in_session();
    let rejected = Ok(vec![Said::Useless(Code::REQUEST_REJECTED)]);
    assert_eq!(say(&mut http, bidi(1), CONNECT), rejected);
    assert_eq!(http.session(), Some(bidi(0)));

    let unavailable = Ok(vec![Said::Request(UNAVAILABLE)]);
    let mut closed = Http::new(true);
    closed.refuse_sessions();
    for http in [&mut closed, &mut Http::new(false)] {
        assert_eq!(say(http, bidi(0), CONNECT), unavailable);
        assert_eq!(say(http, bidi(1), GET), Ok(vec![Said::Request(NOT_FOUND)]));
    }
    // Its number would be two bytes of each datagram.
    let mut http = Http::new(true);
    assert_eq!(say(&mut http, bidi(64), CONNECT), unavailable);
    assert!(say(&mut http, bidi(63), CONNECT).is_ok() && http.session() == Some(bidi(63)));
}

#[test]
fn streams_and_datagrams_of_no_session_are_turned_down() {
    let no_session = Ok(vec![Said::Useless(Code::NO_SESSION)]);
    let mut http = Http::new(true);
    assert_eq!(say(&mut http, uni(0), b"\x40\x54\x00x"), no_session);
    assert_eq!(say(&mut http, bidi(1), b"\x40\x41\x00x"), no_session);
    assert_eq!(http.datagram(Bytes::from_static(b"\x00x")), Ok(None));
    let mut http = in_session();
    assert_eq!(say(&mut http, uni(0), b"\x40\x54\x04x"), no_session);
    // Our vocabulary has one control stream.
    let begun = say(&mut http, bidi(1), b"\x40\x41\x00");
    assert_eq!(begun, Ok(vec![Said::Begins(Ours::Control)]));
    let second = Ok(vec![Said::Useless(Code::of_stream(0))]);
    assert_eq!(say(&mut http, bidi(2), b"\x40\x41\x00x"), second);
}

#[test]
fn a_session_ends_in_every_way_that_there_is() {
    // With a code and a text, which are nobody's business.
    let mut close = Vec::new();
    put(&mut close, CLOSE_SESSION);
    close.extend(b"\x08\x00\x00\x00\x07gone");
    // Capsules in DATA, behind one that nobody knows; the frame is cut in the middle.
    let capsules = [b"\x80\x0f\x07\x00\x02hm".to_vec(), close].concat();
    let (begin, end) = capsules.split_at(8);
    let frames = [
        &[0x00, begin.len() as u8][..],
        begin,
        b"\x21\x01x",
        &[0x00, end.len() as u8],
        end,
    ];
    for piece in 1..frames.concat().len() {
        let mut http = in_session();
        let mut ends = Vec::new();
        for piece in frames.concat().chunks(piece) {
            ends.extend(say(&mut http, bidi(0), piece).unwrap());
        }
        assert_eq!(ends.first(), Some(&Said::SessionEnds));
        assert_eq!(http.session(), None);
        // And there will not be another.
        let again = say(&mut http, bidi(1), CONNECT);
        assert_eq!(again, Ok(vec![Said::Useless(Code::REQUEST_REJECTED)]));
    }
    for well in [true, false] {
        let mut http = in_session();
        assert_eq!(http.ended(bidi(0), well), Ok(Ended::SessionEnds));
        assert_eq!(http.session(), None);
    }
}

#[test]
fn what_nobody_knows_is_left_alone() {
    let mut http = in_session();
    let useless = Ok(vec![Said::Useless(Code::STREAM_CREATION)]);
    assert_eq!(say(&mut http, uni(0), b"\x40\x40grease"), useless);
    assert_eq!(say(&mut http, uni(1), b"\x21"), useless);
    let control = [CONTROL, b"\x40\x40\x02hm\x07\x01\x00\x0d\x01\x00"].concat();
    assert_eq!(say(&mut http, uni(2), &control), Ok(vec![]));
    assert_eq!(
        http.ended(uni(9), true),
        Ok(Ended::Nothing),
        "never heard of"
    );
    // A stream that ends before it says what it is.
    assert_eq!(say(&mut http, uni(3), b"\x40"), Ok(vec![]));
    assert_eq!(http.ended(uni(3), false), Ok(Ended::Nothing));
    for cut in [&b""[..], b"\x21\x00", b"\x40"] {
        let mut http = Http::new(true);
        assert_eq!(say(&mut http, bidi(0), cut), Ok(vec![]));
        let incomplete = Ok(Ended::Useless(Code::REQUEST_INCOMPLETE));
        let known = if cut.is_empty() {
            Ok(Ended::Nothing)
        } else {
            incomplete
        };
        assert_eq!(http.ended(bidi(0), true), known, "{cut:x?}");
    }
}

#[test]
fn what_breaks_the_protocol_ends_the_connection() {
    let uni_faults: [(&[u8], Code); 12] = [
        (b"\x00\x00\x01x", Code::MISSING_SETTINGS),
        (b"\x00\x21\x01x", Code::MISSING_SETTINGS),
        (b"\x00\x04\x44\x01", Code::EXCESSIVE_LOAD),
        (b"\x00\x04\x02\x33\x02", Code::SETTINGS),
        (b"\x00\x04\x02\x04\x00", Code::SETTINGS),
        (b"\x00\x04\x01\x33", Code::FRAME),
        (b"\x00\x04\x00\x04\x00", Code::FRAME_UNEXPECTED),
        (b"\x00\x04\x00\x00\x00", Code::FRAME_UNEXPECTED),
        (b"\x00\x04\x00\x01\x00", Code::FRAME_UNEXPECTED),
        (b"\x00\x04\x00\x06\x00", Code::FRAME_UNEXPECTED),
        (b"\x01", Code::STREAM_CREATION),
        (b"\x40\x54\x01", Code::ID),
    ];
    let bidi_faults: [(&[u8], Code); 7] = [
        (b"\x00\x01x", Code::FRAME_UNEXPECTED),
        (b"\x04\x00", Code::FRAME_UNEXPECTED),
        (b"\x05\x00", Code::FRAME_UNEXPECTED),
        (b"\x08\x00", Code::FRAME_UNEXPECTED),
        (b"\x01\x03\x02\x00\xd1", Code::DECOMPRESSION_FAILED),
        (b"\x01\x03\x00\x00\x80", Code::DECOMPRESSION_FAILED),
        (b"\x40\x41\x02", Code::ID),
    ];
    let uni_faults = uni_faults.map(|fault| (uni(0), fault));
    let faults = uni_faults.into_iter();
    for (id, (bytes, code)) in faults.chain(bidi_faults.map(|fault| (bidi(0), fault))) {
        for piece in 1..=bytes.len() {
            let ends = said(&mut Http::new(true), id, bytes, piece);
            assert_eq!(ends, Err(code), "{bytes:x?}");
        }
    }
    for twice in [&b"\x00"[..], b"\x02", b"\x03"] {
        let mut http = Http::new(true);
        say(&mut http, uni(0), twice).unwrap();
        assert_eq!(say(&mut http, uni(1), twice), Err(Code::STREAM_CREATION));
        let critical = Err(Code::CLOSED_CRITICAL_STREAM);
        assert_eq!(http.ended(uni(0), true), critical);
    }
    let mut http = Http::new(true);
    say(&mut http, bidi(0), &GET[..8]).unwrap();
    assert_eq!(http.ended(bidi(0), true), Err(Code::FRAME), "cut off");
    let mut http = in_session();
    let goaway = say(&mut http, bidi(0), b"\x07\x00");
    assert_eq!(goaway, Err(Code::FRAME_UNEXPECTED));
    for empty in [&b""[..], b"\x40"] {
        let datagram = http.datagram(Bytes::from_static(empty));
        assert_eq!(datagram, Err(Code::DATAGRAM));
    }
    let request = say(&mut http, bidi(1), b"\x01\x02\x00\x00");
    assert_eq!(request, Ok(vec![Said::Useless(Code::MESSAGE)]));
}

/// How often something is heard until there is too much of it.
fn patience(mut http: Http, mut say: impl FnMut(&mut Http, u64) -> Result<(), Code>) -> u64 {
    let times = (0..).find(|&time| match say(&mut http, time) {
        Ok(()) => false,
        Err(code) => {
            assert_eq!(code, Code::EXCESSIVE_LOAD);
            true
        }
    });
    // A second later there is room for one more.
    http.refill();
    let times = times.unwrap();
    assert_eq!(say(&mut http, times + 1), Ok(()));
    times
}

#[test]
fn nobody_may_talk_http_without_end() {
    let most = HTTP_BYTES / HTTP_STREAM;
    let streams: [(&str, &[u8]); 3] = [
        ("unknown", b"\x21"),
        ("of no session", b"\x40\x54\x04"),
        ("without a head", b"\x40"),
    ];
    for (what, bytes) in streams {
        let times = patience(Http::new(true), |http, time| {
            say(http, uni(time), bytes)?;
            http.ended(uni(time), false).map(drop)
        });
        assert_eq!(times, most, "{what}");
    }
    let requests = patience(Http::new(true), |http, time| {
        say(http, bidi(time), GET).map(drop)
    });
    assert!((most / 2..most).contains(&requests));
    let frames = patience(in_session(), |http, _| {
        say(http, bidi(0), b"\x21\x40\x40")?;
        say(http, bidi(0), &[0; 64]).map(drop)
    });
    assert!((500..1000).contains(&frames));
    let tables = patience(Http::new(true), |http, time| {
        let bytes: &[u8] = if time == 0 { b"\x02" } else { &[0; 1000] };
        say(http, uni(0), bytes).map(drop)
    });
    assert!((60..70).contains(&tables));
}

proptest! {
    /// Total, and it holds a few bytes for each stream that is open.
    #[test]
    fn anything_may_be_said(
        what in prop::collection::vec(
            (any::<bool>(), 0..4_u64, prop::collection::vec(any::<u8>(), 0..40), any::<u8>()),
            0..60,
        ),
        begins_well in any::<bool>(),
    ) {
        let mut http = if begins_well { in_session() } else { Http::new(true) };
        for (is_bidi, number, mut bytes, kind) in what {
            let id = if is_bidi { bidi(number) } else { uni(number) };
            // Most of what is random is a stream that nobody knows.
            if let Some(first) = bytes.first_mut() {
                *first %= 10;
            }
            if kind < 40 {
                bytes = CONNECT[..usize::from(kind)].to_vec();
            }
            let heard = say(&mut http, id, &bytes).map(drop);
            let heard = heard.and_then(|()| match kind {
                200.. => http.ended(id, kind % 2 == 0).map(drop),
                _ => http.datagram(bytes.clone().into()).map(drop),
            });
            if heard.is_err() {
                break;
            }
        }
    }
}
