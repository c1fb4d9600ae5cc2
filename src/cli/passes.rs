//! Where `invite` takes relays' passes from. Whoever has a pass can meet at its relay, and everyone on a
//! machine can read the command lines of all that runs there, so there are other ways than those.

use std::path::PathBuf;

use sottovoce::meeting::links::Pass;
use sottovoce::system;
use zeroize::Zeroizing;

use super::link::{asked, content};
use super::{Exit, Failure};

/// One of the two, or neither.
#[derive(clap::Args)]
#[group(multiple = false)]
pub(crate) struct PassArguments {
    /// The pass that the relay's operator gave you, where the relay asks for one; with several relays
    /// one for each, in their order, and the word open for a relay that asks for none; - for a line of
    /// standard input. What stands on a command line can be read by everyone on this machine while it
    /// runs, and the shell remembers it
    #[arg(long, value_name = "PASS")]
    pass: Vec<String>,
    /// Take the pass from this file, which holds nothing else; with several relays a line for each
    #[arg(long, value_name = "FILE")]
    pass_file: Option<PathBuf>,
}

impl PassArguments {
    /// The pass of each relay that asks for one; nothing at all when none was given.
    pub(crate) fn read(self, relays: usize) -> Result<Vec<Option<Pass>>, Failure> {
        let words = match self.pass_file {
            Some(path) => {
                let bytes = content(&path).map(Zeroizing::new).map_err(|error| {
                    let (path, why) = (path.display(), system::words(error.kind()));
                    let sentence = format!(
                        "--pass-file {path} cannot be read ({why}); check it, or give another"
                    );
                    Failure::new(Exit::Link, sentence)
                })?;
                let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                let words: Vec<_> = lines.map(|line| Zeroizing::new(line.to_owned())).collect();
                if words.is_empty() {
                    let path = path.display();
                    let sentence = format!(
                        "--pass-file {path} holds no pass; put there what the relay's operator gave you"
                    );
                    return Err(Failure::new(Exit::Link, sentence));
                }
                words
            }
            None => {
                let words = self.pass.into_iter().map(Zeroizing::new).map(typed);
                words.collect::<Result<_, _>>()?
            }
        };
        if words.is_empty() {
            return Ok(Vec::new());
        }
        if words.len() != relays {
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "There are {} passes for {relays} relays; give one for each --relay, in their \
                     order, and the word open for a relay that asks for none.",
                    words.len()
                ),
            ));
        }
        words.iter().map(|word| pass(word)).collect()
    }
}

/// What was given, or the line of standard input that stands for it.
fn typed(word: Zeroizing<String>) -> Result<Zeroizing<String>, Failure> {
    if *word != "-" {
        return Ok(word);
    }
    let line = asked("The relay's pass: ")
        .map(Zeroizing::new)
        .map_err(|error| {
            let why = system::words(error.kind());
            let sentence = format!("standard input cannot be read ({why}); give --pass-file FILE");
            Failure::new(Exit::Link, sentence)
        })?;
    Ok(Zeroizing::new(
        String::from_utf8_lossy(&line).trim().to_owned(),
    ))
}

fn pass(word: &str) -> Result<Option<Pass>, Failure> {
    if word == "open" {
        return Ok(None);
    }
    let pass = Pass::parse(word);
    pass.map(Some)
        .map_err(|error| Failure::new(Exit::Link, format!("--pass: {error}.")))
}
