//! `sottovoce invite`: makes a meeting link. Talks to nobody.

use serde_json::json;
use sottovoce::carrier::address::{Host, RelayAddress};
use sottovoce::meeting::{Invite, LinkSecret, RelayRef};

use super::{Exit, Failure, say};

/// Make a meeting link from a relay's address. Talks to nobody; the relay learns of the meeting
/// when the first participant comes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The relay's address as it prints it when it starts; in quotes, since shells see a comment in #
    #[arg(long, value_name = "URL")]
    relay: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints a link with a fresh secret.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let address: RelayAddress = arguments
        .relay
        .parse()
        .map_err(|error| Failure::new(Exit::Link, format!("--relay: {error}")))?;
    let host = match address.host() {
        Host::Name(name) => name.clone(),
        Host::V4(ip) => ip.to_string(),
        Host::V6(ip) => format!("[{ip}]"),
    };
    let hashes = address
        .hashes()
        .iter()
        .map(|hash| *hash.as_bytes())
        .collect();
    let relay = RelayRef {
        host,
        port: address.port(),
        hashes,
    };
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|_| {
        Failure::new(
            Exit::Internal,
            "This system gives no random numbers, so there is no secret.",
        )
    })?;
    let link = Invite::new(LinkSecret::from_bytes(secret), vec![relay]).to_link();
    match arguments.json {
        true => say(&format!("{}\n", json!({ "meeting_link": link }))),
        false => say(&format!("{link}\n")),
    }
}
