//! `sottovoce invite`: makes a meeting link. Talks to nobody.

use serde_json::json;
use sottovoce::carrier::address::{Host, RelayAddress};
use sottovoce::meeting::{Invite, LinkError, LinkSecret, RELAYS, RelayRef};

use super::{Exit, Failure, say};

/// Make a meeting link from a relay's address. Talks to nobody; the relay learns of the meeting
/// when the first participant comes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The relay's address as it prints it when it starts; in quotes, since some shells take [ ] and
    /// # for patterns. Given again: a relay to go to when those before it cannot be reached
    #[arg(long, value_name = "URL", required = true)]
    relay: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints a link with a fresh secret.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let relays = relays(&arguments.relay)?;
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|_| {
        Failure::new(
            Exit::Internal,
            "This system gives no random numbers, so there is no secret.",
        )
    })?;
    let link = Invite::new(LinkSecret::from_bytes(secret), relays).to_link();
    // Many relays with long names: nobody could read it.
    if Invite::parse(&link).is_err() {
        return Err(Failure::new(
            Exit::Usage,
            "--relay: together these addresses make a link that is too long; give fewer.",
        ));
    }
    match arguments.json {
        true => say(&format!("{}\n", json!({ "meeting_link": link }))),
        false => say(&format!("{link}\n")),
    }
}

/// The relays as they stand in a link, in the order in which they are tried.
fn relays(given: &[String]) -> Result<Vec<RelayRef>, Failure> {
    if given.len() > RELAYS {
        return Err(Failure::new(
            Exit::Usage,
            format!("--relay: a link holds at most {RELAYS} relays; give fewer."),
        ));
    }
    let mut relays: Vec<RelayRef> = Vec::new();
    for text in given {
        let relay = relay(text)?;
        let same = |other: &RelayRef| (&other.host, other.port) == (&relay.host, relay.port);
        if relays.iter().any(same) {
            return Err(Failure::new(
                Exit::Usage,
                "--relay: two of these addresses have the same host and port; give each relay once.",
            ));
        }
        relays.push(relay);
    }
    Ok(relays)
}

fn relay(text: &str) -> Result<RelayRef, Failure> {
    let wrong = |sentence: &str| Failure::new(Exit::Link, format!("--relay: {sentence}"));
    if let Ok(_) | Err(LinkError::Version(_)) = Invite::parse(text) {
        return Err(wrong(
            "this is a meeting link, not a relay's address. A link is for `sottovoce join`; \
             `invite` takes the address that the relay printed when it started",
        ));
    }
    let address: RelayAddress = text.parse().map_err(|error| wrong(&format!("{error}")))?;
    let unknown = address.hashes().is_empty() && !address.says_authority();
    if unknown && !nameable(address.host()) {
        return Err(wrong(
            "the part behind # is missing: copy the whole address that the relay printed, and put \
             it in quotes. Without it nobody can tell this relay from one that poses as it",
        ));
    }
    let hashes = address
        .hashes()
        .iter()
        .map(|hash| *hash.as_bytes())
        .collect();
    Ok(RelayRef {
        host: address.host().to_text(),
        port: address.port(),
        hashes,
    })
}

/// Whether an address that says nothing of hashes or an authority may be one that somebody wrote by
/// hand: authorities vouch for names. For an IP address a relay's own word is asked for; there it is
/// far more likely that the hashes were lost.
fn nameable(host: &Host) -> bool {
    match host {
        Host::Name(name) => name != "localhost" && !name.ends_with(".localhost"),
        Host::V4(_) | Host::V6(_) => false,
    }
}
