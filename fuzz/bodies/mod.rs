//! What each fuzz target does with its input: one function a decoder. `fuzz/targets/` gives them
//! to libFuzzer, `tests/fuzz_targets_smoke.rs` runs them on the stable toolchain.
//!
//! A body panics when a decoder breaks a promise; that the decoder itself doesn't panic, doesn't
//! hang and allocates no more than its input warrants is for the runner to see.

mod control;
mod datagram;
mod group;
mod http3;
mod insider;
mod lobby;
mod meeting;
mod papers;
mod signed;

pub use control::{control_from_relay, control_to_relay, hello_version};
pub use datagram::{bundle, uplink};
pub use group::{group_frames, group_headers};
pub use http3::http3;
pub use lobby::{lobby_body, sas_message};
pub use meeting::{insider_body, insider_frame, link, sealed_body, sealed_frame};
pub use papers::papers;
pub use signed::{attest, beat};

/// A target: its name, which is also the folder of its seeds, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
#[allow(dead_code)] // libFuzzer's targets name one each.
pub const TARGETS: &[Target] = &[
    ("control_to_relay", control_to_relay),
    ("control_from_relay", control_from_relay),
    ("hello_version", hello_version),
    ("uplink", uplink),
    ("bundle", bundle),
    ("group_headers", group_headers),
    ("group_frames", group_frames),
    ("link", link),
    ("sealed_body", sealed_body),
    ("insider_body", insider_body),
    ("sealed_frame", sealed_frame),
    ("insider_frame", insider_frame),
    ("lobby_body", lobby_body),
    ("sas_message", sas_message),
    ("beat", beat),
    ("attest", attest),
    ("papers", papers),
    ("http3", http3),
];

/// The input as a peer would bring it: the first byte says in pieces of how many bytes (0: all at
/// once), the rest is the stream.
fn pieces(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (size, stream) = data.split_first().unwrap_or((&0, &[]));
    let size = match size {
        0 => stream.len().max(1),
        size => usize::from(*size),
    };
    stream.chunks(size)
}
