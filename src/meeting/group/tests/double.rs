//! A member with a storage that keeps everything, who goes on from it as somebody else.

use openmls::prelude::{
    KeyPackageBuilder, LeafNodeIndex, MlsGroup, MlsMessageBodyIn, MlsMessageIn, OpenMlsProvider,
    StagedWelcome,
};
use openmls_memory_storage::MemoryStorage;
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::super::policy;
use super::*;
use crate::meeting::crypto::{Provider, SUITE};

type Suite = <Provider as OpenMlsProvider>::CryptoProvider;

struct Everything {
    suite: Provider,
    storage: MemoryStorage,
}

impl OpenMlsProvider for Everything {
    type CryptoProvider = Suite;
    type RandProvider = Suite;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn crypto(&self) -> &Suite {
        self.suite.crypto()
    }

    fn rand(&self) -> &Suite {
        self.suite.rand()
    }
}

struct Double {
    provider: Everything,
    key: SigningKey,
    group: MlsGroup,
}

/// A host, two members, and somebody who comes in by them and then is, in its own eyes, the host: every
/// symmetric key of the group is at hand, and only the host's key for signatures is not.
fn doubled() -> (Group, Vec<Group>, Double) {
    let (mut host, mut members) = meeting(2);
    let provider = Everything {
        suite: Provider::new([90; 32]),
        storage: MemoryStorage::default(),
    };
    let key = SigningKey::from_seed(&[91; 32]);
    let name = LeafName::member("Mallory", [90; 16]);
    let credential = name.to_credential(&key.public()).expect("a name");
    let bundle = KeyPackageBuilder::new()
        .leaf_node_capabilities(policy::capabilities())
        .key_package_lifetime(policy::lifetime())
        .build(SUITE, &provider, &key, credential)
        .expect("keys");
    let bytes = bundle.key_package().tls_serialize_detached();
    let package = KeyPackage::read(&bytes.expect("bytes"), &committers());
    let posted = host.commit(adding(vec![package.expect("a key package")]));
    let posted = posted.expect("a commit");
    for member in &mut members {
        take(member, &posted.commit).expect("a commit of the host's");
    }
    let welcome = posted.welcome.expect("a welcome");
    let message = MlsMessageIn::tls_deserialize_exact_bytes(&welcome).expect("a message");
    let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
        panic!("a welcome");
    };
    let staged = StagedWelcome::new_from_welcome(&provider, &policy::config(), welcome, None);
    let group = staged.expect("a group").into_group(&provider);
    let group = group.expect("a group");
    let me = group.own_leaf_index().u32();
    let mut changed = 0;
    for value in provider.storage.values.write().expect("kept").values_mut() {
        let text = String::from_utf8(value.clone()).expect("JSON");
        let mut other = text.replace(&format!("\"own_index\":{me}"), "\"own_index\":0");
        if text == me.to_string() {
            other = "0".into();
        }
        if other != text {
            changed += 1;
            *value = other.into_bytes();
        }
    }
    assert_eq!(changed, 2, "its index, and the one in the secret tree");
    let group = MlsGroup::load(provider.storage(), group.group_id());
    let group = group.expect("kept").expect("a group");
    assert_eq!(group.own_leaf_index().u32(), host.me().0);
    (
        host,
        members,
        Double {
            provider,
            key,
            group,
        },
    )
}

impl Double {
    fn say(&mut self) -> Vec<u8> {
        let said = self
            .group
            .create_message(&self.provider, &self.key, b"I am the host");
        said.expect("a message").to_bytes().expect("bytes")
    }

    fn remove(&mut self, leaf: LeafId) -> Vec<u8> {
        let built = self
            .group
            .commit_builder()
            .force_self_update(true)
            .propose_removals([LeafNodeIndex::new(leaf.0)])
            .load_psks(self.provider.storage())
            .expect("keys")
            .build(
                self.provider.rand(),
                self.provider.crypto(),
                &self.key,
                |_| true,
            )
            .expect("a commit")
            .stage_commit(&self.provider)
            .expect("a commit");
        built.into_commit().to_bytes().expect("bytes")
    }
}

/// What is refused must not use up the key that the true sender's next message needs, or an insider
/// could keep the host from putting it out.
#[test]
fn nobody_silences_another_by_speaking_in_its_name() {
    let (mut host, mut members, mut double) = doubled();
    let first = double.say();
    let far = (0..100).map(|_| double.say()).last().expect("a message");
    let removes = double.remove(members[1].me());
    let said = host.say(b"I am").expect("a message");
    let put_out = Change {
        add: Vec::new(),
        remove: vec![LeafId(3)],
    };
    let posted = host.commit(put_out).expect("a commit");
    for member in &mut members {
        let before = (member.epoch(), member.tag(), member.roster_hash());
        for forged in [&first, &far, &removes, &first] {
            let refused = member.process(forged, |_| true);
            assert_eq!(refused, Err(GroupRejection::NotAuthentic));
        }
        assert!(before == (member.epoch(), member.tag(), member.roster_hash()));
        let heard = take(member, &said);
        let from = LeafId(0);
        let bytes = b"I am".to_vec();
        assert_eq!(
            heard,
            Ok(Processed::App {
                from,
                epoch: before.0,
                bytes
            })
        );
        let taken = take(member, &posted.commit);
        assert_eq!(taken, Ok(committed(false)));
        assert_eq!(member.tag(), host.tag());
        // Nor after that, in the epoch before.
        assert!(take(member, &first).is_err());
    }
}
