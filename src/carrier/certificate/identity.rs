//! The 32 bytes from which a relay's keys and certificates derive.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::system::words;

/// Bytes in an identity, and in its file.
const LENGTH: usize = 32;

/// HKDF's salt: another use of the same bytes, or another scheme of ours, gives other keys.
const SALT: &[u8] = b"sottovoce identity v1";

/// What a relay is known by: random bytes that never leave it. Whoever has them can pose as the
/// relay, though not read what anyone said: that is sealed end to end.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Identity([u8; LENGTH]);

/// Why there is no identity. Carries the operator's own path, nothing else.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identity file {}: {problem}", path.display())]
pub struct IdentityError {
    /// The file.
    pub path: PathBuf,
    /// What is the matter with it.
    pub problem: IdentityProblem,
}

/// What can be the matter with an identity file; the operator can put each right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityProblem {
    /// Nothing is there, and none is to be made.
    #[error(
        "does not exist. A relay makes it at its first start; name the file that the relay has"
    )]
    Missing,
    /// Something else than a file is there.
    #[error("is no regular file; name another one")]
    NotAFile,
    /// Others may read or write it; the mode is given.
    #[error(
        "can be read or changed by other users (mode {0:04o}). Take that away with `chmod 600`; \
         if others may have read it, delete it, and a new identity (with new links) is made"
    )]
    Exposed(u32),
    /// It has not exactly 32 bytes.
    #[error(
        "does not hold the 32 bytes of an identity. If it is another file of yours, name another \
         one; if it is damaged, restore or delete it, and a new identity (with new links) is made"
    )]
    WrongSize,
    /// Its folder does not exist.
    #[error("its folder does not exist; make it first")]
    NoFolder,
    /// Its folder is there and takes no new file.
    #[error("cannot be made, since its folder takes no new files; name another place")]
    SealedFolder,
    /// The path is empty.
    #[error("has an empty path; name a file, or leave the identity out for a passing one")]
    NoPath,
    /// What should be its folder is a file.
    #[error("a part of its path is a file and no folder; name another place")]
    NotAFolder,
    /// The system forbids it.
    #[error("may not be opened or made by this user; give it the right, or name another file")]
    Forbidden,
    /// The system refuses for another reason.
    #[error("could not be opened or made ({}); name another file", words(*.0))]
    System(io::ErrorKind),
    /// The system gives no random bytes.
    #[error("could not be made, because this system gives no random numbers")]
    NoRandomness,
}

impl From<io::Error> for IdentityProblem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NoFolder,
            io::ErrorKind::NotADirectory => Self::NotAFolder,
            io::ErrorKind::PermissionDenied => Self::Forbidden,
            kind => Self::System(kind),
        }
    }
}

impl Identity {
    /// Opens the identity in `path`, or makes a new one there, readable by its owner alone. What
    /// is there is never written over, and a half-written file never appears under `path`.
    ///
    /// # Errors
    /// [`IdentityError`] when the file is not an identity, is open to others, or can't be made.
    pub fn open_or_create(path: &Path) -> Result<Self, IdentityError> {
        let identity = match read(path) {
            _ if path.as_os_str().is_empty() => Err(IdentityProblem::NoPath),
            Err(Reading::Missing) => match create(path) {
                // Another process was faster: its identity is the one.
                Err(Creating::Exists) => read(path).map_err(|error| match error {
                    Reading::Missing => IdentityProblem::System(io::ErrorKind::NotFound),
                    Reading::Problem(problem) => problem,
                }),
                // In some folders (/proc) the system answers so, whatever is to be made there.
                Err(Creating::Problem(IdentityProblem::NoFolder)) if folder(path).is_dir() => {
                    Err(IdentityProblem::SealedFolder)
                }
                Err(Creating::Problem(problem)) => Err(problem),
                Ok(identity) => Ok(identity),
            },
            Err(Reading::Problem(problem)) => Err(problem),
            Ok(identity) => Ok(identity),
        };
        identity.map_err(|problem| IdentityError {
            path: path.to_owned(),
            problem,
        })
    }

    /// Opens the identity in `path`, which has to be there.
    ///
    /// # Errors
    /// [`IdentityError`] when there is none, or it is not an identity or open to others.
    pub fn open(path: &Path) -> Result<Self, IdentityError> {
        let problem = match read(path) {
            Ok(identity) => return Ok(identity),
            _ if path.as_os_str().is_empty() => IdentityProblem::NoPath,
            Err(Reading::Missing) => IdentityProblem::Missing,
            Err(Reading::Problem(problem)) => problem,
        };
        Err(IdentityError {
            path: path.to_owned(),
            problem,
        })
    }

    /// An identity that dies with the process, and its links with it.
    ///
    /// # Errors
    /// [`IdentityProblem::NoRandomness`] when the system gives no random bytes.
    pub fn ephemeral() -> Result<Self, IdentityProblem> {
        let mut identity = Self([0; LENGTH]);
        getrandom::fill(&mut identity.0).map_err(|_| IdentityProblem::NoRandomness)?;
        Ok(identity)
    }

    /// An identity of known bytes: for tests and for restoring one.
    pub fn from_bytes(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }

    /// Keys the tokens by which peers of a relay that crashed learn that it has forgotten them
    /// (stateless reset, RFC 9000, section 10.3): the same after a restart.
    pub fn reset_key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        self.derive(&[b"stateless reset"], &mut key);
        key
    }

    /// What the relay's operator gives away to those who may use it: each generation is another one.
    pub fn pass(&self, generation: u32) -> [u8; 16] {
        let mut pass = [0; 16];
        self.derive(&[b"access pass", &generation.to_be_bytes()], &mut pass);
        pass
    }

    /// Fills `output` with bytes that only this identity gives for `info` (RFC 5869). At most
    /// 8,160 bytes come out; what we ask for is 32 and less.
    pub(super) fn derive(&self, info: &[&[u8]], output: &mut [u8]) {
        Hkdf::<Sha256>::new(Some(SALT), &self.0)
            .expand_multi_info(info, output)
            .expect("HKDF gives up to 8,160 bytes, and no caller asks for more than 32");
    }
}

enum Reading {
    Missing,
    Problem(IdentityProblem),
}

impl From<io::Error> for Reading {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Problem(error.into()),
        }
    }
}

fn read(path: &Path) -> Result<Identity, Reading> {
    // Looked at before it is opened as well, since opening a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(Reading::Problem(IdentityProblem::NotAFile));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Reading::Problem(IdentityProblem::NotAFile));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 && !(mode == 0o440 && is_credential(path)) {
        return Err(Reading::Problem(IdentityProblem::Exposed(mode)));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH + 1));
    file.take(LENGTH as u64 + 1).read_to_end(&mut bytes)?;
    match <[u8; LENGTH]>::try_from(bytes.as_slice()) {
        Ok(bytes) => Ok(Identity(bytes)),
        Err(_) => Err(Reading::Problem(IdentityProblem::WrongSize)),
    }
}

/// Whether systemd hands the file to this service alone. What looks like a group's right to read it
/// is then, on newer systems, this user's by an access list.
fn is_credential(path: &Path) -> bool {
    std::env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|given| folder(path) == Path::new(&given))
}

enum Creating {
    Exists,
    Problem(IdentityProblem),
}

impl From<io::Error> for Creating {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists,
            _ => Self::Problem(error.into()),
        }
    }
}

/// Writes a draft beside `path` and links it there, which fails when something is there by then.
fn create(path: &Path) -> Result<Identity, Creating> {
    let identity = Identity::ephemeral().map_err(Creating::Problem)?;
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(|_| Creating::Problem(IdentityProblem::NoRandomness))?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.new", data_encoding::HEXLOWER.encode(&suffix)));
    let draft = PathBuf::from(draft);

    let result = write_new(&draft, &identity)
        .and_then(|()| match fs::hard_link(&draft, path) {
            // A file system without hard links: the file appears before its 32 bytes do.
            Err(error) if without_links(&error) => write_new(path, &identity),
            result => result,
        })
        .and_then(|()| sync_folder(path));
    // Taken away in every case, so that no second copy of the secret stays.
    let _ = fs::remove_file(&draft);
    result?;
    Ok(identity)
}

fn without_links(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
    )
}

fn write_new(path: &Path, identity: &Identity) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = file.write_all(&identity.0).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Makes the new name last through a power cut; a relay that lost it would break every link.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn derived(identity: &Identity) -> [u8; 32] {
        let mut bytes = [0; 32];
        identity.derive(&[b"test"], &mut bytes);
        bytes
    }

    fn open(path: &Path) -> Result<[u8; 32], IdentityProblem> {
        match Identity::open_or_create(path) {
            Ok(identity) => Ok(derived(&identity)),
            Err(error) => {
                assert_eq!(error.path, path);
                assert!(error.to_string().contains("identity"));
                Err(error.problem)
            }
        }
    }

    #[test]
    fn an_identity_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity");
        let first = open(&path).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
        assert_eq!(metadata.len(), 32);
        assert_eq!(open(&path), Ok(first));
        // Nothing but the identity stays behind.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_ne!(
            derived(&Identity::ephemeral().unwrap()),
            derived(&Identity::ephemeral().unwrap())
        );
    }

    #[test]
    fn an_identity_that_is_only_opened_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity");
        let problem = |path: &Path| Identity::open(path).err().map(|error| error.problem);
        assert_eq!(problem(&path), Some(IdentityProblem::Missing));
        assert_eq!(problem(Path::new("")), Some(IdentityProblem::NoPath));
        assert_eq!(problem(folder.path()), Some(IdentityProblem::NotAFile));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let made = open(&path).unwrap();
        let opened = Identity::open(&path).unwrap();
        assert_eq!(derived(&opened), made);
        assert_ne!(opened.pass(1), opened.pass(2));
    }

    #[test]
    fn relays_that_start_together_agree_on_one_identity() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity");
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || open(&path).unwrap())
            })
            .collect();
        let all: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        assert!(all.iter().all(|one| *one == all[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_identity_file_that_is_not_in_order_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity");
        let set_mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        for size in [0, 31, 33, 100_000] {
            fs::write(&path, vec![1; size]).unwrap();
            set_mode(0o600);
            assert_eq!(open(&path), Err(IdentityProblem::WrongSize));
            assert_eq!(fs::metadata(&path).unwrap().len(), size as u64);
        }
        fs::write(&path, [1; 32]).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o666] {
            set_mode(mode);
            assert_eq!(open(&path), Err(IdentityProblem::Exposed(mode)));
        }
        for mode in [0o600, 0o400] {
            set_mode(mode);
            assert_eq!(open(&path), Ok(derived(&Identity::from_bytes([1; 32]))));
        }
        assert_eq!(open(folder.path()), Err(IdentityProblem::NotAFile));
        assert_eq!(open(Path::new("/dev/null")), Err(IdentityProblem::NotAFile));
        assert_eq!(
            open(&folder.path().join("no/identity")),
            Err(IdentityProblem::NoFolder)
        );
        assert_eq!(open(Path::new("")), Err(IdentityProblem::NoPath));
        #[cfg(target_os = "linux")]
        assert_eq!(
            open(Path::new("/proc/id")),
            Err(IdentityProblem::SealedFolder)
        );
    }
}
