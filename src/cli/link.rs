//! Where `join` takes the link from. Whoever has a host's link is the host, and everyone on a machine can
//! read the command lines of all that runs there, so there are other ways than those.

use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use sottovoce::system;

use super::{Exit, Failure};

/// Far more than any link with blanks around it, in bytes: a file that never ends is no link.
const LONGEST: u64 = 64 * 1024;

/// One of the two.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct LinkArguments {
    /// The meeting link, as `sottovoce invite` prints it; in quotes, since some shells take [ ] and #
    /// for patterns; - for one line of standard input. What stands on a command line can be read by
    /// everyone on this machine while it runs, and the shell remembers it
    link: Option<String>,
    /// Take the meeting link from this file, which holds nothing else
    #[arg(long, value_name = "FILE")]
    link_file: Option<PathBuf>,
}

impl LinkArguments {
    /// The link, as it is written there. `taken`: standard input is for something else.
    pub(crate) fn read(self, taken: bool) -> Result<String, Failure> {
        let (bytes, from) = match (self.link, self.link_file) {
            (_, Some(path)) if path.as_os_str() == "-" => {
                return Err(Failure::new(
                    Exit::Usage,
                    "--link-file takes a file; for the link from standard input write `join -`",
                ));
            }
            (_, Some(path)) => {
                let from = format!("--link-file {}", path.display());
                (content(&path), from)
            }
            (Some(link), None) if link != "-" => return Ok(link),
            _ if taken => {
                return Err(Failure::new(
                    Exit::Usage,
                    "the link and --play cannot both come from standard input; give the link with \
                     --link-file FILE",
                ));
            }
            _ => (asked("The meeting link: "), "standard input".to_owned()),
        };
        let bytes = bytes.map_err(|error| {
            let why = system::words(error.kind());
            let sentence = format!("{from} cannot be read ({why}); check it, or give another");
            Failure::new(Exit::Link, sentence)
        })?;
        let link = String::from_utf8_lossy(&bytes).trim().to_owned();
        match link.is_empty() {
            true => Err(Failure::new(
                Exit::Link,
                format!("{from} holds no meeting link; put there what `sottovoce invite` prints"),
            )),
            false => Ok(link),
        }
    }
}

/// What is in a file, as far as it is looked at.
pub(super) fn content(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The first line of standard input that is not blank; a person is asked for it with these words.
pub(super) fn asked(words: &str) -> std::io::Result<Vec<u8>> {
    let input = std::io::stdin();
    if input.is_terminal() {
        // Without the words it is asked for just the same.
        let _ = std::io::stderr().write_all(words.as_bytes());
    }
    // Unbuffered: what follows the line is for others.
    let input = input.as_fd().try_clone_to_owned()?;
    first_line(File::from(input))
}

/// The first line that is not blank, and nothing beyond it.
fn first_line(mut input: impl Read) -> std::io::Result<Vec<u8>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    for _ in 0..LONGEST {
        match input.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => line.extend(byte),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        match (byte == *b"\n", line.trim_ascii().is_empty()) {
            (true, true) => line.clear(),
            (true, false) => break,
            (false, _) => {}
        }
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_before_a_link_are_passed_over() {
        for (given, line) in [
            ("a\nb", "a\n"),
            ("\n \r\na\r\nb\n", "a\r\n"),
            ("\n\n", ""),
            ("", ""),
        ] {
            let mut input = given.as_bytes();
            assert_eq!(first_line(&mut input).unwrap(), line.as_bytes());
            assert!(line != "a\n" || input == b"b", "the rest is for others");
        }
    }
}
