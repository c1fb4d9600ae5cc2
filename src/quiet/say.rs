//! The only way an event leaves the process: one line on standard error, with no time in it.

use std::sync::{Mutex, PoisonError};

use super::once::Said;
use super::{Event, Level, stderr};

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A sentence a line.
    Text,
    /// A JSON object a line.
    Json,
}

struct Voice {
    format: Format,
    /// Says events up to this level; `None`: none.
    loudest: Option<Level>,
    said: Said,
}

static VOICE: Mutex<Voice> = Mutex::new(Voice {
    format: Format::Text,
    loudest: Some(Level::Warn),
    said: Said::nothing(),
});

/// Says an event, if its level is on and it was not said already (see [`super::once`]). Never fails
/// and never waits: a shard calls it.
pub fn log(event: Event) {
    let mut voice = VOICE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(line) = voice.line(event) {
        stderr::write(&line);
    }
}

/// Chooses the format, and the level by what `RUST_LOG` holds.
pub(super) fn set(format: Format, rust_log: Option<&str>) {
    let mut voice = VOICE.lock().unwrap_or_else(PoisonError::into_inner);
    voice.format = format;
    voice.loudest = loudest(rust_log.unwrap_or_default());
}

/// The format that was chosen, if that can be told without waiting.
pub(super) fn format() -> Format {
    VOICE.try_lock().map_or(Format::Text, |voice| voice.format)
}

impl Voice {
    fn line(&mut self, event: Event) -> Option<String> {
        if self.loudest < Some(event.level()) || !self.said.may(event) {
            return None;
        }
        Some(match self.format {
            Format::Text => format!("sottovoce: {event}\n"),
            Format::Json => event.json() + "\n",
        })
    }
}

/// The level that `RUST_LOG` asks of us: its last bare level, or that of `sottovoce=`. Whatever
/// it asks of others is not heard.
fn loudest(rust_log: &str) -> Option<Level> {
    let mut chosen = Some(Level::Warn);
    for directive in rust_log.split(',') {
        let (target, level) = directive
            .split_once('=')
            .unwrap_or(("sottovoce", directive));
        if target.trim() != "sottovoce" {
            continue;
        }
        chosen = match level.trim().to_ascii_lowercase().as_str() {
            "off" | "error" => None,
            "warn" => Some(Level::Warn),
            "info" | "debug" | "trace" => Some(Level::Info),
            _ => chosen,
        };
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(format: Format, rust_log: &str) -> Voice {
        Voice {
            format,
            loudest: loudest(rust_log),
            said: Said::nothing(),
        }
    }

    #[test]
    fn rust_log_chooses_among_our_own_levels_alone() {
        assert_eq!(loudest(""), Some(Level::Warn));
        assert_eq!(loudest("nonsense,=,,x=y=z"), Some(Level::Warn));
        assert_eq!(loudest("off"), None);
        assert_eq!(loudest("TRACE"), Some(Level::Info));
        assert_eq!(loudest("quinn=trace"), Some(Level::Warn));
        assert_eq!(loudest("quinn=trace, sottovoce=info"), Some(Level::Info));
        assert_eq!(loudest("info,sottovoce=off"), None);
    }

    #[test]
    fn an_event_is_said_from_its_level_on() {
        let said = |rust_log, event| voice(Format::Text, rust_log).line(event).is_some();
        let (info, warn) = (Event::CertificateRotated, Event::CertificateKept);
        assert_eq!((said("off", info), said("off", warn)), (false, false));
        assert_eq!((said("", info), said("", warn)), (false, true));
        assert_eq!((said("trace", info), said("trace", warn)), (true, true));
    }

    #[test]
    fn a_line_is_a_sentence_or_an_object() {
        let event = Event::Started { shards: 1 };
        let text = voice(Format::Text, "info").line(event);
        assert_eq!(
            text.as_deref(),
            Some("sottovoce: started; one thread serves everyone\n")
        );
        let json = voice(Format::Json, "info").line(event);
        assert_eq!(
            json.as_deref(),
            Some("{\"event\":\"started\",\"shards\":1}\n")
        );
    }
}
