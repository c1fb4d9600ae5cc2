use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<RelayAddress, AddressError> {
    text.parse()
}

fn error(text: &str) -> AddressError {
    match parse(text) {
        Ok(_) => panic!("{text} was taken for an address"),
        Err(error) => error,
    }
}

const HASH: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

#[test]
fn an_address_comes_back_from_its_written_form() {
    let first: [u8; 32] = std::array::from_fn(|index| index as u8);
    for (host, port, written) in [
        ("127.0.0.1", 4433, format!("https://127.0.0.1:4433/#{HASH}")),
        ("::1", 4433, format!("https://[::1]:4433/#{HASH}")),
        (
            "[2001:db8::2]",
            443,
            format!("https://[2001:db8::2]/#{HASH}"),
        ),
        (
            "relay.example",
            443,
            format!("https://relay.example/#{HASH}"),
        ),
        (
            "relay.example",
            8443,
            format!("https://relay.example:8443/#{HASH}"),
        ),
    ] {
        let address = RelayAddress::new(host, port, vec![CertificateHash::new(first)]).ok();
        let address = address.expect("a good address");
        assert_eq!(address.to_url(), written);
        assert!(parse(&written).ok() == Some(address));
    }
}

#[test]
fn two_hashes_are_parted_by_a_dot_and_none_leave_no_fragment() {
    let two = parse(&format!("https://relay.example/#{HASH}.{HASH}"))
        .ok()
        .unwrap();
    assert_eq!(two.hashes().len(), 2);
    let none = parse("https://relay.example").ok().unwrap();
    assert!(none.hashes().is_empty());
    assert_eq!(none.port(), 443);
    assert_eq!(none.to_url(), "https://relay.example/");
}

/// What a relay prints that an authority vouches for, and what is left of one that lost its
/// hashes, are two things.
#[test]
fn an_authority_is_named_where_hashes_would_be() {
    for host in ["192.0.2.1", "[2001:db8::1]", "relay.example"] {
        let address = RelayAddress::new(host, 443, Vec::new()).ok().unwrap();
        let written = address.to_url();
        assert_eq!(written, format!("https://{host}/#authority"));
        let read = parse(&written).ok().unwrap();
        assert!(read == address && read.says_authority() && read.hashes().is_empty());
        let bare = parse(&format!("https://{host}/")).ok().unwrap();
        assert!(!bare.says_authority());
    }
    let pinned = parse(&format!("https://192.0.2.1/#{HASH}")).ok().unwrap();
    assert!(!pinned.says_authority());
    let both = format!("https://192.0.2.1/#{HASH}.authority");
    assert_eq!(error(&both), AddressError::Hashes);
}

#[test]
fn what_a_person_pastes_is_read_kindly() {
    let plain = parse("https://relay.example:443/").ok().unwrap();
    assert!(parse("  HTTPS://Relay.EXAMPLE./\n").ok().unwrap() == plain);
}

#[test]
fn each_mistake_has_its_own_sentence() {
    assert_eq!(error("http://relay.example/"), AddressError::NotHttps);
    assert_eq!(error("relay.example"), AddressError::NotHttps);
    assert_eq!(error(""), AddressError::NotHttps);
    assert_eq!(error("https://"), AddressError::Host);
    assert_eq!(error("https://:4433/"), AddressError::Host);
    assert_eq!(error("https://::1/"), AddressError::Port);
    assert_eq!(error("https://[::1/"), AddressError::Port);
    assert_eq!(error("https://[::1]x/"), AddressError::Host);
    assert_eq!(error("https://[fe80::1%eth0]/"), AddressError::Host);
    assert_eq!(error("https://127.1/"), AddressError::Host);
    assert_eq!(error("https://256.0.0.1/"), AddressError::Host);
    assert_eq!(error("https://0x7f000001/"), AddressError::Host);
    assert_eq!(error("https://relay.example../"), AddressError::Host);
    assert_eq!(error("https://caf\u{e9}.example/"), AddressError::Host);
    assert_eq!(error("https://relay.example:/"), AddressError::Port);
    assert_eq!(error("https://relay.example:0/"), AddressError::Port);
    assert_eq!(error("https://relay.example:+80/"), AddressError::Port);
    assert_eq!(error("https://relay.example:65536/"), AddressError::Port);
    assert_eq!(error("https://me@relay.example/"), AddressError::Extra);
    assert_eq!(error("https://relay.example/room"), AddressError::Extra);
    assert_eq!(error("https://relay.example?x/"), AddressError::Extra);
    assert_eq!(error("https://relay.example/#"), AddressError::Hashes);
    assert_eq!(error("https://relay.example/#AAAA"), AddressError::Hashes);
    assert_eq!(
        error(&format!("https://r.example/#{HASH}.")),
        AddressError::Hashes
    );
    let five = [HASH; 5].join(".");
    assert_eq!(
        error(&format!("https://r.example/#{five}")),
        AddressError::Hashes
    );
    assert_eq!(
        error(&format!("https://{}/", "a".repeat(2000))),
        AddressError::TooLong
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_text_gives_an_address_or_an_error(text in "\\PC{0,80}") {
        let _ = parse(&text);
        let _ = parse(&format!("https://{text}"));
        let _ = parse(&format!("https://relay.example/#{text}"));
    }

    #[test]
    fn what_parses_parses_again_to_the_same(
        host in "[a-z0-9.:\\[\\]-]{1,20}", port in 0..70000u32, hash in any::<[u8; 32]>(),
    ) {
        let hash = BASE64URL_NOPAD.encode(&hash);
        if let Ok(address) = parse(&format!("https://{host}:{port}/#{hash}")) {
            prop_assert!(parse(&address.to_url()).ok() == Some(address));
        }
    }
}
