//! Links of a meeting drawn from a fixed seed: their bytes, and what becomes of those that were
//! changed.

use std::path::Path;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use proptest::prelude::*;

use super::text::wrap;
use super::*;
use crate::meeting::LinkSecret;

fn relays() -> Vec<RelayRef> {
    vec![
        RelayRef {
            host: "127.0.0.1".into(),
            port: 4433,
            hashes: vec![[3; 32], [4; 32]],
            pass: None,
        },
        RelayRef {
            host: "[2001:db8::1]".into(),
            port: 443,
            hashes: Vec::new(),
            pass: None,
        },
    ]
}

fn links() -> Links {
    let random = std::array::from_fn(|index| index as u8);
    Links::draw(relays(), "Reading circle", 2, false, random)
        .ok()
        .unwrap()
}

fn meeting(text: &str) -> MeetingLink {
    match Link::parse(text) {
        Ok(Link::Meeting(link)) => link,
        _ => panic!("no meeting link"),
    }
}

fn committer(text: &str) -> CommitterLink {
    match Link::parse(text) {
        Ok(Link::Committer(link)) => *link,
        _ => panic!("no committer link"),
    }
}

fn content(text: &str) -> Vec<u8> {
    let coded = text.split_once('#').unwrap().1;
    let coded = coded.rsplit('.').next().unwrap();
    let mut bytes = BASE64URL_NOPAD.decode(coded.as_bytes()).unwrap();
    bytes.truncate(bytes.len() - 4);
    bytes
}

#[test]
fn links_and_bundle_are_as_pinned() {
    let pinned = |name: &str, now: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/links");
        let pinned = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(now, pinned.trim_end(), "{name} changed");
    };
    let links = links();
    pinned("meeting.txt", &links.meeting);
    pinned("host.txt", &links.host);
    pinned("co_host_1.txt", &links.co_hosts[0]);
    pinned("co_host_2.txt", &links.co_hosts[1]);
    let bundle = committer(&links.host).bundle;
    pinned("bundle.hex", &HEXLOWER.encode(&bundle.to_bytes()));
    pinned("bundle_hash.hex", &HEXLOWER.encode(&bundle.hash().0));
    let room = committer(&links.host).committers_room();
    pinned("committers_room.hex", &HEXLOWER.encode(room.as_bytes()));
}

#[test]
fn each_link_comes_back_as_it_went() {
    let links = links();
    let all = [&links.meeting, &links.host].into_iter();
    for link in all.chain(&links.co_hosts) {
        let read = Link::parse(link).ok().unwrap();
        let again = match &read {
            Link::Meeting(meeting) => meeting.to_link(),
            Link::Committer(committer) => committer.to_link(),
        };
        assert_eq!(&again, link);
        for around in [
            format!("  <{link}>\n"),
            format!("\"{link}\","),
            link.replace("AA", "A\n A"),
            link.replace("KEEP", "KEEP\u{200b}"),
            format!("\u{feff}{link}\r\n"),
            link.replace("https:", "HTTPS:"),
        ] {
            let same = Link::parse(&around).is_ok_and(|again| again == read);
            assert!(same, "{around}");
        }
    }
}

#[test]
fn all_links_of_a_meeting_lead_to_it_and_only_committers_find_their_room() {
    let links = links();
    let meeting = meeting(&links.meeting);
    let ranks: Vec<_> = [&links.host, &links.co_hosts[0], &links.co_hosts[1]]
        .map(|link| committer(link))
        .into();
    for (rank, committer) in (0..).zip(&ranks) {
        assert!(committer.meeting == meeting && committer.rank == rank);
        assert!(committer.bundle.hash() == meeting.bundle);
        assert!(committer.bundle.committer(rank) == Some(&committer.seed.keys()));
        assert!(committer.committers_room() == ranks[0].committers_room());
        assert!(committer.committers_room() != meeting.secret);
    }
    assert!(ranks[0].seed != ranks[1].seed && ranks[1].seed != ranks[2].seed);
    let room = HEXLOWER.encode(ranks[0].committers_room().as_bytes());
    let way_back = HEXLOWER.encode(ranks[0].way_back.as_bytes());
    let given_away = HEXLOWER.encode(&content(&links.meeting));
    assert!(!given_away.contains(&room) && !given_away.contains(&way_back));
    for committer in &ranks {
        let seed = HEXLOWER.encode(committer.seed.as_bytes());
        assert!(!given_away.contains(&seed));
        let others = ranks.iter().filter(|other| other.rank != committer.rank);
        for other in others {
            let kept = HEXLOWER.encode(&content(&other.to_link()));
            assert!(!kept.contains(&seed), "one committer holds another's seed");
        }
    }
}

#[test]
fn people_see_which_link_is_to_be_kept() {
    let links = links();
    assert!(links.host.contains("/#HOST-KEEP-SECRET."));
    assert!(links.co_hosts[0].contains("/#COHOST-1-KEEP-SECRET."));
    assert!(links.co_hosts[1].contains("/#COHOST-2-KEEP-SECRET."));
    assert!(!links.meeting.contains("SECRET"));
    for wrong in [
        links.host.replace("HOST-KEEP-SECRET.", ""),
        links.host.replace("HOST", "COHOST-1"),
        links.meeting.replace("/#", "/#HOST-KEEP-SECRET."),
        links.co_hosts[0].replace("COHOST-1", "COHOST-2"),
    ] {
        assert!(Link::parse(&wrong).err() == Some(LinkError::Mangled));
    }
}

#[test]
fn every_change_is_noticed() {
    let links = links();
    for link in [&links.meeting, &links.host] {
        for place in 0..link.len() {
            let told = match place < "https://127.0.0.1:4433/#".len() {
                // Without its scheme or its fragment it is no link, damaged elsewhere it is one.
                true => [LinkError::NotALink, LinkError::Mangled],
                false => [LinkError::Mangled, LinkError::Mangled],
            };
            for instead in *b"xy.-/#" {
                let mut changed = link.clone().into_bytes();
                if std::mem::replace(&mut changed[place], instead) == instead {
                    continue;
                }
                let changed = String::from_utf8(changed).unwrap();
                let error = Link::parse(&changed).err();
                assert!(
                    error.is_some_and(|error| told.contains(&error)),
                    "{changed}"
                );
            }
            let mut cut = link.clone();
            cut.remove(place);
            assert!(Link::parse(&cut).is_err(), "without {place}");
            assert!(Link::parse(&link[..place]).is_err(), "cut at {place}");
        }
    }
}

#[test]
fn a_link_of_another_version_is_told_from_damage() {
    let old = wrap("127.0.0.1:4433", "", &[1, 1, 2]);
    assert!(Link::parse(&old).err() == Some(LinkError::Older(1)));
    let sentence = LinkError::Older(1).to_string();
    assert!(sentence.contains("made by an older version"), "{sentence}");
    let next = wrap("127.0.0.1:4433", "NEW.", &[4, 1, 2]);
    assert!(Link::parse(&next).err() == Some(LinkError::Version(4)));
}

#[test]
fn a_link_that_does_not_fit_together_is_told_from_damage() {
    let links = links();
    let (meeting, host) = (content(&links.meeting), content(&links.host));
    let (secrets, co_host) = (2 + 64, content(&links.co_hosts[0]));
    let relays = meeting.len();
    let mut another_bundle = host.clone();
    another_bundle[secrets - 1] ^= 1;
    let mut another_seed = host.clone();
    another_seed[relays + 1] ^= 1;
    let mut another_rank = host.clone();
    another_rank[relays] = 7;
    let mut another_key = host.clone();
    *another_key.last_mut().unwrap() ^= 1;
    let mut unknown_kind = meeting.clone();
    unknown_kind[1] = 2;
    for content in [
        another_bundle,
        another_seed,
        another_rank,
        another_key,
        unknown_kind,
        [&meeting[..], &[0]].concat(),
        co_host[..co_host.len() - 1].to_vec(),
        vec![2],
    ] {
        for marker in ["", "HOST-KEEP-SECRET."] {
            let error = Link::parse(&wrap("127.0.0.1:4433", marker, &content)).err();
            assert!(error == Some(LinkError::Contradictory));
        }
    }
    let elsewhere = Link::parse(&wrap("127.0.0.1:4434", "", &meeting)).err();
    assert!(elsewhere == Some(LinkError::Contradictory));
}

#[test]
fn what_is_no_link_is_called_so() {
    let hash = BASE64URL_NOPAD.encode(&[1; 32]);
    let address = format!("https://127.0.0.1:4433/#{hash}.{hash}");
    for (text, told) in [
        ("hello", LinkError::NotALink),
        ("https://example.org/", LinkError::NotALink),
        (&"x".repeat(9000), LinkError::NotALink),
        (&address, LinkError::RelayAddress),
        ("https://relay.example/#authority", LinkError::RelayAddress),
    ] {
        assert!(Link::parse(text).err() == Some(told), "{text}");
    }
}

#[test]
fn after_a_removal_the_link_has_another_secret_and_the_same_host() {
    let before = meeting(&links().meeting);
    let after = before.with_secret(LinkSecret::from_bytes([9; 32]));
    let after = meeting(&after.to_link());
    assert!(after.secret != before.secret && after.lobby(0) != before.lobby(0));
    assert!(after.bundle == before.bundle && after.relays == before.relays);
    assert!(after.lobby(0) != after.lobby(1) && after.lobby(2).is_none());
}

/// The links of [`links`] for a relay with a pass, and one without.
fn links_with_a_pass(vigil: bool) -> Links {
    let pass = include_str!("../../../tests/golden/pass/word.txt");
    let pass = Pass::parse(pass).ok().unwrap();
    let mut relays = relays();
    relays[0] = relays[0].clone().with_pass(&pass);
    let random = std::array::from_fn(|index| index as u8);
    Links::draw(relays, "Reading circle", 2, vigil, random)
        .ok()
        .unwrap()
}

#[test]
fn all_links_of_a_meeting_hold_what_its_relays_ask_for_and_keep_it() {
    for vigil in [false, true] {
        let links = links_with_a_pass(vigil);
        let given = meeting(&links.meeting);
        assert!(given.relays[0].pass.is_some() && given.relays[1].pass.is_none());
        for link in [&links.host].into_iter().chain(&links.co_hosts) {
            assert!(committer(link).meeting.relays == given.relays);
        }
        let moved = given.with_secret(LinkSecret::from_bytes([9; 32]));
        assert!(meeting(&moved.to_link()).relays == given.relays);
        let room = given.lobby(0).unwrap();
        let proof = |relay: usize| given.relays[relay].proof(&room, || [1; 8]);
        assert!(proof(0).is_some() && proof(1).is_none());
    }
    // Nothing else is another one because of it.
    let (with, without) = (links_with_a_pass(false), links());
    let (with, without) = (committer(&with.host), committer(&without.host));
    assert!(with.meeting.secret == without.meeting.secret && with.bundle == without.bundle);
}

#[test]
fn a_link_says_by_its_version_that_it_holds_a_pass() {
    let (with, without) = (links_with_a_pass(false).meeting, links().meeting);
    let (with, without) = (content(&with), content(&without));
    assert_eq!((with[0], without[0]), (3, 2));
    assert_eq!(with.len(), without.len() + 16 + 2);
    let wrong = |content: &[u8]| Link::parse(&wrap("127.0.0.1:4433", "", content)).err();
    // A link of the next version that holds no pass, and one of this that does.
    let mut none = without.clone();
    none[0] = 3;
    none.insert(without.len() - 17, 0);
    none.push(0);
    let mut old = with.clone();
    old[0] = 2;
    // What says whether there is a key says neither.
    let mut neither = with.clone();
    *neither.last_mut().unwrap() = 2;
    for content in [&none[..], &old, &neither, &with[..with.len() - 1]] {
        assert!(wrong(content) == Some(LinkError::Contradictory));
    }
    assert!(wrong(&with).is_none());
}

#[test]
fn all_links_of_a_vigil_have_one_viewer_key_and_keep_it() {
    let draw = |vigil| Links::draw(relays(), "", 1, vigil, [1; 32]).ok().unwrap();
    let links = draw(true);
    let given = meeting(&links.meeting);
    assert!(given.viewer.is_some() && given.viewer.as_ref() != Some(&given.secret));
    for link in [&links.host, &links.co_hosts[0]] {
        assert!(committer(link).meeting.viewer == given.viewer);
    }
    let moved = given.with_secret(LinkSecret::from_bytes([9; 32]));
    assert!(meeting(&moved.to_link()).viewer == given.viewer);
    let plain = draw(false);
    assert!(meeting(&plain.meeting).viewer.is_none());
    assert!(committer(&plain.host).meeting.viewer.is_none());
}

#[test]
fn the_largest_meeting_has_links_that_come_back() {
    let relay = RelayRef {
        host: "a".repeat(255),
        port: 65535,
        hashes: vec![[9; 32]; 4],
        pass: Some(PassKey::from_bytes([9; 16])),
    };
    let title = "t".repeat(TITLE_BYTES);
    let links = Links::draw(vec![relay; RELAYS], &title, COMMITTERS - 1, true, [5; 32]);
    let links = links.ok().unwrap();
    assert!(committer(&links.host).bundle.is_vigil());
    let last = committer(links.co_hosts.last().unwrap());
    assert_eq!(usize::from(last.rank), COMMITTERS - 1);
    assert_eq!(last.bundle.to_bytes().len(), super::bundle::LONGEST);
    assert!(last.bundle.display_title().is_some());
}

#[test]
fn what_cannot_be_in_a_link_is_refused() {
    let draw =
        |relays, title: &str, co_hosts| Links::draw(relays, title, co_hosts, false, [1; 32]).err();
    let host = |host: &str| {
        vec![RelayRef {
            host: host.into(),
            port: 1,
            hashes: Vec::new(),
            pass: None,
        }]
    };
    assert_eq!(draw(Vec::new(), "", 0), Some(DrawError::NoRelay));
    let many = vec![relays().remove(0); RELAYS + 1];
    assert_eq!(draw(many, "", 0), Some(DrawError::TooManyRelays));
    for bad in ["", "a b", "a/#b", &"a".repeat(256)] {
        assert_eq!(draw(host(bad), "", 0), Some(DrawError::BadRelay), "{bad}");
    }
    let long = "ü".repeat(51);
    assert_eq!(draw(relays(), &long, 0), Some(DrawError::TitleTooLong));
    let co_hosts = Some(DrawError::TooManyCoHosts);
    assert_eq!(draw(relays(), "", COMMITTERS), co_hosts);
    assert_eq!(draw(relays(), "", 0), None);
}

#[test]
fn a_title_is_harmless_on_a_screen() {
    let bundle = |title: &str| {
        let links = Links::draw(relays(), title, 0, false, [1; 32])
            .ok()
            .unwrap();
        committer(&links.host).bundle
    };
    assert!(bundle(" ").display_title().is_none());
    let shown = bundle("a\u{1b}[2J\u{202e}b").display_title().unwrap();
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
}

#[test]
fn there_is_one_way_to_write_a_bundle() {
    let bundle = committer(&links().host).bundle;
    let bytes = bundle.to_bytes();
    assert!(Bundle::from_bytes(&bytes) == Some(bundle));
    // The number of committers in two bytes where one would do.
    let long = [&bytes[..1], &[bytes[1] | 0x80, 0], &bytes[2..]].concat();
    assert!(postcard::from_bytes::<Bundle>(&long).is_ok());
    assert!(Bundle::from_bytes(&long).is_none());
    assert!(Bundle::from_bytes(&[&bytes[..], &[0]].concat()).is_none());
    let mut next = bytes.clone();
    next[0] = 2;
    assert!(Bundle::from_bytes(&next).is_none());
    assert!(Bundle::from_bytes(&[1, 0, 0, 0]).is_none(), "no committer");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_text_is_read_without_harm(text in "(https://)?[ -~]{0,80}(/#)?.{0,400}") {
        let _ = Link::parse(&text);
    }

    #[test]
    fn any_content_is_read_without_harm(
        content in proptest::collection::vec(any::<u8>(), 0..700),
        version in 2..4u8,
        kind in 0..4u8,
        marker in "(HOST-KEEP-SECRET\\.)?",
    ) {
        let content = [&[version, kind][..], &content].concat();
        let _ = Link::parse(&wrap("127.0.0.1:4433", &marker, &content));
    }

    #[test]
    fn any_changed_letter_is_told(place in any::<prop::sample::Index>(), instead in any::<char>(), host in any::<bool>()) {
        let links = links();
        let link = if host { links.host } else { links.meeting };
        let place = place.index(link.len());
        let was = link[place..].chars().next().unwrap();
        prop_assume!(!was.eq_ignore_ascii_case(&instead) || place >= "https://".len() && was != instead);
        let mut changed = link.clone();
        changed.replace_range(place..=place, instead.encode_utf8(&mut [0; 4]));
        let error = Link::parse(&changed).err();
        prop_assert!(matches!(error, Some(LinkError::Mangled | LinkError::NotALink)), "{}", changed);
    }

    #[test]
    fn any_bytes_are_a_bundle_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
        if let Some(bundle) = Bundle::from_bytes(&bytes) {
            prop_assert!(bundle.to_bytes() == bytes);
        }
    }
}
