//! Windows of days, and the one certificate that an identity has in each.
//!
//! Browsers take a certificate by its hash when it is X.509v3, holds a key on P-256, is valid
//! now, and for two weeks at most (WebTransport, "custom certificate requirements"). A window
//! has 11 days; its certificate is valid from a day before it to a day after it, 13 days in
//! all, so that a clock that is hours wrong still finds it valid.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePrivateKey;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber, SignatureAlgorithm,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::Identity;

const DAY: u64 = 24 * 60 * 60;

/// A longer window makes links last longer, but 12 days and two of margin pass the two weeks
/// that browsers allow.
const WINDOW: u64 = 11 * DAY;

/// How far a participant's clock may be wrong at a window's edge.
const MARGIN: u64 = DAY;

/// The name in the certificate: what most self-made certificates say, so that it tells a prober
/// nothing. Nobody checks it, since the hash is what is checked.
const NEUTRAL_NAME: &str = "localhost";

/// A window of 11 days, numbered from the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window(u64);

/// A certificate with its key, both DER.
pub(super) struct Derived {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Window {
    /// How long each is.
    pub const LENGTH: Duration = Duration::from_secs(WINDOW);

    /// The window that `now` lies in; `None` for a clock before 1970 or after the year 9999,
    /// which a certificate cannot express.
    pub fn at(now: SystemTime) -> Option<Self> {
        let seconds = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
        let window = Self(seconds / WINDOW);
        let last = window.next()?.not_after()?;
        (window.0 > 0 && last.year() <= 9999).then_some(window)
    }

    /// The window after this one.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// The moment at which it begins.
    pub fn start(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.saturating_mul(WINDOW))
    }

    fn not_before(self) -> Option<OffsetDateTime> {
        date(self.0.checked_mul(WINDOW)?.checked_sub(MARGIN)?)
    }

    fn not_after(self) -> Option<OffsetDateTime> {
        date(
            self.0
                .checked_add(1)?
                .checked_mul(WINDOW)?
                .checked_add(MARGIN)?,
        )
    }

    /// The certificate that `identity` has in this window: the same bytes each time.
    pub(super) fn certificate(self, identity: &Identity) -> Option<Derived> {
        let key = self.key(identity);
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, NEUTRAL_NAME);

        let mut parameters = CertificateParams::new([NEUTRAL_NAME.to_owned()]).ok()?;
        parameters.not_before = self.not_before()?;
        parameters.not_after = self.not_after()?;
        parameters.serial_number = Some(self.serial(identity));
        parameters.distinguished_name = name;
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];

        let signer = Rfc6979::new(&key);
        parameters.key_identifier_method = KeyIdMethod::PreSpecified(signer.identifier());

        let certificate = parameters.self_signed(&signer).ok()?.into();
        let key = key.to_pkcs8_der().ok()?;
        let key = PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into();
        Some(Derived { certificate, key })
    }

    /// A scalar on P-256. About one candidate in 2^32 is no scalar (zero, or the curve's order
    /// and above) and is followed by the next.
    fn key(self, identity: &Identity) -> SigningKey {
        let mut candidate = Zeroizing::new([0; 32]);
        let mut attempt: u32 = 0;
        loop {
            let info: [&[u8]; 3] = [b"key", &self.0.to_be_bytes(), &attempt.to_be_bytes()];
            identity.derive(&info, candidate.as_mut());
            if let Ok(key) = SigningKey::from_slice(candidate.as_ref()) {
                return key;
            }
            attempt = attempt.wrapping_add(1);
        }
    }

    /// 16 bytes, positive and never shorter (RFC 5280, 4.1.2.2).
    fn serial(self, identity: &Identity) -> SerialNumber {
        let mut serial = [0; 16];
        identity.derive(&[b"serial", &self.0.to_be_bytes()], &mut serial);
        serial[0] = serial[0] & 0x7f | 0x40;
        SerialNumber::from_slice(&serial)
    }
}

fn date(seconds: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()
}

/// Signs without randomness (RFC 6979), so that a certificate made again is the same certificate.
struct Rfc6979<'a> {
    key: &'a SigningKey,
    /// The uncompressed point (SEC 1, 2.3.3).
    public: Vec<u8>,
}

impl<'a> Rfc6979<'a> {
    fn new(key: &'a SigningKey) -> Self {
        let public = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        Self { key, public }
    }

    /// The leftmost 160 bits of the point's SHA-256 (RFC 7093, section 2, method 1).
    fn identifier(&self) -> Vec<u8> {
        let mut identifier = Sha256::digest(&self.public).to_vec();
        identifier.truncate(20);
        identifier
    }
}

impl PublicKeyData for Rfc6979<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Rfc6979<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: Signature = self
            .key
            .try_sign(message)
            .map_err(|_| rcgen::Error::RemoteKeyError)?;
        Ok(signature.to_der().as_bytes().to_vec())
    }
}
