//! The system's journal: a process need not be a service to write there.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::places::Found;
use super::report::Place;

/// Where processes write to it, and where others listen that no drill can ask.
const JOURNAL: &str = "/run/systemd/journal/socket";
const OTHERS: &str = "/dev/log";

/// All that a process has written there; or why there is no such place.
pub(super) fn journal(pid: u32, root: bool, since: SystemTime) -> Result<Found, &'static str> {
    let failed = |why: String| Found {
        place: Place::Journal,
        what: "journal".into(),
        bytes: Err(why),
    };
    match (listens(JOURNAL), listens(OTHERS)) {
        (true, _) => {}
        (false, true) => {
            return Ok(failed(format!("who listens at {OTHERS} cannot be asked")));
        }
        (false, false) => return Err("nobody writes one here"),
    }
    if !root {
        return Ok(failed("it takes root".into()));
    }
    // What is on its way. Older ones cannot do it, and are quick enough.
    let _ = Command::new("journalctl").arg("--sync").output();
    let since = since.duration_since(UNIX_EPOCH).unwrap_or_default();
    let asked = Command::new("journalctl")
        .args(["--quiet", "--no-pager", "--output=export"])
        .arg(format!("--since=@{}", since.as_secs()))
        .arg(format!("_PID={pid}"))
        .output();
    Ok(match asked {
        Ok(output) if output.status.success() => {
            Found::new(Place::Journal, "journal", output.stdout)
        }
        Ok(output) => failed(format!("journalctl ended with {}", output.status)),
        Err(error) => failed(format!("journalctl ({})", error.kind())),
    })
}

/// Whether somebody may listen at a socket of the file system. Nothing is sent.
fn listens(path: &str) -> bool {
    let reached = UnixDatagram::unbound().and_then(|socket| socket.connect(path));
    reached.map_or_else(
        |error| {
            let kind = error.kind();
            !matches!(kind, ErrorKind::NotFound | ErrorKind::ConnectionRefused)
        },
        |()| true,
    )
}
