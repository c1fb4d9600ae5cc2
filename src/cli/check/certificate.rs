//! The relay's certificate: files of an authority's, or derived from the identity.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sottovoce::carrier::address::RelayAddress;
use sottovoce::carrier::certificate::{
    CertificateFileError, CertificateReport, CertificateStore, Window,
};
use sottovoce::quiet::sandbox::folders;
use sottovoce::relay::RelayConfig;

use super::Finding;
use super::machine::Machine;
use super::units::{Service, Source};

const CHECK: &str = "certificate";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Who renews by hand wants to know so long before; who has it renewed would have by then.
const SOON: Duration = Duration::from_secs(14 * DAY.as_secs());

pub(super) fn check(
    machine: &Machine,
    service: &Service,
    config: &RelayConfig,
    now: SystemTime,
) -> Finding {
    let (Some(certificate), Some(key)) = (&config.certificate, &config.key) else {
        return derived(now);
    };
    let places = [certificate, key].map(|named| match service.source_of(named) {
        Source::Handed(file) => machine.place(file),
        _ => machine.place(named),
    });
    let [certificate, key] = &places;
    of_files(certificate, key, config, now)
        .unwrap_or_else(|error| Finding::wrong(CHECK, format!("{}.", capital(&error.to_string()))))
}

/// What is off with the folder of the files: since whoever renews one puts another in its place, the
/// relay may read all that is below it for as long as it runs. What systemd hands over lies in a folder
/// that nobody chose.
pub(super) fn folder(
    machine: &Machine,
    service: &Service,
    config: &RelayConfig,
) -> Option<Finding> {
    let itself = |file: &&PathBuf| service.source_of(file) == Source::Itself;
    let files = config.certificate.iter().chain(&config.key).filter(itself);
    let files: Vec<_> = files.map(|file| machine.place(file)).collect();
    let open: Vec<_> = folders(&files).iter().map(|folder| real(folder)).collect();
    let remedy = "The relay may read all that is there while it runs: put certificate and key in a \
                  folder of their own.";
    if open.contains(&real(&machine.place("/"))) {
        let sentence = format!("The certificate's folder is the whole file system. {remedy}");
        return Some(Finding::wrong(CHECK, sentence));
    }
    let identity = real(&machine.place(config.identity.as_ref().filter(itself)?));
    let holds = open.iter().find(|folder| identity.starts_with(folder))?;
    let holds = holds.display();
    let sentence = format!("The certificate's folder {holds} holds the identity too. {remedy}");
    Some(Finding::wrong(CHECK, sentence))
}

/// Where a path leads; a file that is not there yet, where it would be.
fn real(path: &Path) -> PathBuf {
    let made = || {
        let name = path.file_name()?;
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(name))
    };
    let there = path.canonicalize().ok();
    there.or_else(made).unwrap_or_else(|| path.to_owned())
}

fn derived(now: SystemTime) -> Finding {
    let next = Window::at(now).and_then(Window::next).map(Window::start);
    let Some(left) = next.and_then(|next| next.duration_since(now).ok()) else {
        let sentence = "This machine's clock is not set, and certificates carry dates; set it.";
        return Finding::wrong(CHECK, sentence);
    };
    Finding::fine(
        CHECK,
        format!(
            "Derives from the identity. A link made now is good for {} days; give links away anew \
             by then.",
            days(left + Window::LENGTH)
        ),
    )
}

fn of_files(
    certificate: &Path,
    key: &Path,
    config: &RelayConfig,
    now: SystemTime,
) -> Result<Finding, CertificateFileError> {
    use sottovoce::carrier::certificate::CertificateError as E;
    match CertificateStore::from_files(certificate, key, now) {
        Ok(_) => {}
        Err(E::Files(error)) => return Err(error),
        Err(error) => return Ok(Finding::wrong(CHECK, format!("{error}."))),
    }
    let report = CertificateReport::read(certificate)?;
    let shown = certificate.display();
    if let Some(sentence) = misnamed(&report, config) {
        return Ok(Finding::wrong(CHECK, format!("{shown} {sentence}")));
    }
    let left = report.not_after().duration_since(now).unwrap_or_default();
    let days = days(left);
    let sentence = format!("{shown} is good for {days} more days");
    Ok(match (left < SOON, report.vouches_for_itself()) {
        (true, _) => {
            let renew = "renew it, and `systemctl restart sottovoce` (or SIGHUP, where the relay \
                         reads the files itself)";
            Finding::advice(CHECK, format!("{sentence}: {renew}."))
        }
        (false, true) => Finding::fine(CHECK, format!("{sentence}; links carry its hash.")),
        (false, false) => Finding::fine(CHECK, format!("{sentence}.")),
    })
}

/// Why participants would refuse the certificate at the relay's public address.
fn misnamed(report: &CertificateReport, config: &RelayConfig) -> Option<String> {
    if report.vouches_for_itself() {
        return None;
    }
    let Some(public) = &config.public_address else {
        let sentence = "was made for a name: say with `public_address` which, or links name an \
                        address that it does not vouch for.";
        return Some(sentence.into());
    };
    let address: RelayAddress = format!("https://{public}/").parse().ok()?;
    let other = !report.names(address.host());
    other.then(|| {
        format!(
            "was not made for {}, which links name: change `public_address`, or get a certificate \
             for it.",
            address.host().to_text()
        )
    })
}

fn days(time: Duration) -> u64 {
    time.as_secs() / DAY.as_secs()
}

/// As a sentence begins, unless it begins with a path.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::State;
    use super::super::machine::made_up;
    use super::*;

    fn authority(name: &str) -> String {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/authority");
        fs::read_to_string(Path::new(folder).join(name)).unwrap()
    }

    fn found(public: Option<&str>, key: &str, after: Option<Duration>) -> (State, String) {
        let pem = authority("relay.pem");
        let machine = made_up(&[("/c.pem", &pem), ("/k.pem", key)]);
        let config = RelayConfig {
            public_address: public.map(Into::into),
            certificate: Some("/c.pem".into()),
            key: Some("/k.pem".into()),
            ..RelayConfig::default()
        };
        let report = CertificateReport::read(&machine.place("/c.pem")).unwrap();
        let now = match after {
            None => SystemTime::now(),
            Some(left) => report.not_after() - left,
        };
        let finding = check(&machine, &Service::find(&machine), &config, now);
        (finding.state, finding.sentence)
    }

    #[test]
    fn files_are_tried_as_the_relay_would_use_them() {
        let key = authority("relay.key");
        let here = Some("127.0.0.1:443");
        let (state, sentence) = found(here, &key, None);
        assert_eq!(state, State::Fine, "{sentence}");
        let (state, sentence) = found(here, &key, Some(DAY * 3));
        assert_eq!(state, State::Advice, "{sentence}");
        assert!(
            sentence.contains("good for 3 more days: renew it"),
            "{sentence}"
        );
        for (public, key, after, words) in [
            (here, key.as_str(), Some(Duration::ZERO), ""),
            (here, "", None, "no private key"),
            (
                Some("relay.example.org:443"),
                &key,
                None,
                "not made for relay.example.org",
            ),
            (None, &key, None, "say with `public_address`"),
        ] {
            let (state, sentence) = found(public, key, after);
            assert!(sentence.contains(words), "{sentence}");
            assert_eq!(state == State::Wrong, !words.is_empty(), "{sentence}");
        }
        let (_, sentence) = found(here, &key, Some(Duration::ZERO));
        assert!(sentence.contains("good for 0 more days"), "{sentence}");
    }

    #[test]
    fn a_folder_that_stays_open_holds_nothing_else() {
        let unit = (
            "/lib/systemd/system/sottovoce.service",
            "LoadCredential=c:/c.pem\nLoadCredential=identity:/i\n",
        );
        let files = [
            "/tls/c.pem",
            "/tls/deep/identity",
            "/ids/identity",
            "/c.pem",
        ];
        let mut files: Vec<_> = files.iter().map(|file| (*file, "")).collect();
        files.push(unit);
        let machine = made_up(&files);
        let handed = |name| format!("/run/credentials/sottovoce.service/{name}");
        std::os::unix::fs::symlink(machine.place("/ids/c.pem"), machine.place("/tls/link.pem"))
            .unwrap();
        for (certificate, identity, words) in [
            ("/tls/c.pem", Some("/ids/identity"), None),
            ("/tls/c.pem", None, None),
            ("/tls/c.pem", Some("/tls/identity"), Some("/tls holds")),
            ("/tls/c.pem", Some("/tls/deep/identity"), Some("/tls holds")),
            ("/tls/link.pem", Some("/ids/identity"), Some("/ids holds")),
            ("/c.pem", None, Some("whole file system")),
            (&handed("c"), Some(handed("identity").as_str()), None),
        ] {
            let config = RelayConfig {
                certificate: Some(certificate.into()),
                key: Some(certificate.into()),
                identity: identity.map(Into::into),
                ..RelayConfig::default()
            };
            let finding = folder(&machine, &Service::find(&machine), &config);
            let sentence = finding.map(|finding| finding.sentence);
            assert_eq!(sentence.is_some(), words.is_some(), "{sentence:?}");
            let (sentence, words) = (sentence.unwrap_or_default(), words.unwrap_or_default());
            assert!(sentence.contains(words), "{sentence}");
        }
    }

    #[test]
    fn one_that_derives_is_good_into_the_next_window() {
        let start = Window::at(SystemTime::now()).unwrap().start();
        let said = |now| derived(now).sentence;
        assert!(said(start).contains("good for 22 days"), "{}", said(start));
        let late = start + Window::LENGTH - DAY;
        assert!(said(late).contains("good for 12 days"), "{}", said(late));
        assert_eq!(derived(SystemTime::UNIX_EPOCH).state, State::Wrong);
    }
}
