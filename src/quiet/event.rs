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
/// list of its times would tell. (The relay's own address, when it is ready and when it is another,
/// is on standard output.)
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
    /// The certificate files that the configuration names were read again, and hold another one.
    ConfigReloaded,
    /// Another certificate was due and could not be had (the operator's files, or the clock); the
    /// one from before stays.
    CertificateKept,
    /// A shard does not keep its beat: the machine is too small for what it carries.
    Overloaded {
        /// Which shard.
        shard: u16,
        /// How many of its beats came too late, in percent.
        late_percent: u8,
    },
    /// Newcomers are turned away: as many rooms or participants as the configuration allows.
    Full,
    /// The system refused one of the measures against a look into the process.
    NotHardened {
        /// Which.
        measure: HardenError,
    },
    /// The relay began to stop.
    Stopping,
    /// The relay is about to end.
    Stopped {
        /// Whether all connections were told.
        drain: Drain,
    },
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
            | Self::Stopping
            | Self::Stopped { .. } => Level::Info,
            Self::CertificateKept
            | Self::Overloaded { .. }
            | Self::Full
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
            Self::Full => ("full", 6),
            Self::NotHardened { .. } => ("not_hardened", 7),
            Self::Stopping => ("stopping", 8),
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
            Self::Overloaded {
                shard,
                late_percent,
            } => {
                format!(r#","shard":{shard},"late_percent":{late_percent}"#)
            }
            Self::NotHardened { measure } => format!(r#","measure":"{}""#, measure.name()),
            Self::Stopped { drain } => format!(r#","drain":"{}""#, drain.name()),
            Self::CertificateRotated
            | Self::ConfigReloaded
            | Self::CertificateKept
            | Self::Full
            | Self::Stopping => String::new(),
        };
        format!(r#"{{"event":"{}"{fields}}}"#, self.kind().0)
    }
}

/// The sentence for people.
impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { shards: 1 } => formatter.write_str("started; one thread serves everyone"),
            Self::Started { shards } => write!(formatter, "started; {shards} threads serve everyone"),
            Self::Listening { sockets: 1 } => formatter.write_str("listening on one address"),
            Self::Listening { sockets } => write!(formatter, "listening on {sockets} addresses"),
            Self::CertificateRotated => formatter.write_str("shows another certificate now"),
            Self::ConfigReloaded => formatter.write_str("read the certificate files again, and shows the new one"),
            Self::CertificateKept => formatter.write_str(
                "has no new certificate to show, and keeps the one from before; check the certificate files and this machine's clock, and restart the relay if they are in another folder now",
            ),
            // Which shard helps nobody to mend it; JSON has the number.
            Self::Overloaded { late_percent, .. } => write!(
                formatter,
                "overloaded: {late_percent} times in a hundred it sends too late to be of use; \
                 give the relay a faster machine, or lower limits (this is said once)"
            ),
            Self::Full => formatter.write_str(
                "full: turns newcomers away; the limits in its configuration allow no more rooms \
                 or participants (this is said once)",
            ),
            Self::NotHardened { measure } => write!(formatter, "{measure}"),
            Self::Stopping => formatter.write_str("stopping as asked"),
            Self::Stopped {
                drain: Drain::Complete,
            } => formatter.write_str("stopped; every connection was told"),
            Self::Stopped {
                drain: Drain::Partial,
            } => formatter.write_str("stopped; some connections did not answer in time"),
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
            late_percent: 35,
        },
        Event::Full,
        Event::NotHardened {
            measure: HardenError::CoreLimit,
        },
        Event::NotHardened {
            measure: HardenError::Dumpable,
        },
        Event::NotHardened {
            measure: HardenError::Privileges,
        },
        Event::NotHardened {
            measure: HardenError::Landlock,
        },
        Event::NotHardened {
            measure: HardenError::Seccomp,
        },
        Event::Stopping,
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

    /// A shard, a beat and a socket are words of the code.
    #[test]
    fn sentences_are_in_the_words_of_whoever_runs_a_relay() {
        let more = [
            Event::Started { shards: 4 },
            Event::Listening { sockets: 1 },
        ];
        for event in ALL.into_iter().chain(more) {
            let said = event.to_string();
            for word in ["shard", "beat", "socket", "(s)"] {
                assert!(!said.contains(word), "{said}");
            }
        }
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
            late_percent: 35,
        };
        assert_eq!(
            overloaded.json(),
            r#"{"event":"overloaded","shard":1,"late_percent":35}"#
        );
    }
}
