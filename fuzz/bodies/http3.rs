//! What a peer says over HTTP/3 on its way to a session of WebTransport.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use sottovoce::carrier::server::{Trial, Tried};

/// A stream by its direction and number: what came on it, and what of that was the vocabulary's.
type Streams = HashMap<(bool, u64), (Vec<u8>, Vec<u8>)>;

/// The input is a script: whether a session may be had, then steps of three bytes and what these say
/// follows. The first says what happens, and on which of 16 streams of a direction.
pub fn http3(data: &[u8]) {
    let Some((&first, mut rest)) = data.split_first() else {
        return;
    };
    let mut trial = Trial::new(first & 1 == 0);
    let (mut streams, mut over) = (Streams::new(), HashSet::new());
    let mut sessions = 0;
    while let Some((&[step, high, low], after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low])).min(after.len());
        let number = u64::from(step >> 4);
        let is_bidi = step & 8 != 0;
        let stream = (is_bidi, number);
        rest = after;
        match step & 7 {
            0..4 if !over.contains(&stream) => {
                let (bytes, after) = after.split_at(length);
                rest = after;
                let (came, _) = streams.entry(stream).or_default();
                came.extend_from_slice(bytes);
                let mut bytes = Bytes::copy_from_slice(bytes);
                // A head may be told without a byte taken; nothing else.
                let mut patience = 2 * bytes.len() + 2;
                while !bytes.is_empty() {
                    patience = patience.checked_sub(1).expect("bytes are taken");
                    match trial.stream(is_bidi, number, &mut bytes) {
                        Tried::Nothing => {}
                        Tried::Ours(ours) => {
                            let (came, taken) = streams.entry(stream).or_default();
                            taken.extend_from_slice(&ours);
                            assert!(came.ends_with(taken), "bytes that were never sent");
                            assert!(sessions == 1, "a stream of no session");
                        }
                        Tried::Answer(answer) => is_headers(answer),
                        Tried::Session(answer) => {
                            is_headers(answer);
                            sessions += 1;
                            assert!(first & 1 == 0 && sessions == 1);
                        }
                        Tried::Useless => {
                            over.insert(stream);
                            break;
                        }
                        Tried::Over => return,
                    }
                }
            }
            4 | 5 if over.insert(stream) => match trial.end(is_bidi, number, step & 1 == 0) {
                Tried::Over => return,
                end => assert!(matches!(end, Tried::Nothing | Tried::Useless)),
            },
            6 => {
                let (bytes, after) = after.split_at(length);
                rest = after;
                match trial.datagram(Bytes::copy_from_slice(bytes)) {
                    Tried::Ours(ours) => {
                        assert!(
                            sessions == 1 && ours.len() < bytes.len() && bytes.ends_with(&ours)
                        );
                    }
                    Tried::Over => return,
                    end => assert!(matches!(end, Tried::Nothing)),
                }
            }
            7 => trial.second(),
            _ => {}
        }
    }
}

/// One frame HEADERS, whole.
fn is_headers(answer: &[u8]) {
    assert!(answer[0] == 0x01 && usize::from(answer[1]) == answer.len() - 2);
}
