//! Whether what answers is the relay that the link names.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, PeerIncompatible,
    RootCertStore, SignatureScheme,
};

use super::ConnectError;
use crate::carrier::certificate::{CertificateHash, Facts, Validity};
use crate::carrier::transport::crypto_provider;
use crate::wire::ALPN;

/// What a relay's certificate is held against.
#[derive(Clone)]
pub(super) enum Trust {
    /// The hashes in the link: the certificate is one of these, whoever issued it.
    Pinned(Arc<[CertificateHash]>),
    /// The authorities that this machine trusts (RFC 5280), when the link has no hashes.
    Authorities(Arc<WebPkiServerVerifier>),
}

impl Trust {
    /// Reads this machine's list of authorities, which takes some milliseconds of disk.
    pub(super) fn authorities(provider: Arc<CryptoProvider>) -> Result<Self, ConnectError> {
        let mut roots = RootCertStore::empty();
        // Certificates in the list that can't be read are left out: that trusts less, not more.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::roots(roots, provider)
    }

    /// Trusts these authorities.
    pub(super) fn roots(
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, ConnectError> {
        match WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build() {
            Ok(verifier) => Ok(Self::Authorities(verifier)),
            Err(_) => Err(ConnectError::NoAuthorities),
        }
    }
}

/// Checks one handshake and keeps why it refused, which TLS would tell in words only.
pub(super) struct Verifier {
    trust: Trust,
    algorithms: WebPkiSupportedAlgorithms,
    verdict: OnceLock<ConnectError>,
}

impl Verifier {
    pub(super) fn new(trust: Trust, provider: &CryptoProvider) -> Self {
        Self {
            trust,
            algorithms: provider.signature_verification_algorithms,
            verdict: OnceLock::new(),
        }
    }

    /// Why it refused, if it did.
    pub(super) fn verdict(&self) -> Option<ConnectError> {
        self.verdict.get().copied()
    }

    /// A TLS configuration that lets this verifier decide: TLS 1.3 alone, our ALPN, no
    /// resumption (a ticket would link two meetings and lie on the disk), no early data; keys
    /// are logged nowhere.
    pub(super) fn tls(
        self: &Arc<Self>,
        provider: Arc<CryptoProvider>,
    ) -> Result<ClientConfig, TlsError> {
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(self.clone())
            .with_no_client_auth();
        tls.alpn_protocols = vec![ALPN.to_vec()];
        tls.resumption = Resumption::disabled();
        tls.enable_early_data = false;
        Ok(tls)
    }

    fn refuse(&self, verdict: ConnectError, error: TlsError) -> TlsError {
        // The first reason is the one that counts.
        let _ = self.verdict.set(verdict);
        error
    }

    fn check_pinned(
        &self,
        hashes: &[CertificateHash],
        certificate: &CertificateDer<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if !hashes.contains(&CertificateHash::of(certificate)) {
            let error = CertificateError::ApplicationVerificationFailure;
            return Err(self.refuse(ConnectError::WrongCertificate, error.into()));
        }
        let now = UNIX_EPOCH + Duration::from_secs(now.as_secs());
        match Facts::read(certificate).map(|facts| facts.validity(now)) {
            Some(Validity::Now) => Ok(ServerCertVerified::assertion()),
            Some(Validity::NotYet) => {
                let error = CertificateError::NotValidYet;
                Err(self.refuse(ConnectError::ClockWrong, error.into()))
            }
            Some(Validity::Over) => {
                let error = CertificateError::Expired;
                Err(self.refuse(ConnectError::ClockWrong, error.into()))
            }
            None => {
                let error = CertificateError::BadEncoding;
                Err(self.refuse(ConnectError::WrongCertificate, error.into()))
            }
        }
    }
}

/// TLS of a client that takes one of these certificates, by whatever name it calls the relay.
pub(crate) fn pinned_tls(hashes: &[CertificateHash]) -> Result<ClientConfig, TlsError> {
    let provider = crypto_provider();
    let verifier = Verifier::new(Trust::Pinned(hashes.into()), &provider);
    Arc::new(verifier).tls(provider)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        match &self.trust {
            Trust::Pinned(hashes) => self.check_pinned(hashes, end_entity, now),
            Trust::Authorities(verifier) => verifier
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map_err(|error| {
                    use CertificateError::{
                        Expired, ExpiredContext, NotValidYet, NotValidYetContext,
                    };
                    let verdict = match &error {
                        TlsError::InvalidCertificate(
                            Expired
                            | ExpiredContext { .. }
                            | NotValidYet
                            | NotValidYetContext { .. },
                        ) => ConnectError::ClockWrong,
                        _ => ConnectError::Untrusted,
                    };
                    self.refuse(verdict, error)
                }),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        // QUIC has TLS 1.3 alone (RFC 9001, 4.2).
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    /// Whoever answers must hold the certificate's key: a certificate alone can be copied.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
            .map_err(|error| self.refuse(ConnectError::WrongCertificate, error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Verifier")
    }
}
