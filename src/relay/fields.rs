//! Every field of the configuration file, and which of them a slip of the pen may have meant.

/// One line of the configuration file.
pub(super) struct Field {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    /// What stands above it in the default file.
    pub(super) says: &'static str,
    /// Shown commented out when there is no default.
    pub(super) example: &'static str,
    pub(super) least: i64,
    pub(super) most: i64,
}

impl Field {
    /// Its value in a table of the whole configuration.
    pub(super) fn of<'a>(&self, all: &'a toml::Table) -> Option<&'a toml::Value> {
        match self.section {
            "" => all.get(self.name),
            section => all.get(section)?.get(self.name),
        }
    }
}

const fn text(name: &'static str, example: &'static str, says: &'static str) -> Field {
    Field {
        section: "",
        name,
        says,
        example,
        least: 0,
        most: 0,
    }
}

const fn number(name: &'static str, least: i64, most: i64, says: &'static str) -> Field {
    Field {
        section: "limits",
        name,
        says,
        example: "",
        least,
        most,
    }
}

const fn access(name: &'static str, least: i64, most: i64, says: &'static str) -> Field {
    Field {
        section: "access",
        name,
        says,
        example: "",
        least,
        most,
    }
}

/// A `Welcome` names the members present; this many fit the largest control message.
const MOST_MEMBERS: i64 = 4096;

/// Every field, in the order of the default file: the only place that documents them.
pub(super) const FIELDS: [Field; 17] = [
    text(
        "listen",
        "",
        "Addresses to listen on, IPv4 or IPv6: UDP, and TCP for the page. \"0.0.0.0:443\" and\n\
         \"[::]:443\" take everyone in; the default takes only this machine.",
    ),
    text(
        "page",
        "",
        "Whether the page for meetings in a browser is served, by https at the same ports. Browsers\n\
         take it from a relay with `certificate` alone; for others: `sottovoce web`.",
    ),
    text(
        "public_address",
        "\"relay.example.org:443\"",
        "What links call this relay, as host:port. Without it, the first of `listen`; if that takes\n\
         everyone in, this machine's own address as it sees it, which may lead nobody here.",
    ),
    text(
        "identity",
        "\"/var/lib/sottovoce/identity\"",
        "File with the relay's identity (32 random bytes), made on first use. Links stay good\n\
         as long as it does. Without it, the identity dies with the process, and so do links.",
    ),
    text(
        "certificate",
        "\"/etc/letsencrypt/live/relay.example.org/fullchain.pem\"",
        "Certificate chain for the relay's domain (PEM), with `key`. Read again on SIGHUP.\n\
         Without it, certificates derive from the identity and links carry their hashes.",
    ),
    text(
        "key",
        "\"/etc/letsencrypt/live/relay.example.org/privkey.pem\"",
        "The private key of `certificate` (PEM).",
    ),
    number(
        "participants",
        1,
        1_000_000,
        "Participants at a time; the next is told RelayFull.",
    ),
    number(
        "rooms",
        1,
        1_000_000,
        "Rooms at a time; whoever would open another is told RelayFull.",
    ),
    number(
        "participants_per_room",
        1,
        1_000_000,
        "Participants of one room, viewers included; the next is told RoomFull.",
    ),
    number(
        "members_per_room",
        1,
        MOST_MEMBERS,
        "Members of one room, who send and are announced; the next is told RoomFull.",
    ),
    number(
        "group_memory",
        16,
        1_048_576,
        "Memory for the newest pictures of all tracks, in MiB; past it, whoever holds most is\n\
         closed.",
    ),
    number(
        "room_bytes_per_second",
        100_000,
        100_000_000_000,
        "Bytes a second that the relay sends to all of one room together; about half of what a line\n\
         of 1 Gbit/s carries. Past it the room's pictures end until their next key frames; where\n\
         sound alone is more, sound is lost.",
    ),
    number(
        "connections_per_address",
        1,
        1_000_000,
        "Connections from one IPv4 address, or one IPv6 /56, at a time; the next is refused. A\n\
         participant holds up to four, and everybody in a building may have one address.",
    ),
    number(
        "handshakes_per_address",
        4,
        1_000_000,
        "Handshakes from one of these in about a minute; the next is refused until then. Past a\n\
         quarter, newcomers from there have to show first that the address is theirs.",
    ),
    Field {
        section: "metrics",
        ..text(
            "listen",
            "\"127.0.0.1:9464\"",
            "Where programs of this machine read /metrics (Prometheus) and /healthz: an address of\n\
             loopback, or unix:/run/sottovoce/metrics. Sums alone, rounded, once a minute\n\
             (docs/metrics.md). Without it, nowhere.",
        )
    },
    access(
        "who",
        0,
        0,
        "Whom the relay serves: \"open\" everyone; \"pass\" those whose link holds its pass, made by\n\
         `sottovoce invite --pass`. All others are told Pass. `sottovoce pass` prints the pass, which\n\
         derives from `identity`.",
    ),
    access(
        "generation",
        1,
        u32::MAX as i64,
        "Which pass is the newest; it and the one before are good. To change the pass: raise this by\n\
         one, start the relay again, give away the new pass; and once more to end the old one.",
    ),
];

/// The known name that takes the fewest edits, if these are few enough to be a slip; of the same
/// section first.
pub(super) fn nearest(section: &str, name: &str) -> Option<&'static str> {
    let sections = FIELDS.iter().map(|field| ("", field.section));
    let names = FIELDS
        .iter()
        .map(|field| (field.section, field.name))
        .chain(sections);
    let scored = names
        .filter(|(_, known)| !known.is_empty())
        .map(|(of, known)| (edits(&name.to_lowercase(), known), of != section, known));
    let (edits, _, known) = scored.min_by_key(|&(edits, elsewhere, _)| (edits, elsewhere))?;
    (edits <= known.len().max(6) / 3).then_some(known)
}

/// How many characters to insert, drop or replace to get from one name to the other.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_single_slips() {
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("listen", "listen"), 0);
        assert_eq!(edits("lisen", "listen"), 1);
        assert_eq!(edits("kitten", "sitting"), 3);
    }
}
