//! `sottovoce join`: what a person types, and how it ends.

use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use sottovoce::participant::console::{StandardInput, restore};
use sottovoce::participant::media::Input;
use sottovoce::participant::{JoinError, JoinOptions, Output, join};
use sottovoce::quiet;

use super::link::LinkArguments;
use super::{Exit, Failure};

/// Take part in a meeting from the terminal: play, record and watch media files.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    link: LinkArguments,
    /// The name that the others see; nobody sees that of who watches a vigil
    #[arg(long)]
    name: String,
    /// WebM or Matroska with Opus, VP8, VP9 or AV1 to play; - for standard input
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    play: Option<PathBuf>,
    /// Play the file again and again
    #[arg(long = "loop", requires = "play")]
    again: bool,
    /// Record each of the others into a WebM file of its own in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Write the media of this participant to standard output as live WebM, for `| ffplay -`
    #[arg(long, value_name = "NAME", value_parser = watched)]
    pub(super) watch: Option<String>,
    /// With a link of the host or a co-host: let in whoever knocks, or ask (type /admit NUMBER)
    #[arg(long, value_name = "ask|all", value_enum, default_value_t = Admit::Ask)]
    admit: Admit,
    /// Sign what is sent, so that nobody else in the meeting can speak as you
    #[arg(long)]
    sign: bool,
    /// With the link of a vigil: knock and speak, instead of watching
    #[arg(long)]
    speak: bool,
    /// Take commands and what is to be said from standard input, a line each, though it is no terminal
    #[arg(long)]
    commands: bool,
    /// How long to stay, from when the meeting is joined: waiting to be let in does not count (20s, 5m,
    /// 1h30m; a bare number is seconds). Otherwise until what is played ends, if anything is, or until
    /// /leave or ctrl-C
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    stay: Option<Duration>,
    /// The local address to send from (192.0.2.7, 192.0.2.7:5000, [2001:db8::7]:5000)
    #[arg(long, value_name = "ADDR", value_parser = local)]
    bind: Option<(IpAddr, u16)>,
    /// Events, a closing summary and what went wrong as JSON, one object a line; with --watch on
    /// standard error
    #[arg(long)]
    pub(super) json: bool,
    /// Begin to play when this many others are there
    #[arg(long, value_name = "N", default_value_t = 0, hide = true)]
    begin_with: usize,
    /// Write a line for each frame sent and received to this file
    #[arg(long, value_name = "FILE", hide = true)]
    trace: Option<PathBuf>,
}

/// Whom a host lets in.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Admit {
    /// Whom the person at the screen admits
    Ask,
    /// Everybody
    All,
}

/// Takes part in a meeting until it is over.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.watch.is_some() && std::io::stdout().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            "--watch writes live WebM to standard output, which is this terminal. End the command \
             with `| ffplay -` to watch it, or with `> FILE` to keep it.",
        ));
    }
    quiet::at_a_fault(restore);
    let output = Output::new(arguments.json, arguments.watch.is_some());
    let play = arguments.play.map(|path| match path.as_os_str() == "-" {
        true => Input::Stdin,
        false => Input::File(path),
    });
    let played = matches!(play, Some(Input::Stdin));
    // What stands in a pipe by chance, as in a shell's loop, is not for others to read.
    let typed = arguments.commands || std::io::stdin().is_terminal();
    let input = match typed && !played {
        true => StandardInput::Free,
        false => StandardInput::Taken,
    };
    let link = arguments.link.read(played)?;
    let options = JoinOptions {
        link,
        name: arguments.name,
        play,
        again: arguments.again,
        record: arguments.record,
        watch: arguments.watch,
        admit_all: arguments.admit == Admit::All,
        sign: arguments.sign,
        speak: arguments.speak,
        input,
        stay: arguments.stay,
        bind: arguments.bind,
        begin_with: arguments.begin_with,
        trace: arguments.trace,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failure(&JoinError::System(error.kind())))?;
    let joined = runtime.block_on(join(options, output));
    // What still waits for a pipe or a disk is not waited for.
    runtime.shutdown_background();
    joined.map(drop).map_err(|error| failure(&error))
}

fn failure(error: &JoinError) -> Failure {
    Failure::new(Exit::of_join(error), error.to_string())
}

/// A length of time: numbers with units (ms, s, m, h), or seconds.
fn duration(text: &str) -> Result<Duration, String> {
    const HELP: &str = "write a time like 20s, 90m or 1h30m";
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(HELP.into());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| HELP)?;
        let letters = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let milliseconds = match unit {
            "ms" => 1,
            // Without a unit it must be the whole of it: 20, not 1m30.
            "" if digits == text.trim().len() => 1000,
            "s" | "sec" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => return Err(HELP.into()),
        };
        let part = number.checked_mul(milliseconds).map(Duration::from_millis);
        total = part.and_then(|part| total.checked_add(part)).ok_or(HELP)?;
        rest = after.trim_start();
    }
    // A century: what the clocks underneath are sure to hold.
    match total.as_secs() <= 3_155_760_000 {
        true => Ok(total),
        false => Err("that is longer than a century".into()),
    }
}

/// Whom to watch.
fn watched(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("write the name of the one to watch, as the others see it".into()),
        name => Ok(name.to_owned()),
    }
}

/// A local address with or without a port.
fn local(text: &str) -> Result<(IpAddr, u16), String> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok((address, 0));
    }
    match text.parse::<SocketAddr>() {
        Ok(address) => Ok((address.ip(), address.port())),
        Err(_) => Err(
            "write one of this machine's addresses, with or without a port, like \
                       192.0.2.7, 192.0.2.7:5000 or [2001:db8::7]:5000"
                .into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, milliseconds) in [
            ("20s", 20_000),
            ("20", 20_000),
            ("500ms", 500),
            ("2m", 120_000),
            ("2min", 120_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            (" 1m5s ", 65_000),
            ("0s", 0),
        ] {
            assert_eq!(
                duration(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text:?}"
            );
        }
        for text in [
            "",
            "s",
            "-1s",
            "1.5s",
            "20x",
            "1m30",
            "20 s",
            "99999999999999999999s",
            "9999999h",
        ] {
            let error = duration(text).unwrap_err();
            assert!(
                error.contains("20s") || error.contains("century"),
                "{text:?}: {error}"
            );
        }
    }

    #[test]
    fn local_addresses_are_read_with_and_without_a_port() {
        for (text, address, port) in [
            ("127.0.0.5", "127.0.0.5", 0),
            ("127.0.0.5:4000", "127.0.0.5", 4000),
            ("::1", "::1", 0),
            ("[::1]", "::1", 0),
            ("[::1]:4000", "::1", 4000),
        ] {
            assert_eq!(local(text), Ok((address.parse().unwrap(), port)), "{text}");
        }
        for text in [
            "",
            "localhost",
            "127.0.0.5:",
            "127.0.0.256",
            "::1:x",
            "1.2.3.4:70000",
        ] {
            assert!(local(text).unwrap_err().contains("192.0.2.7"), "{text}");
        }
    }
}
