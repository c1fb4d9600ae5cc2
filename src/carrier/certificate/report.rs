//! What an operator wants to know of a certificate's file, besides that it can be used.

use std::path::Path;
use std::time::SystemTime;

use rustls::client::verify_server_name;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::server::ParsedCertificate;

use super::Facts;
use super::files::{CertificateFileError, read};
use crate::carrier::address::Host;

/// The first certificate in a file, which is the relay's own.
pub struct CertificateReport {
    certificate: CertificateDer<'static>,
    facts: Facts,
}

impl CertificateReport {
    /// Reads the file.
    ///
    /// # Errors
    /// [`CertificateFileError`] when it cannot be read or holds no certificate.
    pub fn read(path: &Path) -> Result<Self, CertificateFileError> {
        let none = || CertificateFileError::NoCertificate(path.to_owned());
        let certificate = CertificateDer::from_pem_slice(&read(path)?).map_err(|_| none())?;
        let facts = Facts::read(&certificate).ok_or_else(none)?;
        Ok(Self { certificate, facts })
    }

    /// When it may no longer be used.
    pub fn not_after(&self) -> SystemTime {
        self.facts.not_after
    }

    /// Whether it is its own authority: then links carry its hash, and its names do not count.
    pub fn vouches_for_itself(&self) -> bool {
        self.facts.self_issued
    }

    /// Whether it was made for this name or address.
    pub fn names(&self, host: &Host) -> bool {
        let name = match host {
            Host::Name(name) => ServerName::try_from(name.as_str()),
            Host::V4(address) => Ok(ServerName::from(std::net::IpAddr::from(*address))),
            Host::V6(address) => Ok(ServerName::from(std::net::IpAddr::from(*address))),
        };
        let parsed = ParsedCertificate::try_from(&self.certificate);
        match (parsed, name) {
            (Ok(parsed), Ok(name)) => verify_server_name(&parsed, &name).is_ok(),
            _ => false,
        }
    }
}
