//! What may be where: whether something found is allowed, and why; and how often what was found.

use std::collections::BTreeMap;

use super::canary::{Kind, Register, Whose};
use super::needles::{Form, Needle};

/// How something in memory stands.
pub(super) struct Standing {
    /// The meeting runs.
    pub(super) running: bool,
    /// Its owner is there, or has just left.
    pub(super) there: bool,
    /// It stands as the airlock holds addresses.
    pub(super) in_airlock: bool,
    /// It stood at its place in all looks.
    pub(super) stays: bool,
    /// Stand-ins are known. Without them nothing says how this relay's airlock holds addresses.
    pub(super) stand_ins: bool,
}

/// Why it may be in memory; `None` when it may not.
pub(super) fn allowed(needle: &Needle, how: &Standing) -> Option<&'static str> {
    match needle.kind {
        Kind::PeerText if how.there && needle.form == Form::Text => {
            Some("TLS and QUIC hold it while its sender is there")
        }
        _ if is_never_allowed(needle) => None,
        Kind::StandIn if how.running && !how.there => {
            Some("names nobody any more; QUIC's tables or a stack keep it until all have gone")
        }
        Kind::ConnectionId if how.running => {
            Some("in QUIC's state; its tables keep it until all have gone")
        }
        _ if !how.there => None,
        Kind::Address if how.in_airlock || !how.stays || !how.stand_ins => {
            Some("in the airlock, or on its way through, while its owner is there")
        }
        Kind::StandIn => Some("stands for its owner while that is there"),
        Kind::Room => Some("the room is there"),
        Kind::Passed => Some("passed on while its sender is there"),
        _ => None,
    }
}

/// Whether it may be in no relay's memory at any time.
pub(super) fn is_never_allowed(needle: &Needle) -> bool {
    let unseen = matches!(
        needle.kind,
        Kind::Name | Kind::Chat | Kind::Payload | Kind::Secret | Kind::Request
    );
    unseen || !(needle.form.is_raw() || needle.kind == Kind::PeerText && needle.form == Form::Text)
}

/// What was found of one kind at one place.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) found: usize,
    /// Of these, patterns so short that chance can make them.
    pub(super) short: usize,
    pub(super) details: BTreeMap<String, usize>,
}

/// By kind, and by why it is allowed.
pub(super) type Tallies = BTreeMap<(Kind, Option<&'static str>), Tally>;

impl Tally {
    /// One more, at a place.
    pub(super) fn note(&mut self, register: &Register, needle: &Needle, place: &str) {
        let (whose, form): (Whose, Form) = (needle.whose, needle.form);
        let what = format!("{}, {} {place}", register.what(whose), form.words());
        *self.details.entry(what).or_default() += 1;
        self.short += usize::from(needle.is_short());
    }
}
