//! `sottovoce web`: the page at an address of this machine, for a relay that browsers cannot verify by a
//! name. http is as good as https there: nobody is in between, and browsers know it.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::json;
use sottovoce::carrier::door::Door;
use sottovoce::meeting::links::Link;
use sottovoce::{page, system};
use tokio::signal::unix::{SignalKind, signal};

use super::link::{asked, content};
use super::{Exit, Failure, say};

/// Serve the page for meetings in a browser on this machine, and print its address. It opens any meeting
/// link, whatever relay that leads to; nothing is sent to anybody but that relay.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where: an address of this machine alone, since browsers let a page use cameras only there or by
    /// https; port 0 for any that is free
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = address)]
    listen: SocketAddr,
    /// Print the address that opens this meeting link; - for one line of standard input. What stands on a
    /// command line can be read by everyone on this machine while it runs, and the shell remembers it
    #[arg(long, value_name = "LINK", conflicts_with = "link_file")]
    link: Option<String>,
    /// The same with a link from this file, which holds nothing else
    #[arg(long, value_name = "FILE")]
    link_file: Option<PathBuf>,
    /// Print the address as a JSON object
    #[arg(long)]
    pub(super) json: bool,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err(
            "must be an address of this machine alone, like 127.0.0.1:8080 or [::1]:8080: this is \
             http, by which browsers let no page from elsewhere use a camera, and anybody on the way \
             could change it. For others, a relay serves the page by https"
                .into(),
        ),
        Err(_) => Err("write an IP address and a port, like 127.0.0.1:8080".into()),
    }
}

/// Serves until a signal ends it.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    if !page::is_built_in() {
        return Err(Failure::new(
            Exit::Usage,
            "This sottovoce was built without the page. `make build` makes one with it (docs/web.md).",
        ));
    }
    let fragment = fragment(&arguments)?;
    let door = Door::on_port(arguments.listen).map_err(|error| {
        let sentence = format!("--listen {}: {error}", arguments.listen);
        Failure::new(Exit::Listen, sentence)
    })?;
    let port = door.port().unwrap_or(arguments.listen.port());
    let at = SocketAddr::new(arguments.listen.ip(), port);
    let address = match fragment {
        Some(fragment) => format!("http://{at}/#{fragment}"),
        None => format!("http://{at}/"),
    };
    let failed = |_| {
        let sentence = "The system gives too little to serve a page; close other programs.";
        Failure::new(Exit::Internal, sentence)
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let door = door.watch().map_err(failed)?;
        say(&match arguments.json {
            true => format!("{}\n", json!({ "event": "ready", "address": address })),
            false => format!("{address}\n"),
        })?;
        tokio::select! {
            served = page::serve_here(door) => served.map_err(failed),
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    })
}

/// What stands behind the `#` of a link, which is all that the page reads of it.
fn fragment(arguments: &Arguments) -> Result<Option<String>, Failure> {
    let read = match (&arguments.link, &arguments.link_file) {
        (None, None) => return Ok(None),
        (Some(link), _) if link == "-" => asked("The meeting link: "),
        (Some(link), _) => Ok(link.clone().into_bytes()),
        (None, Some(path)) => content(path),
    };
    let bytes = read.map_err(|error| {
        let why = system::words(error.kind());
        Failure::new(
            Exit::Link,
            format!("the link cannot be read ({why}); check where it is"),
        )
    })?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    Link::parse(&text).map_err(|error| Failure::new(Exit::Link, error.to_string()))?;
    Ok(text
        .split_once('#')
        .map(|(_, fragment)| fragment.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_served_without_tls() {
        for good in ["127.0.0.1:8080", "127.3.2.1:0", "[::1]:8080"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "0.0.0.0:8080",
            "[::]:8080",
            "192.0.2.1:8080",
            "[::ffff:127.0.0.1]:8080",
        ] {
            assert!(
                address(bad).is_err_and(|why| why.contains("camera")),
                "{bad}"
            );
        }
        assert!(address("localhost:8080").is_err());
    }
}
