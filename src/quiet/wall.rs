//! What stands between the dependencies' `tracing` and the world. quinn prints a peer's address at
//! WARN when a send fails, and many more below. Our own events do not come this way (see
//! [`super::say`]), so that the wall has no door: it knows no target, level or field to let by.
//! Release builds leave these calls out altogether (`release_max_level_off` in `Cargo.toml`).

use std::sync::atomic::{AtomicBool, Ordering};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Event, Metadata, Subscriber};

use super::Overheard;

struct Wall;

static STANDS: AtomicBool = AtomicBool::new(false);

/// Takes the only place there is for a subscriber, for good.
pub(super) fn install() -> Result<(), Overheard> {
    if STANDS.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    set_global_default(Wall).map_err(|_| {
        STANDS.store(false, Ordering::SeqCst);
        Overheard
    })
}

impl Subscriber for Wall {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::never()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
