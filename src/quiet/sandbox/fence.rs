//! Landlock: no files, no connections, whatever the process tries.

#![allow(unsafe_code)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, PathFdError, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, make_bitflags,
};

use super::Needs;
use crate::quiet::HardenError;

/// The newest rules that this was tried with; an older kernel enforces those that it knows.
const NEWEST: ABI = ABI::V7;

/// A link that leads to more links than these is not followed further.
const LINKS: usize = 8;

/// Closes the file system, TCP, and other processes' signals and abstract sockets to this thread and
/// to those that it starts from now on; what is open stays open. Nothing can gain privileges again.
///
/// # Errors
/// [`HardenError::Privileges`] and [`HardenError::Landlock`] when the system does not have it.
pub fn fence(needs: &Needs) -> Result<(), HardenError> {
    one_arena();
    no_new_privileges()?;
    match restrict(&folders(&needs.rereads)) {
        Ok(RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced) => Ok(()),
        Ok(RulesetStatus::NotEnforced) | Err(Refused) => Err(HardenError::Landlock),
    }
}

/// Has all threads allocate from glibc's first arena. Before it gives memory of another back, glibc
/// opens a file in `/proc`, at a time of its own choosing, which would end a relay.
fn one_arena() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes integers alone. An arena that a thread has already stays as it is.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

fn no_new_privileges() -> Result<(), HardenError> {
    let (yes, unused): (libc::c_ulong, libc::c_ulong) = (1, 0);
    // SAFETY: PR_SET_NO_NEW_PRIVS takes integers and touches no memory of ours.
    match unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, yes, unused, unused, unused) } {
        0 => Ok(()),
        _ => Err(HardenError::Privileges),
    }
}

/// Which of the steps was refused helps nobody.
struct Refused;

impl From<RulesetError> for Refused {
    fn from(_: RulesetError) -> Self {
        Self
    }
}

impl From<PathFdError> for Refused {
    fn from(_: PathFdError) -> Self {
        Self
    }
}

fn restrict(readable: &BTreeSet<PathBuf>) -> Result<RulesetStatus, Refused> {
    let read: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile});
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for folder in readable {
        ruleset = ruleset.add_rule(PathBeneath::new(PathFd::new(folder)?, read))?;
    }
    Ok(ruleset.restrict_self()?.ruleset)
}

/// The folders of `files`, and of whatever links lead to: certbot's `live/` holds links into
/// `archive/`, and makes new ones. All that is below them stays readable.
pub fn folders(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for file in files {
        let mut file = file.clone();
        for _ in 0..LINKS {
            let folder = folder_of(&file).to_owned();
            let next = file.read_link().map(|to| folder.join(to));
            folders.insert(folder);
            match next {
                Ok(next) => file = next,
                Err(_) => break,
            }
        }
    }
    folders
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_brings_in_the_folder_that_it_leads_to() {
        let root = tempfile::tempdir().unwrap();
        let (live, archive) = (root.path().join("live"), root.path().join("archive"));
        for folder in [&live, &archive] {
            std::fs::create_dir(folder).unwrap();
        }
        let chain = live.join("chain.pem");
        symlink("../archive/chain1.pem", &chain).unwrap();
        let found = folders(&[chain, archive.join("key.pem"), "key.pem".into()]);
        let expected = [live.join("../archive"), live, archive, ".".into()];
        assert_eq!(found, expected.into());
    }

    #[test]
    fn links_in_a_circle_are_followed_for_a_while() {
        let root = tempfile::tempdir().unwrap();
        let circle = root.path().join("circle");
        symlink(&circle, &circle).unwrap();
        assert_eq!(folders(&[circle]), [root.path().to_owned()].into());
    }
}
