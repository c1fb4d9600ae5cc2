//! The relay's certificates: derived from an identity, or files of the operator's.
//!
//! It may know: the identity, private keys, files, the wall clock where it is passed in.
//! It must never know: connections, peers, what names peers ask for.

#[cfg(feature = "relay")]
mod files;
#[cfg(feature = "relay")]
mod identity;
#[cfg(feature = "relay")]
mod report;
#[cfg(feature = "relay")]
mod store;
#[cfg(feature = "relay")]
mod window;

use std::time::{SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_cert::der::Decode;

#[cfg(feature = "relay")]
pub use files::CertificateFileError;
#[cfg(feature = "relay")]
pub use identity::{Identity, IdentityError, IdentityProblem};
#[cfg(feature = "relay")]
pub use report::CertificateReport;
#[cfg(feature = "relay")]
pub use store::{CertificateError, CertificateStore, Rotation};
#[cfg(feature = "relay")]
pub use window::Window;

/// The SHA-256 of a certificate's DER bytes, by which a link names a relay's certificate and a
/// browser checks it (`serverCertificateHashes` of WebTransport).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CertificateHash([u8; 32]);

impl CertificateHash {
    /// Takes the 32 bytes of a SHA-256.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate.as_ref()).into())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Whether a certificate may be used at a moment (RFC 5280, 4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validity {
    /// Yes.
    Now,
    /// Not before some later moment.
    NotYet,
    /// Not any more.
    Over,
}

/// The few facts about a certificate that we read ourselves.
pub(crate) struct Facts {
    not_before: SystemTime,
    not_after: SystemTime,
    /// Its issuer is its subject: no authority vouches for it, so only its hash can.
    #[cfg(feature = "relay")]
    pub(crate) self_issued: bool,
}

impl Facts {
    /// Reads them; `None` when the bytes are no X.509 certificate. Any bytes may come in.
    pub(crate) fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_der(certificate.as_ref()).ok()?;
        let certificate = certificate.tbs_certificate();
        let validity = certificate.validity();
        Some(Self {
            not_before: UNIX_EPOCH.checked_add(validity.not_before.to_unix_duration())?,
            not_after: UNIX_EPOCH.checked_add(validity.not_after.to_unix_duration())?,
            #[cfg(feature = "relay")]
            self_issued: certificate.issuer() == certificate.subject(),
        })
    }

    pub(crate) fn validity(&self, now: SystemTime) -> Validity {
        if now < self.not_before {
            Validity::NotYet
        } else if now > self.not_after {
            Validity::Over
        } else {
            Validity::Now
        }
    }
}

#[cfg(all(test, feature = "relay"))]
mod tests;
