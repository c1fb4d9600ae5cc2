use super::*;

const HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn new(relays: &[&str]) -> NewMeeting {
    NewMeeting {
        relays: relays.iter().map(|relay| relay.to_string()).collect(),
        title: "Reading circle".into(),
        co_hosts: 1,
        vigil: false,
    }
}

fn drawn(relays: &[&str]) -> Result<MeetingLinks, LinkFault> {
    draw(&new(relays), [7; 32])
}

#[test]
fn links_made_here_say_what_they_are() {
    let with_hashes = format!("https://192.0.2.1:4433/#{HASH}.{HASH}");
    let links = drawn(&[&with_hashes, "https://Relay.Example/"]).expect("links");
    let meeting = read(&links.meeting).expect("a meeting link");
    assert_eq!(
        (meeting.kind, meeting.rank, meeting.vigil),
        (LinkKind::Meeting, None, false)
    );
    assert_eq!(meeting.link, links.meeting);
    let relays: Vec<_> = meeting
        .relays
        .iter()
        .map(|one| (one.authority.as_str(), one.hashes.len()))
        .collect();
    assert_eq!(relays, [("192.0.2.1:4433", 2), ("relay.example:443", 0)]);
    let host = read(&links.host).expect("a host link");
    assert_eq!((host.kind, host.rank), (LinkKind::Host, Some(0)));
    assert_eq!(host.title.as_deref(), Some("Reading circle"));
    assert_eq!(host.bundle, meeting.bundle);
    let co_host = read(&links.co_hosts[0]).expect("a co-host link");
    assert_eq!((co_host.kind, co_host.rank), (LinkKind::CoHost, Some(1)));
    let vigil = NewMeeting {
        vigil: true,
        ..new(&["https://relay.example"])
    };
    let vigil = draw(&vigil, [7; 32]).expect("links");
    assert_eq!(
        read(&vigil.meeting).map(|link| link.kind),
        Ok(LinkKind::Vigil)
    );
    assert!(read(&vigil.host).is_ok_and(|link| link.kind == LinkKind::Host && link.vigil));
}

#[test]
fn a_fragment_is_as_good_as_the_whole_wherever_the_page_comes_from() {
    let links = drawn(&[&format!("https://[2001:db8::1]/#{HASH}")]).expect("links");
    for link in [&links.meeting, &links.host, &links.co_hosts[0]] {
        let (_, fragment) = link.split_once('#').expect("a fragment");
        assert_eq!(read(fragment), read(link));
        assert_eq!(read(&format!("#{fragment}")), read(link));
        let mut broken = fragment.to_owned();
        broken.truncate(fragment.len() - 3);
        assert_eq!(read(&broken).err(), Some(LinkFault::Mangled));
    }
    for nothing in [
        "",
        "#",
        "x",
        "ä",
        "#HOST-KEEP-SECRET.",
        &"A".repeat(100_000),
    ] {
        assert!(read(nothing).is_err());
    }
    assert_eq!(
        read("https://relay.example/#authority").err(),
        Some(LinkFault::RelayAddress)
    );
    assert_eq!(
        read(&format!("#{HASH}")).err(),
        Some(LinkFault::RelayAddress)
    );
}

#[test]
fn what_is_no_relay_is_refused_with_its_reason() {
    let fault = |relay: &str| drawn(&[relay]).err();
    for wrong in [
        "relay.example",
        "http://relay.example/",
        "https://",
        "https://a b/",
        "https://relay.example:0/",
        "https://relay.example:x/",
        "https://relay.example:99999/",
        "https://[relay]/",
        "https://relay.example/page#authority",
        "https://relay.example/#AAAA",
    ] {
        assert_eq!(fault(wrong), Some(LinkFault::BadRelay), "{wrong}");
    }
    for bare in [
        "https://192.0.2.1:4433/",
        "https://localhost:4433/",
        "https://[::1]:4433/#",
    ] {
        assert_eq!(fault(bare), Some(LinkFault::NoHashes), "{bare}");
    }
    assert_eq!(fault("https://192.0.2.1/#authority"), None);
    assert_eq!(drawn(&[]).err(), Some(LinkFault::Relays));
    let twice = [
        "https://relay.example",
        "https://RELAY.example:443/#authority",
    ];
    assert_eq!(drawn(&twice).err(), Some(LinkFault::Relays));
    let many = NewMeeting {
        co_hosts: 99,
        ..new(&["https://relay.example"])
    };
    assert_eq!(draw(&many, [7; 32]).err(), Some(LinkFault::CoHosts));
    let long = NewMeeting {
        title: "x".repeat(9999),
        ..new(&["https://relay.example"])
    };
    assert_eq!(draw(&long, [7; 32]).err(), Some(LinkFault::Title));
}

#[test]
fn faults_have_one_name() {
    let fault = LinkFault::NoHashes;
    assert_eq!(
        serde_json::to_value(fault).expect("a value"),
        fault.to_string()
    );
}
