use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64_MIME, HEXLOWER};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ResolvesServerCert;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use x509_cert::der::{Decode, Encode};

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The first moment of window 1,800, 18 March 2024.
fn start() -> SystemTime {
    UNIX_EPOCH + DAY * 11 * 1800
}

fn identity() -> Identity {
    Identity::from_bytes([7; 32])
}

fn certificate_at(now: SystemTime) -> CertificateDer<'static> {
    let window = Window::at(now).expect("a window");
    window
        .certificate(&identity())
        .expect("a certificate")
        .certificate
}

fn store() -> Arc<CertificateStore> {
    Arc::new(CertificateStore::derived(identity(), start()).expect("a store"))
}

fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}-----END {label}-----\n",
        BASE64_MIME.encode(der)
    )
}

/// Writes the certificate and key of `identity` at `now` as an operator's files.
fn write_files(folder: &Path, identity: &Identity, now: SystemTime) -> (PathBuf, PathBuf) {
    let derived = Window::at(now).unwrap().certificate(identity).unwrap();
    let (certificate, key) = (folder.join("fullchain.pem"), folder.join("privkey.pem"));
    fs::write(&certificate, pem("CERTIFICATE", &derived.certificate)).unwrap();
    fs::write(&key, pem("PRIVATE KEY", derived.key.secret_der())).unwrap();
    (certificate, key)
}

// --- windows and their certificates

#[test]
fn a_certificate_is_the_same_bytes_each_time() {
    let hash = CertificateHash::of(&certificate_at(start()));
    assert!(CertificateHash::of(&certificate_at(start() + DAY * 10)) == hash);
    // Pinned: a change here breaks every link that is out there.
    assert_eq!(
        HEXLOWER.encode(hash.as_bytes()),
        "44006140157afbb18a56b314fc34b001511a808db7f107fde216fc21b8a3ae38"
    );
}

#[test]
fn another_window_or_identity_has_another_certificate_and_key() {
    let window = Window::at(start()).unwrap();
    let ours = window.certificate(&identity()).unwrap();
    let later = window.next().unwrap().certificate(&identity()).unwrap();
    let theirs = window.certificate(&Identity::from_bytes([8; 32])).unwrap();
    for other in [later, theirs] {
        assert_ne!(ours.certificate, other.certificate);
        assert_ne!(ours.key.secret_der(), other.key.secret_der());
    }
}

#[test]
fn browsers_conditions_are_met() {
    let der = certificate_at(start());
    let certificate = x509_cert::Certificate::from_der(&der).unwrap();
    let inner = certificate.tbs_certificate();
    assert_eq!(inner.version(), x509_cert::Version::V3);
    let from = inner.validity().not_before.to_unix_duration();
    let to = inner.validity().not_after.to_unix_duration();
    assert_eq!(to - from, DAY * 13);
    assert_eq!(UNIX_EPOCH + from, start() - DAY);
    // id-ecPublicKey on prime256v1 (RFC 5480), signed with ecdsa-with-SHA256 (RFC 5758).
    let key = inner.subject_public_key_info();
    assert_eq!(key.algorithm.oid.to_string(), "1.2.840.10045.2.1");
    let curve = key.algorithm.parameters.as_ref().unwrap().to_der().unwrap();
    assert_eq!(HEXLOWER.encode(&curve), "06082a8648ce3d030107");
    assert_eq!(
        certificate.signature_algorithm().oid.to_string(),
        "1.2.840.10045.4.3.2"
    );
    // A prober is told nothing, and the bytes hold no word of ours.
    assert_eq!(inner.subject().to_string(), "CN=localhost");
    assert!(
        !der.windows(5)
            .any(|window| window.eq_ignore_ascii_case(b"sotto"))
    );
}

#[test]
fn a_window_has_eleven_days_and_a_day_of_margin_on_each_side() {
    let facts = Facts::read(&certificate_at(start())).unwrap();
    assert!(facts.self_issued);
    assert_eq!(
        facts.validity(start() - DAY - Duration::from_secs(1)),
        Validity::NotYet
    );
    assert_eq!(facts.validity(start() - DAY), Validity::Now);
    assert_eq!(facts.validity(start() + DAY * 12), Validity::Now);
    assert_eq!(
        facts.validity(start() + DAY * 12 + Duration::from_secs(1)),
        Validity::Over
    );
}

#[test]
fn a_clock_that_no_certificate_can_express_is_refused() {
    assert!(Window::at(UNIX_EPOCH - DAY).is_none());
    assert!(Window::at(UNIX_EPOCH).is_none());
    assert!(Window::at(UNIX_EPOCH + DAY * 365 * 8000).is_some());
    assert!(Window::at(UNIX_EPOCH + DAY * 365 * 8100).is_none());
    let refused = CertificateStore::derived(identity(), UNIX_EPOCH);
    assert_eq!(refused.err(), Some(CertificateError::Clock));
}

#[test]
fn certificates_are_well_formed_over_years() {
    let provider = aws_lc_rs::default_provider();
    for number in 0..200 {
        let now = start() + DAY * 11 * number;
        let derived = Window::at(now).unwrap().certificate(&identity()).unwrap();
        assert_eq!(
            Facts::read(&derived.certificate).unwrap().validity(now),
            Validity::Now
        );
        let chain = vec![derived.certificate];
        rustls::sign::CertifiedKey::from_der(chain, derived.key, &provider).unwrap();
    }
}

#[test]
fn any_bytes_are_read_as_a_certificate_or_not() {
    let good = certificate_at(start());
    for end in 0..good.len() {
        assert!(Facts::read(&CertificateDer::from(&good[..end])).is_none());
    }
    for position in 0..good.len() {
        let mut bytes = good.to_vec();
        bytes[position] ^= 0x55;
        let _ = Facts::read(&CertificateDer::from(bytes));
    }
}

// --- other implementations judge

#[test]
fn rustls_own_verifier_takes_the_certificate_with_itself_as_root() {
    let certificate = certificate_at(start());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = verifier.build().unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let check = |now: SystemTime| {
        let now = UnixTime::since_unix_epoch(now.duration_since(UNIX_EPOCH).unwrap());
        verifier
            .verify_server_cert(&certificate, &[], &name, &[], now)
            .is_ok()
    };
    assert!(check(start()));
    assert!(!check(start() + DAY * 13));
    assert!(!check(start() - DAY * 2));
}

#[test]
fn a_stock_rustls_client_shakes_hands_with_it() {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate_at(SystemTime::now())).unwrap();
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let store = CertificateStore::derived(identity(), SystemTime::now()).unwrap();
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(store));
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    for _ in 0..4 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets().unwrap();
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
}

#[test]
fn openssl_reads_the_certificate_where_it_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, _) = write_files(folder.path(), &identity(), start());
    let mut command = Command::new("openssl");
    command
        .args(["x509", "-noout", "-text", "-in"])
        .arg(&certificate);
    let Ok(output) = command.output() else {
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    for expected in [
        "Version: 3 (0x2)",
        "Signature Algorithm: ecdsa-with-SHA256",
        "Not Before: Mar 17 00:00:00 2024 GMT",
        "Not After : Mar 30 00:00:00 2024 GMT",
        "NIST CURVE: P-256",
        "CA:FALSE",
        "TLS Web Server Authentication",
        "DNS:localhost",
    ] {
        assert!(text.contains(expected), "no {expected:?} in {text}");
    }
    let mut command = Command::new("openssl");
    command.args(["verify", "-attime"]);
    command.arg(
        start()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs()
            .to_string(),
    );
    let verified = command
        .arg("-CAfile")
        .arg(&certificate)
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}

// --- the store

#[test]
fn a_restart_keeps_the_hashes() {
    let (one, other) = (store(), store());
    assert_eq!(one.hashes(start()), other.hashes(start()));
    assert_eq!(one.hashes(start()), other.hashes(start() + DAY * 5));
    let hashes = one.hashes(start()).unwrap();
    assert_eq!(hashes.len(), 2);
    assert_eq!(hashes[0], CertificateHash::of(&certificate_at(start())));
    assert_eq!(
        hashes[1],
        CertificateHash::of(&certificate_at(start() + DAY * 11))
    );
}

#[test]
fn rotation_shows_the_next_windows_certificate_and_tells_when_it_is_due() {
    let store = store();
    let due = start() + DAY * 11;
    let unchanged = Rotation {
        changed: false,
        next: Some(due),
    };
    assert_eq!(store.rotate(due - Duration::from_secs(1)), Ok(unchanged));
    let turned = Rotation {
        changed: true,
        next: Some(due + DAY * 11),
    };
    assert_eq!(store.rotate(due), Ok(turned));
    assert_eq!(store.current().certified.cert[0], certificate_at(due));
    // A clock that is set back shows the earlier certificate again.
    assert!(store.rotate(start()).unwrap().changed);
    assert_eq!(store.current().certified.cert[0], certificate_at(start()));
    // A clock that is lost leaves what is there.
    assert_eq!(store.rotate(UNIX_EPOCH), Err(CertificateError::Clock));
    assert_eq!(store.current().certified.cert[0], certificate_at(start()));
}

#[test]
fn the_operators_files_are_read_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = write_files(folder.path(), &identity(), start());
    let store = CertificateStore::from_files(&certificate, &key, start()).unwrap();
    assert_eq!(
        store.rotate(start()),
        Ok(Rotation {
            changed: false,
            next: None
        })
    );
    // Nobody else vouches for it, so the address carries its hash.
    assert_eq!(
        store.hashes(start()).unwrap(),
        [CertificateHash::of(&certificate_at(start()))]
    );
    assert_eq!(store.reload(start()), Ok(false));

    let renewed = start() + DAY * 11;
    write_files(folder.path(), &identity(), renewed);
    assert_eq!(store.reload(renewed), Ok(true));
    assert_eq!(store.current().certified.cert[0], certificate_at(renewed));

    fs::write(&key, "gone wrong").unwrap();
    assert_eq!(
        store.reload(renewed),
        Err(CertificateError::Files(CertificateFileError::NoKey(key)))
    );
    assert_eq!(store.current().certified.cert[0], certificate_at(renewed));
}

#[test]
fn each_fault_of_the_files_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = write_files(folder.path(), &identity(), start());
    let load = |now| match CertificateStore::from_files(&certificate, &key, now) {
        Err(CertificateError::Files(error)) => error,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("taken"),
    };
    use CertificateFileError as Fault;
    assert_eq!(
        load(start() + DAY * 30),
        Fault::Expired(certificate.clone())
    );
    assert_eq!(
        load(start() - DAY * 30),
        Fault::NotYetValid(certificate.clone())
    );

    let other = tempfile::tempdir().unwrap();
    let (_, wrong_key) = write_files(other.path(), &Identity::from_bytes([9; 32]), start());
    let right_key = fs::read(&key).unwrap();
    fs::copy(wrong_key, &key).unwrap();
    let mismatch = Fault::Mismatch {
        certificate: certificate.clone(),
        key: key.clone(),
    };
    assert_eq!(load(start()), mismatch);
    fs::write(&key, pem("PRIVATE KEY", b"no key")).unwrap();
    assert_eq!(load(start()), Fault::UnusableKey(key.clone()));
    fs::remove_file(&key).unwrap();
    assert_eq!(load(start()), Fault::Missing(key.clone()));
    fs::create_dir(&key).unwrap();
    assert_eq!(load(start()), Fault::NotAFile(key.clone()));
    fs::remove_dir(&key).unwrap();
    fs::write(&key, right_key).unwrap();

    for bad in [
        String::new(),
        "text".into(),
        pem("CERTIFICATE", b"no certificate"),
    ] {
        fs::write(&certificate, bad).unwrap();
        assert_eq!(load(start()), Fault::NoCertificate(certificate.clone()));
    }
}

#[test]
fn what_holds_secrets_says_nothing_of_them() {
    assert_eq!(format!("{:?}", store()), "CertificateStore");
    let _: Arc<dyn ResolvesServerCert> = store();
}
