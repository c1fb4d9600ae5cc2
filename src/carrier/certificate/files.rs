//! A certificate and key that the operator got from an authority, in PEM files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::Error as TlsError;
use rustls::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::{Facts, Validity};
use crate::system::words;

/// Larger files are no certificates: a chain of ten has some 30 KiB.
const LARGEST_FILE: u64 = 1024 * 1024;

/// What is the matter with the operator's files. Carries the operator's own paths, nothing else.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFileError {
    /// There is no such file.
    #[error("there is no file {}; check the path in the configuration", .0.display())]
    Missing(PathBuf),
    /// The file is there but can't be read.
    #[error("{} cannot be read ({}); let the relay's user read it", path.display(), words(*kind))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// A folder, a device, or a file far too large.
    #[error("{} is no file, or too large a one, for a certificate or key; name another", .0.display())]
    NotAFile(PathBuf),
    /// No certificate in it.
    #[error(
        "{} holds no certificate in PEM form; name the file with the full chain (fullchain.pem)",
        .0.display()
    )]
    NoCertificate(PathBuf),
    /// No private key in it.
    #[error("{} holds no private key in PEM form; name the key's file (privkey.pem)", .0.display())]
    NoKey(PathBuf),
    /// A key of a kind that TLS does not know, or a protected one.
    #[error("the private key in {} is of no usable kind; use an ECDSA or RSA key", .0.display())]
    UnusableKey(PathBuf),
    /// The key belongs to another certificate.
    #[error(
        "the private key in {} does not belong to the certificate in {}; name the two that were \
         made together, the relay's own certificate first in its file",
        key.display(), certificate.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate's time is over.
    #[error("the certificate in {} has expired; renew it", .0.display())]
    Expired(PathBuf),
    /// The certificate's time has not begun.
    #[error("the certificate in {} is not valid yet; check this machine's clock", .0.display())]
    NotYetValid(PathBuf),
}

/// The two files, which are read again on demand.
pub(super) struct CertificateFiles {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl CertificateFiles {
    pub(super) fn load(
        &self,
        provider: &CryptoProvider,
        now: SystemTime,
    ) -> Result<CertifiedKey, CertificateFileError> {
        let no_certificate = || CertificateFileError::NoCertificate(self.certificate.clone());
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&read(&self.certificate)?)
                .collect::<Result<_, _>>()
                .map_err(|_| no_certificate())?;
        let first = chain.first().ok_or_else(no_certificate)?;
        let facts = Facts::read(first).ok_or_else(no_certificate)?;

        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?)
            .map_err(|_| CertificateFileError::NoKey(self.key.clone()))?;
        let certified =
            CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
                TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    CertificateFileError::Mismatch {
                        certificate: self.certificate.clone(),
                        key: self.key.clone(),
                    }
                }
                TlsError::InvalidCertificate(_) => no_certificate(),
                _ => CertificateFileError::UnusableKey(self.key.clone()),
            })?;
        match facts.validity(now) {
            Validity::Now => Ok(certified),
            Validity::NotYet => Err(CertificateFileError::NotYetValid(self.certificate.clone())),
            Validity::Over => Err(CertificateFileError::Expired(self.certificate.clone())),
        }
    }
}

/// A file whole, wiped when let go, since it may be the key.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertificateFileError> {
    let unreadable = |kind| CertificateFileError::Unreadable {
        path: path.to_owned(),
        kind,
    };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => CertificateFileError::Missing(path.to_owned()),
        kind => unreadable(kind),
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() || metadata.len() > LARGEST_FILE {
        return Err(CertificateFileError::NotAFile(path.to_owned()));
    }
    fs::read(path).map(Zeroizing::new).map_err(failed)
}
