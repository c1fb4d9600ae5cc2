//! Another implementation of MLS (ts-mls, in a Node process) joins as a member of our group, founds one
//! that ours join, and agrees at every epoch on its secrets, the tree, and what members say.

#[path = "another_mls_joins_our_group/judge.rs"]
mod judge;

use judge::{Judge, Leaf, bytes, hex};
use serde_json::json;
use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::group::{
    Change, Committers, Group, GroupRejection, Joining, KeyPackage, LeafId, LeafName, Posted,
    Processed, Why,
};

fn host_key() -> SigningKey {
    SigningKey::from_seed(&[100; 32])
}

fn committers() -> Committers {
    Committers {
        keys: vec![host_key().public()],
        bundle: [9; 32],
    }
}

fn member(name: &str) -> LeafName {
    LeafName::member(name, [7; 16])
}

fn ours(name: &str, seed: u8) -> Joining {
    Joining::new(member(name), None, committers(), [seed; 32]).expect("keys")
}

fn our_host() -> Group {
    let name = LeafName::committer("Host", [1; 16], 0);
    let host = Joining::new(name, Some(&host_key()), committers(), [1; 32]);
    Group::found(host.expect("keys")).expect("a group")
}

fn read(key_package: &[u8]) -> Result<KeyPackage, GroupRejection> {
    KeyPackage::read(key_package, &committers())
}

/// Adds these and removes those.
fn commit(host: &mut Group, add: &[&[u8]], remove: Vec<LeafId>) -> Posted {
    let add = add.iter().map(|one| read(one).expect("a key package"));
    let add = add.collect();
    host.commit(Change { add, remove }).expect("a commit")
}

/// Takes commits of the host's.
fn take(group: &mut Group, message: &[u8]) -> Result<Processed, GroupRejection> {
    group.process(message, |change| change.committer.rank == Some(0))
}

#[track_caller]
fn follows(group: &mut Group, commit: &[u8]) {
    let taken = take(group, commit);
    assert_eq!(
        taken,
        Ok(Processed::Commit {
            removed_me: false,
            why: Why::PutOut
        })
    );
}

/// Our host, a member of ours, and ts-mls.
fn together() -> (Group, Group, Judge) {
    let mut host = our_host();
    let mut judge = Judge::new();
    let friend = ours("Friend", 2);
    let package = judge.key_package(&member("Judge"), Leaf::Ours);
    let posted = commit(&mut host, &[friend.key_package(), &package], vec![]);
    let welcome = posted.welcome.expect("a welcome");
    judge.join(&welcome);
    let friend = friend.enter(&welcome).expect("in");
    (host, friend, judge)
}

#[test]
fn it_enters_by_our_welcome_and_follows_our_commits() {
    let (mut host, mut friend, mut judge) = together();
    judge.agrees(&mut host);
    judge.agrees(&mut friend);

    // One comes, one goes, one changes places with another; and fresh secrets alone.
    let late = ours("Late", 3);
    let posted = commit(&mut host, &[late.key_package()], vec![]);
    let mut late = late.enter(&posted.welcome.expect("a welcome")).expect("in");
    assert!(!judge.follows(&posted.commit));
    follows(&mut friend, &posted.commit);
    judge.agrees(&mut late);

    let other = ours("Other", 4);
    let posted = commit(&mut host, &[other.key_package()], vec![friend.me()]);
    let mut other = other
        .enter(&posted.welcome.expect("a welcome"))
        .expect("in");
    assert!(!judge.follows(&posted.commit));
    follows(&mut late, &posted.commit);
    judge.agrees(&mut other);
    judge.agrees(&mut late);

    for remove in [vec![late.me()], vec![]] {
        let posted = commit(&mut host, &[], remove);
        assert!(!judge.follows(&posted.commit));
        follows(&mut other, &posted.commit);
        judge.agrees(&mut host);
        judge.agrees(&mut other);
    }
}

#[test]
fn removed_it_opens_nothing_more() {
    let (mut host, mut friend, mut judge) = together();
    let posted = commit(&mut host, &[], vec![LeafId(2)]);
    follows(&mut friend, &posted.commit);
    assert!(judge.follows(&posted.commit), "it knows that it is out");
    judge.refuses(&host.say(b"without you").expect("a message"));
    assert_eq!(host.roster().len(), 2);
}

#[test]
fn neither_takes_what_was_changed_or_forged_or_was_there_before() {
    let (mut host, mut friend, mut judge) = together();
    let said = host.say(b"once").expect("a message");
    let mut changed = said.clone();
    *changed.last_mut().expect("bytes") ^= 1;
    judge.refuses(&changed);
    assert_eq!(judge.hears(&said), b"once");
    judge.refuses(&said);

    let said = judge.say(b"once");
    let mut changed = said.clone();
    *changed.last_mut().expect("bytes") ^= 1;
    assert_eq!(
        take(&mut friend, &changed),
        Err(GroupRejection::NotAuthentic)
    );
    let heard = take(&mut friend, &said);
    assert!(matches!(heard, Ok(Processed::App { from: LeafId(2), bytes, .. }) if bytes == b"once"));
    assert_eq!(take(&mut friend, &said), Err(GroupRejection::Replay));

    let forged = judge.does("say", json!({ "said": hex(b"forged"), "forged": true }));
    assert_eq!(
        take(&mut friend, &bytes(&forged["message"])),
        Err(GroupRejection::NotAuthentic)
    );
    judge.agrees(&mut host);
}

#[test]
fn a_leaf_as_it_comes_is_refused_and_its_commits_are() {
    for leaf in [Leaf::TheirCapabilities, Leaf::TheirLifetime] {
        let package = Judge::new().key_package(&member("Judge"), leaf);
        let refused = read(&package).err();
        assert_eq!(refused, Some(GroupRejection::UnknownExtension));
    }

    let (mut host, mut friend, mut judge) = together();
    let mut remove = json!({ "remove": [host.me().0], "forget": true });
    let made = judge.does("commit", remove.clone());
    let commit = bytes(&made["commit"]);
    assert_eq!(take(&mut friend, &commit), Err(GroupRejection::NotTheChair));
    remove["in_the_clear"] = true.into();
    let made = judge.does("commit", remove);
    let commit = bytes(&made["commit"]);
    assert_eq!(take(&mut friend, &commit), Err(GroupRejection::NotPrivate));
    let proposal = judge.does("propose_removal", json!({ "leaf": host.me().0 }));
    let proposal = bytes(&proposal["message"]);
    assert_eq!(take(&mut friend, &proposal), Err(GroupRejection::Proposal));
    judge.agrees(&mut host);
    judge.agrees(&mut friend);
}

/// What the proof of a committer's rank is, said by itself (`src/meeting/group/leaf.rs`).
fn host_by(judge: &Judge) -> LeafName {
    let mut name = LeafName::committer("Judge", [8; 16], 0);
    let proven = [
        b"sottovoce committer's leaf",
        &committers().bundle[..],
        &[0],
        &judge.sign_key,
    ];
    let mut proof = [[0; 32]; 2];
    let signature = host_key().sign(&proven.concat());
    proof.as_flattened_mut().copy_from_slice(&signature);
    name.proof = Some(proof);
    name
}

#[test]
fn ours_enter_by_its_welcome_and_follow_its_commits() {
    let mut judge = Judge::new();
    let name = host_by(&judge);
    judge.key_package(&name, Leaf::Ours);
    let founded = json!({ "group": hex(b"of ts-mls"), "bundle": hex(&[9; 32]) });
    judge.does("found", founded);
    let [one, two, three] = [(2, "One"), (3, "Two"), (4, "Three")].map(|(n, name)| ours(name, n));
    let add = json!({ "add": [hex(one.key_package()), hex(two.key_package())] });
    let welcome = bytes(&judge.does("commit", add)["welcome"]);
    let mut one = one.enter(&welcome).expect("in");
    let mut two = two.enter(&welcome).expect("in");
    judge.agrees(&mut one);
    judge.agrees(&mut two);

    let add = [hex(three.key_package())];
    let made = judge.does("commit", json!({ "add": add, "remove": [two.me().0] }));
    let commit = bytes(&made["commit"]);
    follows(&mut one, &commit);
    let out = take(&mut two, &commit);
    assert_eq!(
        out,
        Ok(Processed::Commit {
            removed_me: true,
            why: Why::PutOut
        })
    );
    let three = three.enter(&bytes(&made["welcome"]));
    let mut three = three.expect("in");
    judge.agrees(&mut one);
    judge.agrees(&mut three);
    let said = judge.say(b"without you");
    assert!(take(&mut two, &said).is_err());

    let fresh = bytes(&judge.does("commit", json!({}))["commit"]);
    follows(&mut one, &fresh);
    follows(&mut three, &fresh);
    judge.agrees(&mut one);
    judge.agrees(&mut three);

    // A commit that only adds brings no fresh secrets by ts-mls. Ours always does, and must.
    let add = [hex(ours("Four", 5).key_package())];
    let bare = bytes(&judge.does("commit", json!({ "add": add }))["commit"]);
    assert_eq!(take(&mut one, &bare), Err(GroupRejection::Update));
}
