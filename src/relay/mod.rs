//! Rooms, subscriptions, the beat.
//!
//! It may know: room handles, participant ids, tracks, groups.
//! It must never know: addresses, names, codecs, keys.
