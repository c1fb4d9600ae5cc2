//! Looks for all needles at once.

use std::cmp::Reverse;
use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::DrillError;
use super::needles::{Needle, Needles};

/// A needle that was found, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Hit {
    /// Its number in [`Search::needle`].
    pub(super) needle: usize,
    /// Of its first byte.
    pub(super) at: usize,
}

/// A search for some needles.
pub(super) struct Search {
    needles: Needles,
    automaton: AhoCorasick,
}

impl Search {
    pub(super) fn new(needles: Needles) -> Result<Self, DrillError> {
        let patterns = needles.all().iter().map(|needle| &needle.bytes);
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(patterns)
            .map_err(|_| DrillError::Random)?;
        Ok(Self { needles, automaton })
    }

    pub(super) fn needles(&self) -> &Needles {
        &self.needles
    }

    pub(super) fn needle(&self, hit: Hit) -> Option<&Needle> {
        self.needles.all().get(hit.needle)
    }

    /// Everything that is in `bytes`. What lies within something longer of the same owner is a part
    /// of that, and no hit of its own.
    pub(super) fn hits(&self, bytes: &[u8]) -> Vec<Hit> {
        let found = self.automaton.find_overlapping_iter(bytes);
        let found = found.map(|found| {
            let needle = found.pattern().as_usize();
            let at = found.start();
            (Hit { needle, at }, found.end())
        });
        let mut found: Vec<(Hit, usize)> = found.collect();
        found.sort_by_key(|(hit, end)| (hit.at, Reverse(*end)));
        let mut reached = HashMap::new();
        found.retain(|&(hit, end)| {
            let owner = self.needle(hit).map(|needle| (needle.kind, needle.whose));
            let reached = reached.entry(owner).or_insert(0);
            let is_part = end <= *reached;
            *reached = end.max(*reached);
            !is_part
        });
        found.into_iter().map(|(hit, _)| hit).collect()
    }

    /// How likely it is that one of the short needles stands in so many random bytes by chance.
    pub(super) fn chance(&self, random_bytes: usize) -> f64 {
        let short = self.needles.all().iter().filter(|needle| needle.is_short());
        let each = short.map(|needle| match needle.bytes.len() {
            4 => 2f64.powi(-32),
            _ => 2f64.powi(-40),
        });
        each.sum::<f64>() * random_bytes as f64
    }
}
