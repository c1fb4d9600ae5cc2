use super::*;

fn refused(text: &str) -> ConfigError {
    match RelayConfig::parse(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error,
    }
}

#[test]
fn the_printed_file_is_the_default() {
    let file = RelayConfig::default().to_file().unwrap();
    let parsed = RelayConfig::parse(&file);
    assert!(
        parsed.is_ok_and(|parsed| parsed == RelayConfig::default()),
        "{file}"
    );
    assert!(file.contains("listen = [\"127.0.0.1:4433\"]"), "{file}");
    assert!(file.lines().all(|line| line.len() <= 100), "{file}");
}

/// What is printed for a configuration is that configuration, and says what was changed in it.
#[test]
fn the_printed_file_holds_what_was_set() {
    let text = "public_address = 'relay.example:443'\n[limits]\nrooms = 7\n";
    let config = RelayConfig::parse(text).ok().unwrap();
    let file = config.to_file().unwrap();
    assert!(
        RelayConfig::parse(&file).is_ok_and(|parsed| parsed == config),
        "{file}"
    );
    let default = Limits::default().rooms;
    assert!(file.contains(&format!("# Default: {default}\nrooms = 7\n")));
    assert_eq!(file.matches("# Default:").count(), 1, "{file}");
}

#[test]
fn a_path_that_no_file_can_hold_is_told() {
    use std::os::unix::ffi::OsStringExt;
    let path = std::ffi::OsString::from_vec(vec![b'/', 0xff]);
    let config = RelayConfig {
        identity: Some(path.into()),
        ..RelayConfig::default()
    };
    assert_eq!(
        config.to_file().err().map(|error| error.problem),
        Some(ConfigProblem::NotText)
    );
}

/// Someone who is closed with one of these reasons finds out here why.
#[test]
fn the_printed_file_has_what_is_fixed() {
    use crate::relay::limits::{GROUP_BYTES, HELLO_WITHIN};
    let file = RelayConfig::default().to_file().unwrap();
    let line = |start: &str| {
        let mut lines = file.lines();
        lines
            .find(|line| line.starts_with(start))
            .unwrap_or_default()
    };
    let group = line("#   pictures of a track since a key frame");
    assert!(
        group.contains(&format!(" {} MiB ", GROUP_BYTES >> 20)),
        "{file}"
    );
    assert!(group.contains("TooLarge (ffmpeg: -g"), "{file}");
    let hello = line("#   connected, and in no room");
    assert!(
        hello.contains(&format!(" {} s ", HELLO_WITHIN.as_secs())),
        "{file}"
    );
    use crate::wire::CloseReason::{NoHello, TooLarge, TooMany, TooSlow};
    for reason in [TooLarge, TooMany, TooSlow, NoHello] {
        assert!(file.contains(&format!(" {reason:?}")), "{reason:?}: {file}");
    }
}

/// With every comment sign before an example taken away, the file sets every field there is.
#[test]
fn the_printed_file_has_every_field_and_its_examples_parse() {
    let file = RelayConfig::default().to_file().unwrap();
    let uncommented: String = file
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(example) if !example.starts_with(' ') => format!("{example}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let Ok(config) = RelayConfig::parse(&uncommented) else {
        panic!("{uncommented}")
    };
    let RelayConfig {
        public_address,
        identity,
        certificate,
        key,
        ..
    } = &config;
    assert!(public_address.is_some() && identity.is_some());
    assert!(certificate.is_some() && key.is_some());
    assert!(config.metrics.listen.is_some());
    let table = toml::Table::try_from(&config).unwrap();
    let mut set = Vec::new();
    for (name, value) in &table {
        match value {
            toml::Value::Table(section) => {
                set.extend(section.keys().map(|key| (name.as_str(), key.as_str())))
            }
            _ => set.push(("", name.as_str())),
        }
    }
    let mut documented: Vec<_> = FIELDS
        .iter()
        .map(|field| (field.section, field.name))
        .collect();
    set.sort_unstable();
    documented.sort_unstable();
    assert_eq!(set, documented);
}

#[test]
fn nothing_is_needed() {
    assert!(RelayConfig::parse("").is_ok_and(|config| config == RelayConfig::default()));
}

#[test]
fn a_field_in_the_wrong_table_is_told_where_it_belongs() {
    for (text, told) in [
        (
            "rooms = 3",
            "line 1: `rooms` belongs in the table [limits]; put it below that line",
        ),
        (
            "[limits]\nidentity = 'x'",
            "line 2: `identity` belongs at the top of the file, before any [table]",
        ),
    ] {
        assert_eq!(refused(text).to_string(), told);
    }
}

#[test]
fn an_unknown_field_is_refused_with_its_line_and_what_was_meant() {
    let error = refused("# comment\n\nlisten = [\"[::]:443\"]\nidentitiy = \"x\"\n");
    assert_eq!(
        error.to_string(),
        "line 4: there is no field `identitiy`; did you mean `identity`?"
    );
    let error = refused("[limits]\nrooms = 3\nparticipant = 10\n");
    assert_eq!(
        error.to_string(),
        "line 3: there is no field `participant`; did you mean `participants`?"
    );
    let error = refused("colour = 'blue'");
    assert_eq!(
        error.to_string(),
        "line 1: there is no field `colour`; `sottovoce relay --print-config` shows all there are"
    );
    let error = refused("[limit]\nrooms = 3");
    assert!(
        error.to_string().ends_with("did you mean `limits`?"),
        "{error}"
    );
}

#[test]
fn values_out_of_range_or_of_the_wrong_kind_are_refused_with_their_line() {
    let error = refused("\n[limits]\nmembers_per_room = 5000");
    assert_eq!(
        error.to_string(),
        "line 3: `members_per_room` must be a number from 1 to 4096"
    );
    assert_eq!(refused("[limits]\nrooms = 0").line, Some(2));
    assert_eq!(refused("[limits]\nrooms = -1").line, Some(2));
    assert_eq!(
        refused("[limits]\nrooms = 99999999999999999999").line,
        Some(2)
    );
    assert_eq!(refused("[limits]\nrooms = 'many'").line, Some(2));
    assert_eq!(refused("listen = 4433").line, Some(1));
    let nowhere = refused("listen = [\n'nowhere']");
    assert_eq!(
        (nowhere.line, nowhere.problem),
        (Some(2), ConfigProblem::ListenAddress)
    );
    assert_eq!(refused("limits = 3").line, Some(1));
    assert!(refused("\nlisten = [").line.is_some());
    assert_eq!(refused("identity = 1\nidentity = 2").line, Some(2));
}

#[test]
fn numbers_are_told_on_this_machine_alone() {
    for place in [
        "127.0.0.1:9464",
        "[::1]:9464",
        "unix:/run/sottovoce/metrics",
    ] {
        let text = format!("[metrics]\nlisten = '{place}'");
        assert!(RelayConfig::parse(&text).is_ok(), "{place}");
    }
    for place in ["0.0.0.0:9464", "192.0.2.1:9464", "[2001:db8::1]:9464"] {
        let error = refused(&format!("[metrics]\nlisten = '{place}'"));
        assert_eq!(
            error.problem,
            ConfigProblem::Metrics(DoorAddressError::Exposed)
        );
        assert!(error.to_string().contains("this machine alone"), "{error}");
    }
    assert!(RelayConfig::default().metrics.door() == Ok(None));
}

#[test]
fn fields_that_do_not_go_together_are_refused() {
    assert_eq!(
        refused("listen = []").problem,
        ConfigProblem::NothingToListenOn
    );
    assert_eq!(
        refused("key = 'k.pem'").problem,
        ConfigProblem::HalfACertificate
    );
    for public in [
        "relay",
        "https://relay.example:1",
        "relay.example:99999",
        "a b:1",
        ":443",
    ] {
        let text = format!("public_address = '{public}'");
        assert_eq!(
            refused(&text).problem,
            ConfigProblem::PublicAddress,
            "{public}"
        );
    }
    assert!(RelayConfig::parse("public_address = '[2001:db8::1]:443'").is_ok());
    for nowhere in ["0.0.0.0:7", "[::]:7", "[fe80::1]:7"] {
        let text = format!("public_address = '{nowhere}'");
        assert_eq!(
            refused(&text).problem,
            ConfigProblem::LeadsNowhere,
            "{nowhere}"
        );
    }
}

#[test]
fn a_pass_needs_an_identity_which_a_flag_may_name() {
    let parse = |text| RelayConfig::parse(text).ok().unwrap();
    let mut config = parse("[access]\nwho = 'pass'\ngeneration = 3");
    assert_eq!(
        (config.access.who, config.access.generation),
        (Who::Pass, 3)
    );
    let error = config.check().err().unwrap();
    assert_eq!(error.problem, ConfigProblem::PassOfNoIdentity);
    assert!(error.to_string().contains("needs an `identity`"), "{error}");
    config.identity = Some("identity".into());
    assert!(config.check().is_ok());
    assert!(parse("[access]\ngeneration = 3").check().is_ok());
    assert_eq!(refused("[access]\ngeneration = 0").line, Some(2));
    assert_eq!(refused("[access]\ngeneration = 4294967296").line, Some(2));
    let error = refused("[access]\nwho = 'friends'");
    assert_eq!(error.line, Some(2));
    assert!(error.to_string().contains("pass"), "{error}");
}
