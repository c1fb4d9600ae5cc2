//! `sottovoce invite`: makes the links of a meeting. Talks to nobody.

use std::io::Write;

use serde_json::json;
use sottovoce::carrier::address::{Host, RelayAddress};
use sottovoce::meeting::links::{Link, Links};
use sottovoce::meeting::{LinkError, RELAYS, RelayRef};

use super::passes::PassArguments;
use super::{Exit, Failure, say};

/// Make the links of a meeting from a relay's address: one to give away, and the host's to keep.
/// Talks to nobody; the relay learns of the meeting when the first participant comes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The relay's address as it prints it when it starts; in quotes, since some shells take [ ] and
    /// # for patterns. Given again: a relay to go to when those before it cannot be reached
    #[arg(long, value_name = "URL", required = true)]
    relay: Vec<String>,
    #[command(flatten)]
    passes: PassArguments,
    /// What the meeting is called
    #[arg(long, value_name = "TEXT", default_value = "")]
    title: String,
    /// So many more links of people who take over when the host is gone, in their order
    #[arg(long, value_name = "N", default_value_t = 0)]
    co_host: usize,
    /// A vigil, one to many: whoever has the link to give away can watch and record, and nobody sees who
    /// does; who is to speak joins with --speak
    #[arg(long)]
    vigil: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints the links of a new meeting: the one to give away alone on standard output, so that a script
/// or a pipe never passes on the ones to keep.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let relays = relays(&arguments.relay)?;
    let passes = arguments.passes.read(relays.len())?;
    let passes = passes
        .iter()
        .map(Option::as_ref)
        .chain(std::iter::repeat(None));
    let relays = relays
        .into_iter()
        .zip(passes)
        .map(|(relay, pass)| match pass {
            Some(pass) => relay.with_pass(pass),
            None => relay,
        });
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| {
        Failure::new(
            Exit::Internal,
            "This system gives no random numbers, so there is no secret.",
        )
    })?;
    let (title, co_hosts, vigil) = (&arguments.title, arguments.co_host, arguments.vigil);
    let links = Links::draw(relays.collect(), title, co_hosts, vigil, random);
    let links = links.map_err(|error| Failure::new(Exit::Usage, format!("{error}.")))?;
    if Link::parse(&links.host).is_err() {
        return Err(Failure::new(
            Exit::Usage,
            "--relay: together these addresses make a link that is too long; give fewer.",
        ));
    }
    if arguments.json {
        let object = json!({
            "meeting_link": links.meeting,
            "host_link": links.host,
            "co_host_links": links.co_hosts,
        });
        return say(&format!("{object}\n"));
    }
    let mut keep = format!(
        "Host link, to keep (whoever has it lets people in):\n\n  {}\n\n",
        links.host
    );
    for (number, link) in (1..).zip(&links.co_hosts) {
        keep.push_str(&format!(
            "Link of co-host {number}, for that one alone:\n\n  {link}\n\n"
        ));
    }
    keep.push_str(match arguments.vigil {
        true => {
            "Link to give away (anyone with it can watch and record; to speak, join --speak):\n\n"
        }
        false => "Meeting link, to give away:\n\n",
    });
    let _ = std::io::stderr().write_all(keep.as_bytes());
    say(&format!("{}\n", links.meeting))
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
    if let Ok(_) | Err(LinkError::Version(_) | LinkError::Older(_)) = Link::parse(text) {
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
        pass: None,
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
