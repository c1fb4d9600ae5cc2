//! The certificate that the relay shows now.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::files::CertificateFiles;
use super::{CertificateFileError, CertificateHash, Facts, Identity, Window};

/// Why the relay has no certificate to show.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The clock stands before 1970 or after the year 9999.
    #[error("this machine's clock is not set; set it, since certificates carry dates")]
    Clock,
    /// The operator's files are not in order.
    #[error(transparent)]
    Files(#[from] CertificateFileError),
    /// A certificate of our own making does not hold: our fault.
    #[error("the relay could not make a certificate; this is a fault of its own, please report it")]
    Internal,
}

/// What [`CertificateStore::rotate`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Another certificate is shown from now on; connections that stand are not touched.
    pub changed: bool,
    /// When to rotate next; `None` for the operator's files, which change when they are re-read.
    /// It is a time on the wall clock, which can jump: ask at least each hour.
    pub next: Option<SystemTime>,
}

/// Holds the relay's current certificate and key; read once for each handshake.
pub struct CertificateStore {
    source: Source,
    current: RwLock<Current>,
}

enum Source {
    Derived(Identity),
    Files(CertificateFiles),
}

#[derive(Clone)]
pub(crate) struct Current {
    /// The window of a derived certificate.
    window: Option<Window>,
    pub(crate) certified: Arc<CertifiedKey>,
}

impl CertificateStore {
    /// Certificates that derive from `identity`, beginning with that of the window at `now`.
    ///
    /// # Errors
    /// [`CertificateError::Clock`] when no certificate can carry the date `now`.
    pub fn derived(identity: Identity, now: SystemTime) -> Result<Self, CertificateError> {
        let window = Window::at(now).ok_or(CertificateError::Clock)?;
        let current = derive(&identity, window)?;
        Ok(Self {
            source: Source::Derived(identity),
            current: RwLock::new(current),
        })
    }

    /// The operator's own certificate (PEM, the relay's first, then the chain) and key (PEM).
    ///
    /// # Errors
    /// [`CertificateError::Files`], naming the file at fault.
    pub fn from_files(
        certificate: &Path,
        key: &Path,
        now: SystemTime,
    ) -> Result<Self, CertificateError> {
        let files = CertificateFiles {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        let current = Current {
            window: None,
            certified: load(&files, now)?,
        };
        Ok(Self {
            source: Source::Files(files),
            current: RwLock::new(current),
        })
    }

    /// The hashes for the relay's address: this window's certificate and the next one's. For the
    /// operator's files: none when an authority vouches for the certificate, and the
    /// certificate's own when nobody but itself does.
    ///
    /// # Errors
    /// [`CertificateError::Clock`] when no certificate can carry the date `now`.
    pub fn hashes(&self, now: SystemTime) -> Result<Vec<CertificateHash>, CertificateError> {
        match &self.source {
            Source::Derived(identity) => {
                let this = Window::at(now).ok_or(CertificateError::Clock)?;
                let next = this.next().ok_or(CertificateError::Clock)?;
                [this, next]
                    .into_iter()
                    .map(|window| {
                        let derived = window.certificate(identity);
                        let derived = derived.ok_or(CertificateError::Internal)?;
                        Ok(CertificateHash::of(&derived.certificate))
                    })
                    .collect()
            }
            Source::Files(_) => {
                let current = self.current();
                let certificate = current.certified.cert.first();
                Ok(certificate
                    .filter(|certificate| {
                        Facts::read(certificate).is_some_and(|facts| facts.self_issued)
                    })
                    .map(CertificateHash::of)
                    .into_iter()
                    .collect())
            }
        }
    }

    /// Shows the certificate of the window at `now` from now on.
    ///
    /// # Errors
    /// [`CertificateError`]; the certificate shown so far stays.
    pub fn rotate(&self, now: SystemTime) -> Result<Rotation, CertificateError> {
        let Source::Derived(identity) = &self.source else {
            return Ok(Rotation {
                changed: false,
                next: None,
            });
        };
        let window = Window::at(now).ok_or(CertificateError::Clock)?;
        let next = window.next().map(Window::start);
        let changed = self.current().window != Some(window);
        if changed {
            self.show(derive(identity, window)?);
        }
        Ok(Rotation { changed, next })
    }

    /// Reads the operator's files again; says whether another certificate is shown from now on.
    /// Does nothing for derived certificates.
    ///
    /// # Errors
    /// [`CertificateError::Files`]; the certificate shown so far stays.
    pub fn reload(&self, now: SystemTime) -> Result<bool, CertificateError> {
        let Source::Files(files) = &self.source else {
            return Ok(false);
        };
        let certified = load(files, now)?;
        let changed = self.current().certified.cert != certified.cert;
        self.show(Current {
            window: None,
            certified,
        });
        Ok(changed)
    }

    pub(crate) fn current(&self) -> Current {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn show(&self, current: Current) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
    }
}

impl ResolvesServerCert for CertificateStore {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // What name the client asks for is not looked at: there is one certificate.
        Some(self.current().certified)
    }
}

impl fmt::Debug for CertificateStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CertificateStore")
    }
}

fn derive(identity: &Identity, window: Window) -> Result<Current, CertificateError> {
    let derived = window
        .certificate(identity)
        .ok_or(CertificateError::Internal)?;
    let provider = aws_lc_rs::default_provider();
    let certified = CertifiedKey::from_der(vec![derived.certificate], derived.key, &provider)
        .map_err(|_| CertificateError::Internal)?;
    Ok(Current {
        window: Some(window),
        certified: Arc::new(certified),
    })
}

fn load(files: &CertificateFiles, now: SystemTime) -> Result<Arc<CertifiedKey>, CertificateError> {
    let provider = aws_lc_rs::default_provider();
    Ok(Arc::new(files.load(&provider, now)?))
}
