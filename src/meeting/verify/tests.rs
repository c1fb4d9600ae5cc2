//! Words, their lists, and someone between a host and a knocker.

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::lists::WORDS;
use super::*;

#[test]
fn lists_are_those_of_bip_39() {
    let known = [
        "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda",
        "d392c49fdb700a24cd1fceb237c1f65dcc128f6b34a8aacb58b59384b5c648c2",
        "5c5942792bd8340cb8b27cd592f1015edf56a8c5b26276ee18a482428e7c5726",
        "417b26b3d8500a4ae3d59717d7011952db6fc2fb84b807f3f94ac734e89c1b5f",
    ];
    for (language, known) in Language::ALL.into_iter().zip(known) {
        let digest = Sha256::digest(language.list());
        assert_eq!(HEXLOWER.encode(&digest), known, "{language:?}");
        let words: std::collections::HashSet<_> = (0..WORDS).map(|n| language.word(n)).collect();
        assert_eq!(words.len(), usize::from(WORDS), "each another word");
        assert!(words.iter().all(|word| !word.is_empty()));
    }
    let ends = [Language::English.word(0), Language::English.word(2047)];
    assert_eq!(ends, ["abandon", "zoo"]);
}

#[test]
fn languages_are_found_by_their_tags() {
    for (tag, language) in [
        ("it_IT.UTF-8", Language::Italian),
        ("it", Language::Italian),
        ("zh-CN", Language::ChineseSimplified),
        ("zh", Language::ChineseSimplified),
        ("zh_TW.UTF-8", Language::ChineseTraditional),
        ("zh-Hant", Language::ChineseTraditional),
        ("zh-Hans-HK", Language::ChineseSimplified),
        ("ZH-hk", Language::ChineseTraditional),
        ("de_AT", Language::English),
        ("C", Language::English),
        ("", Language::English),
        ("item", Language::English),
    ] {
        assert_eq!(Language::of_tag(tag), language, "{tag}");
    }
}

#[test]
fn a_meetings_words_are_as_pinned() {
    let words = MeetingWords::of_bundle(&[7; 32]).unwrap();
    // Computed with Argon2's reference implementation: see docs/verification.md.
    let pinned = ["snack", "reunion", "bottom", "bid", "certain"];
    assert_eq!(words.words(Language::English), pinned);
    let other = MeetingWords::of_bundle(&[8; 32]).unwrap();
    assert_ne!(other.words(Language::English), pinned);
    for language in Language::ALL {
        let distinct = words.words(language) != other.words(language);
        assert!(distinct, "{language:?}");
    }
}

fn context() -> SasContext {
    SasContext {
        bundle: [1; 32],
        key_package: [2; 32],
        lobby: [3; 32],
    }
}

fn attempt() -> Attempt {
    Attempts::default().take().unwrap()
}

/// Host and knocker, and what `between` makes of each message on its way.
fn compare(
    host: SasContext,
    knocker: SasContext,
    nonces: ([u8; 32], [u8; 32]),
    between: impl Fn(SasMessage) -> SasMessage,
) -> Result<(SasWords, SasWords), SasError> {
    let (host, message) = HostCommitted::begin(host, attempt(), nonces.0);
    let knocker = KnockerReady::new(knocker, attempt());
    let (knocker, message) = knocker.handle(&between(message), nonces.1)?;
    let (ours, message) = host.handle(&between(message))?;
    let theirs = knocker.handle(&between(message))?;
    Ok((ours, theirs))
}

fn are_same(words: &(SasWords, SasWords)) -> bool {
    words.0.words(Language::English) == words.1.words(Language::English)
}

#[test]
fn both_see_the_same_words_when_nobody_is_between() {
    let mut seen = std::collections::HashSet::new();
    for n in 0..50 {
        let words = compare(context(), context(), ([n; 32], [n ^ 0xff; 32]), |m| m);
        let words = words.unwrap_or_else(|_| panic!("compared"));
        assert!(are_same(&words));
        assert_eq!((words.0.attempt(), words.1.attempt()), (1, 1));
        seen.insert(words.0.words(Language::English));
    }
    assert_eq!(seen.len(), 50, "each time others");
}

#[test]
fn whatever_differs_is_seen_or_refused() {
    for change in [
        |context: &mut SasContext| context.bundle[0] ^= 1,
        |context: &mut SasContext| context.key_package[31] ^= 1,
        |context: &mut SasContext| context.lobby[7] ^= 1,
    ] {
        let mut other = context();
        change(&mut other);
        // The commitment binds what the words are about.
        let compared = compare(context(), other, ([1; 32], [2; 32]), |m| m);
        assert_eq!(compared.err(), Some(SasError::BrokenCommitment));
    }
    let changed = |which: u8| {
        compare(
            context(),
            context(),
            ([1; 32], [2; 32]),
            move |message| match (which, message) {
                (0, SasMessage::Commit(_)) => SasMessage::Commit([9; 32]),
                (1, SasMessage::KnockerNonce(_)) => SasMessage::KnockerNonce([9; 32]),
                (2, SasMessage::HostNonce(_)) => SasMessage::HostNonce([9; 32]),
                (_, message) => message,
            },
        )
    };
    assert_eq!(changed(0).err(), Some(SasError::BrokenCommitment));
    assert!(changed(1).is_ok_and(|words| !are_same(&words)));
    assert_eq!(changed(2).err(), Some(SasError::BrokenCommitment));
}

#[test]
fn who_stands_between_cannot_choose_the_words() {
    // Plays the host to the knocker and the knocker to the host, each with a key package of its own,
    // and does the best that it can: it waits for all that it may see before it has to choose.
    let mut theirs = context();
    theirs.key_package = [0xee; 32];
    let mut met = 0;
    for n in 0..200u8 {
        let knocker = KnockerReady::new(context(), attempt());
        let (host, host_commit) = HostCommitted::begin(theirs, attempt(), [n; 32]);
        // To the knocker it must commit before it knows the knocker's nonce...
        let (as_host, commit) = HostCommitted::begin(context(), attempt(), [0xaa; 32]);
        assert!(host_commit != commit);
        let (knocker, knocker_nonce) = knocker
            .handle(&commit, [n.wrapping_mul(3); 32])
            .unwrap_or_else(|_| panic!("committed"));
        // ... with which the knocker's words are fixed ...
        let (fixed, open) = as_host
            .handle(&knocker_nonce)
            .unwrap_or_else(|_| panic!("knows"));
        // ... and to the host it must show a nonce before it knows the host's.
        let (hosts, _) = host
            .handle(&SasMessage::KnockerNonce([n ^ 0x55; 32]))
            .unwrap_or_else(|_| panic!("shown"));
        let knockers = knocker.handle(&open).unwrap_or_else(|_| panic!("opened"));
        assert_eq!(
            fixed.words(Language::English),
            knockers.words(Language::English)
        );
        met += u32::from(are_same(&(hosts, knockers)));
    }
    assert_eq!(met, 0, "one in four million");
}

#[test]
fn the_commitment_hides_and_binds_the_nonce() {
    // With another nonce for the same commitment the host could choose after it knew the other's.
    let (host, _) = HostCommitted::begin(context(), attempt(), [1; 32]);
    let (_, commit) = HostCommitted::begin(context(), attempt(), [2; 32]);
    let knocker = KnockerReady::new(context(), attempt());
    let (knocker, nonce) = knocker
        .handle(&commit, [3; 32])
        .unwrap_or_else(|_| panic!());
    let (_, open) = host.handle(&nonce).unwrap_or_else(|_| panic!());
    assert_eq!(
        knocker.handle(&open).err(),
        Some(SasError::BrokenCommitment)
    );
}

#[test]
fn messages_at_the_wrong_time_end_the_try() {
    let messages = [
        SasMessage::Commit([1; 32]),
        SasMessage::KnockerNonce([1; 32]),
        SasMessage::HostNonce([1; 32]),
    ];
    for (index, message) in messages.iter().enumerate() {
        let (host, _) = HostCommitted::begin(context(), attempt(), [1; 32]);
        assert_eq!(host.handle(message).is_ok(), index == 1);
        let ready = KnockerReady::new(context(), attempt());
        assert_eq!(ready.handle(message, [2; 32]).is_ok(), index == 0);
        let ready = KnockerReady::new(context(), attempt());
        let (answered, _) = ready
            .handle(&messages[0], [2; 32])
            .unwrap_or_else(|_| panic!());
        let expected = match index {
            2 => SasError::BrokenCommitment,
            _ => SasError::Unexpected,
        };
        assert_eq!(answered.handle(message).err(), Some(expected));
    }
}

#[test]
fn tries_are_counted_and_end() {
    let mut attempts = Attempts::default();
    for n in 1..=3 {
        let attempt = attempts.take().unwrap_or_else(|| panic!("try {n}"));
        let (host, _) = HostCommitted::begin(context(), attempt, [1; 32]);
        let shown = host.handle(&SasMessage::KnockerNonce([2; 32]));
        assert!(shown.is_ok_and(|(words, _)| words.attempt() == n));
    }
    assert!(attempts.take().is_none());
    assert!(attempts.take().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_is_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(message) = postcard::from_bytes::<SasMessage>(&bytes) {
            let written = postcard::to_allocvec(&message).unwrap();
            prop_assert!(postcard::from_bytes(&written) == Ok(message.clone()));
            let (host, _) = HostCommitted::begin(context(), attempt(), [1; 32]);
            let _ = host.handle(&message);
            let _ = KnockerReady::new(context(), attempt()).handle(&message, [2; 32]);
        }
    }

    #[test]
    fn any_two_nonces_agree_and_any_change_is_noticed(
        host: [u8; 32], knocker: [u8; 32], other: [u8; 32],
    ) {
        let words = compare(context(), context(), (host, knocker), |m| m);
        prop_assert!(words.is_ok_and(|words| are_same(&words)));
        prop_assume!(other != knocker);
        let words = compare(context(), context(), (host, knocker), |message| match message {
            SasMessage::KnockerNonce(_) => SasMessage::KnockerNonce(other),
            message => message,
        });
        prop_assert!(words.is_ok_and(|words| !are_same(&words)));
    }
}
