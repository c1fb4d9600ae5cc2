//! What a person types, and what they get back: arguments, sentences, exit codes.
//!
//! It may know: everything that is public in the library; the terminal.
//! It must never know: how any of it works inside. It parses, calls, and explains.

#[cfg(feature = "relay")]
mod check;
#[cfg(feature = "participant")]
mod drill;
mod exit;
#[cfg(feature = "participant")]
mod invite;
#[cfg(feature = "participant")]
mod join;
#[cfg(feature = "participant")]
mod link;
#[cfg(feature = "relay")]
mod pass;
#[cfg(feature = "participant")]
mod passes;
#[cfg(feature = "relay")]
mod relay;
#[cfg(all(feature = "relay", feature = "participant"))]
mod web;

use std::io::Write;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};
use serde_json::json;
use sottovoce::quiet::{self, Format};

pub(crate) use exit::Exit;

/// The version; the hash of the source (`scripts/source-hash.sh`), which releases alone have; and the
/// hash of the page that is in it (`scripts/page-hash.sh`).
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (source ",
    env!("SOTTOVOCE_SOURCE"),
    "; page ",
    env!("SOTTOVOCE_PAGE_HASH"),
    ")"
);

/// A meeting relay that keeps no record of who met.
#[derive(Parser)]
#[command(
    name = "sottovoce",
    version = VERSION,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Exit codes: `sottovoce help exit-codes`."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[cfg(feature = "relay")]
    /// Run a relay: forwards sealed media, keeps nothing once people leave.
    Relay(relay::Arguments),
    #[cfg(feature = "relay")]
    /// Look at a relay's configuration and at this machine, and say what to change.
    Check(check::Arguments),
    #[cfg(feature = "relay")]
    /// Print the pass of a relay that serves only those who have it. Talks to nobody.
    Pass(pass::Arguments),
    #[cfg(feature = "participant")]
    /// Make the links of a meeting: one to give away, and the host's. Talks to nobody.
    Invite(invite::Arguments),
    #[cfg(feature = "participant")]
    /// Take part in a meeting from the terminal: play, record and watch media files.
    Join(join::Arguments),
    #[cfg(all(feature = "relay", feature = "participant"))]
    /// Serve the page for meetings in a browser, to this machine alone.
    Web(web::Arguments),
    #[cfg(feature = "participant")]
    /// Seize a relay on this machine and look for what it should not have.
    Drill(drill::Arguments),
    /// Explain a command, or a topic: `exit-codes`.
    Help {
        /// The command or topic.
        topic: Option<String>,
    },
}

/// Runs the command line and says how it ended.
pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => return answered(&answer),
    };
    if let Err(overheard) = quiet::install(Format::Text) {
        return Failure::new(Exit::Internal, overheard.to_string()).report(Audience::People);
    }
    let audience = arguments.command.audience();
    let outcome = match arguments.command {
        #[cfg(feature = "relay")]
        Command::Relay(arguments) => relay::run(arguments),
        #[cfg(feature = "relay")]
        Command::Check(arguments) => check::run(arguments),
        #[cfg(feature = "relay")]
        Command::Pass(arguments) => pass::run(arguments),
        #[cfg(feature = "participant")]
        Command::Invite(arguments) => invite::run(arguments),
        #[cfg(feature = "participant")]
        Command::Join(arguments) => join::run(arguments),
        #[cfg(all(feature = "relay", feature = "participant"))]
        Command::Web(arguments) => web::run(arguments),
        #[cfg(feature = "participant")]
        Command::Drill(arguments) => drill::run(arguments),
        Command::Help { topic } => help(topic.as_deref()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(audience),
    }
}

/// Who is told of a failure, besides by the exit code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// People, on standard error.
    People,
    /// Programs too, on standard output.
    Both,
    /// Programs alone: standard output is for media, and on standard error each line is an object.
    Programs,
}

impl Audience {
    fn of(json: bool, media_on_stdout: bool) -> Self {
        match (json, media_on_stdout) {
            (false, _) => Self::People,
            (true, false) => Self::Both,
            (true, true) => Self::Programs,
        }
    }
}

impl Command {
    fn audience(&self) -> Audience {
        match self {
            #[cfg(feature = "relay")]
            Self::Relay(arguments) => Audience::of(arguments.json, false),
            #[cfg(feature = "relay")]
            Self::Check(arguments) => Audience::of(arguments.json, false),
            #[cfg(feature = "relay")]
            Self::Pass(arguments) => Audience::of(arguments.json, false),
            #[cfg(feature = "participant")]
            Self::Invite(arguments) => Audience::of(arguments.json, false),
            #[cfg(feature = "participant")]
            Self::Join(arguments) => Audience::of(arguments.json, arguments.watch.is_some()),
            #[cfg(all(feature = "relay", feature = "participant"))]
            Self::Web(arguments) => Audience::of(arguments.json, false),
            #[cfg(feature = "participant")]
            Self::Drill(arguments) => Audience::of(arguments.json, false),
            Self::Help { .. } => Audience::People,
        }
    }
}

/// What the parser answers in place of a command: what was asked for, like a version, or which
/// argument is wrong, which is a failure like any other as far as the arguments tell.
fn answered(answer: &clap::Error) -> ExitCode {
    // Nobody is left to be told when the terminal is gone.
    let print = || drop(answer.print());
    if !answer.use_stderr() {
        print();
        return ExitCode::SUCCESS;
    }
    let given = || {
        let given = std::env::args_os().skip(1);
        given.take_while(|given| given != "--")
    };
    let json = given().any(|given| given == "--json");
    let watch = given().any(|given| given.to_string_lossy().starts_with("--watch"));
    let audience = Audience::of(json, watch);
    if let Some(ContextValue::String(command)) = answer.get(ContextKind::InvalidSubcommand)
        && let Some(failure) = left_out(command)
    {
        return failure.report(audience);
    }
    // The first paragraph is the sentence; then come hints for people.
    let text = answer.to_string();
    let sentence = text.split("\n\n").next().unwrap_or_default();
    let sentence = sentence.trim_start_matches("error:").split_whitespace();
    let sentence = sentence.collect::<Vec<_>>().join(" ");
    Failure::new(Exit::Usage, sentence).tell_programs(audience);
    if audience != Audience::Programs {
        print();
    }
    ExitCode::from(Exit::Usage.code())
}

/// Why a command is not known that other builds of the program know.
fn left_out(command: &str) -> Option<Failure> {
    let only = match command {
        "invite" | "join" | "web" | "drill" if !cfg!(feature = "participant") => "as a relay only",
        "relay" | "check" | "pass" | "web" if !cfg!(feature = "relay") => {
            "for participants only, without the relay"
        }
        _ => return None,
    };
    let sentence = format!(
        "This sottovoce was built {only}: it has no `{command}`. Use one that was built with all \
         its features."
    );
    Some(Failure::new(Exit::Usage, sentence))
}

fn help(topic: Option<&str>) -> Result<(), Failure> {
    use clap::CommandFactory;
    let mut command = Arguments::command();
    match topic {
        Some("exit-codes") => say(&exit::explain()),
        None => say(&command.render_long_help().to_string()),
        Some(name) => match command.find_subcommand_mut(name) {
            Some(found) => {
                let mut found = found.clone().bin_name(format!("sottovoce {name}"));
                say(&found.render_long_help().to_string())
            }
            None => Err(left_out(name).unwrap_or_else(|| {
                Failure::new(
                    Exit::Usage,
                    "There is no such command or topic. `sottovoce help` lists the commands; \
                     the one topic is `exit-codes`.",
                )
            })),
        },
    }
}

/// Why a command did not do what was asked: an exit code for scripts and a sentence for people.
pub(crate) struct Failure {
    exit: Exit,
    sentence: String,
}

impl Failure {
    /// A failure with its sentence: what is wrong, and what to do about it.
    pub(crate) fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self {
            exit,
            sentence: sentence.into(),
        }
    }

    fn report(self, audience: Audience) -> ExitCode {
        self.tell_programs(audience);
        if audience != Audience::Programs {
            // Nobody is left to be told when standard error itself is gone.
            let _ = writeln!(std::io::stderr(), "sottovoce: {}", self.sentence);
        }
        ExitCode::from(self.exit.code())
    }

    /// One more event, the last, where the command's other JSON goes.
    fn tell_programs(&self, audience: Audience) {
        let (code, message) = (self.exit.code(), &self.sentence);
        let event = json!({ "event": "error", "code": code, "message": message });
        // Nobody is left to be told when that is gone.
        let _ = match audience {
            Audience::People => Ok(()),
            Audience::Both => writeln!(std::io::stdout(), "{event}"),
            Audience::Programs => writeln!(std::io::stderr(), "{event}"),
        };
    }
}

/// Writes text to standard output. A reader that went away is not an error worth a message.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(_) => Err(Failure::new(
            Exit::Output,
            "Standard output cannot be written. Is the disk full?",
        )),
    }
}
