//! All that a relay ever says of itself.

use std::fmt;

use super::HardenError;

/// How much an [`Event`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The operator should do something.
    Warn,
    /// The relay's ordinary life.
    Info,
}

/// One thing that happened to the relay itself. There is none about a participant or a room, and
/// no field that could hold text: integers and closed enums alone. Adding one means asking what a
/// list of its times would tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The process began.
    Started {
        /// Threads that serve participants.
        shards: u16,
    },
    /// All sockets are bound.
    Listening {
        /// How many.
        sockets: u16,
    },
    /// Another certificate is shown from now on.
    CertificateRotated,
    /// The certificate files that the configuration names were read again.
    ConfigReloaded,
    /// The certificate files could not be used; the certificate from before stays.
    CertificateKept,
    /// A shard does not keep its beat: the machine is too small for what it carries.
    Overloaded {
        /// Which shard.
        shard: u16,
        /// How late its beat was, in milliseconds.
        late_ms: u32,
    },
    /// Newcomers are turned away, because the relay holds as much as it may.
    Full {
        /// As much of what.
        of: Bound,
    },
    /// The system refused one of the measures against a look into the process.
    NotHardened {
        /// Which.
        measure: HardenError,
    },
    /// The relay began to stop.
    Stopping {
        /// Why.
        cause: Cause,
    },
    /// The relay is about to end.
    Stopped {
        /// Whether all connections were told.
        drain: Drain,
    },
}

/// What a relay may hold only so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Rooms.
    Rooms,
    /// Participants.
    Participants,
    /// Handshakes under way.
    Handshakes,
}

/// Why a relay stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// SIGTERM or SIGINT.
    Signal,
    /// Its own decision: a socket or a thread is gone.
    Fault,
}

/// How far a stopping relay came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Every connection was told and is gone.
    Complete,
    /// Some did not answer in time.
    Partial,
}

impl Event {
    /// How much it matters.
    pub fn level(self) -> Level {
        match self {
            Self::Started { .. }
            | Self::Listening { .. }
            | Self::CertificateRotated
            | Self::ConfigReloaded
            | Self::Stopping { .. }
            | Self::Stopped { .. } => Level::Info,
            Self::CertificateKept
            | Self::Overloaded { .. }
            | Self::Full { .. }
            | Self::NotHardened { .. } => Level::Warn,
        }
    }

    /// Its name in JSON, and its number among [`Self::KINDS`].
    pub(super) fn kind(self) -> (&'static str, usize) {
        match self {
            Self::Started { .. } => ("started", 0),
            Self::Listening { .. } => ("listening", 1),
            Self::CertificateRotated => ("certificate_rotated", 2),
            Self::ConfigReloaded => ("config_reloaded", 3),
            Self::CertificateKept => ("certificate_kept", 4),
            Self::Overloaded { .. } => ("overloaded", 5),
            Self::Full { .. } => ("full", 6),
            Self::NotHardened { .. } => ("not_hardened", 7),
            Self::Stopping { .. } => ("stopping", 8),
            Self::Stopped { .. } => ("stopped", 9),
        }
    }

    /// How many kinds there are.
    pub(super) const KINDS: usize = 10;

    /// One line of JSON.
    pub(super) fn json(self) -> String {
        let fields = match self {
            Self::Started { shards } => format!(r#","shards":{shards}"#),
            Self::Listening { sockets } => format!(r#","sockets":{sockets}"#),
            Self::Overloaded { shard, late_ms } => {
                format!(r#","shard":{shard},"late_ms":{late_ms}"#)
            }
            Self::Full { of } => format!(r#","of":"{}""#, of.name()),
            Self::NotHardened { measure } => format!(r#","measure":"{}""#, measure.name()),
            Self::Stopping { cause } => format!(r#","cause":"{}""#, cause.name()),
            Self::Stopped { drain } => format!(r#","drain":"{}""#, drain.name()),
            Self::CertificateRotated | Self::ConfigReloaded | Self::CertificateKept => {
                String::new()
            }
        };
        format!(r#"{{"event":"{}"{fields}}}"#, self.kind().0)
    }
}

/// The sentence for people.
impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { shards } => write!(formatter, "started with {shards} shard(s)"),
            Self::Listening { sockets } => write!(formatter, "listening on {sockets} socket(s)"),
            Self::CertificateRotated => formatter.write_str("shows another certificate now"),
            Self::ConfigReloaded => formatter.write_str("read the certificate files again"),
            Self::CertificateKept => formatter.write_str(
                "could not use the certificate files; keeps the certificate from before",
            ),
            Self::Overloaded { shard, late_ms } => {
                write!(
                    formatter,
                    "overloaded: a beat of shard {shard} was {late_ms} ms late; \
                     give it a faster machine or set lower limits"
                )
            }
            Self::Full { of } => {
                let of = of.name();
                write!(
                    formatter,
                    "full: turns newcomers away, at its limit of {of}"
                )
            }
            Self::NotHardened { measure } => write!(formatter, "{measure}"),
            Self::Stopping {
                cause: Cause::Signal,
            } => formatter.write_str("stopping as asked"),
            Self::Stopping {
                cause: Cause::Fault,
            } => formatter.write_str("stopping for a fault of its own"),
            Self::Stopped {
                drain: Drain::Complete,
            } => formatter.write_str("stopped; every connection was told"),
            Self::Stopped {
                drain: Drain::Partial,
            } => formatter.write_str("stopped; some connections did not answer in time"),
        }
    }
}

impl Bound {
    fn name(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Participants => "participants",
            Self::Handshakes => "handshakes",
        }
    }
}

impl Cause {
    fn name(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Fault => "fault",
        }
    }
}

impl Drain {
    fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Event; 15] = [
        Event::Started { shards: 1 },
        Event::Listening { sockets: 2 },
        Event::CertificateRotated,
        Event::ConfigReloaded,
        Event::CertificateKept,
        Event::Overloaded {
            shard: 0,
            late_ms: 35,
        },
        Event::Full { of: Bound::Rooms },
        Event::Full {
            of: Bound::Participants,
        },
        Event::Full {
            of: Bound::Handshakes,
        },
        Event::NotHardened {
            measure: HardenError::CoreLimit,
        },
        Event::NotHardened {
            measure: HardenError::Dumpable,
        },
        Event::Stopping {
            cause: Cause::Signal,
        },
        Event::Stopping {
            cause: Cause::Fault,
        },
        Event::Stopped {
            drain: Drain::Complete,
        },
        Event::Stopped {
            drain: Drain::Partial,
        },
    ];

    #[test]
    fn each_kind_has_a_number_and_a_name_of_its_own() {
        let mut names = vec![None; Event::KINDS];
        for event in ALL {
            let (name, number) = event.kind();
            assert_eq!(*names[number].get_or_insert(name), name);
        }
        assert!(names.iter().all(Option::is_some));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), Event::KINDS);
    }

    #[test]
    fn json_is_one_object_a_line_with_the_name_first() {
        for event in ALL {
            let json = event.json();
            assert!(!json.contains('\n') && !event.to_string().contains('\n'));
            let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            assert_eq!(value["event"], event.kind().0);
        }
        let overloaded = Event::Overloaded {
            shard: 1,
            late_ms: 35,
        };
        assert_eq!(
            overloaded.json(),
            r#"{"event":"overloaded","shard":1,"late_ms":35}"#
        );
    }
}
