//! What openmls keeps between two calls: only what it reads back while a group lives in memory, which
//! is the keys of a key package until its welcome, and the keys of this member's path in the tree.
//! Everything else it can write (the tree, the secrets of the epoch, those of messages) is for a group
//! that is loaded from a disk; no meeting is, so it is dropped unseen, and no copy of a secret
//! outlives the group's own.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use openmls_traits::storage::traits::*;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// Room for what is written, so that it does not move while it is and leaves no copy behind: enough for
/// a key package with the longest name, or the key pairs of eight levels of a tree.
const ROOM: usize = 4096;

type V<T> = Result<T, StorageError>;

/// Does not happen: what is kept was written by the same code.
#[derive(Debug, thiserror::Error)]
#[error("what was kept cannot be read")]
pub struct StorageError;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    KeyPackage,
    KeyPair,
    EpochKeyPairs,
    Psk,
}

type Kept = BTreeMap<(Kind, Vec<u8>), Zeroizing<Vec<u8>>>;

/// Keys that wait to be used. Wiped when they are deleted, overwritten or dropped.
#[derive(Default)]
pub struct Storage(Mutex<Kept>);

impl Storage {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, kind: Kind, key: &impl Serialize, value: &(impl Serialize + ?Sized)) -> V<()> {
        let key = postcard::to_allocvec(key).map_err(|_| StorageError)?;
        let mut room = Zeroizing::new(vec![0; ROOM]);
        let length = loop {
            match postcard::to_slice(value, &mut room).map(|written| written.len()) {
                Ok(length) => break length,
                Err(postcard::Error::SerializeBufferFull) => {
                    room = Zeroizing::new(vec![0; room.len() * 2]);
                }
                Err(_) => return Err(StorageError),
            }
        };
        room.truncate(length);
        self.kept().insert((kind, key), room);
        Ok(())
    }

    fn look<T: DeserializeOwned>(&self, kind: Kind, key: &impl Serialize) -> V<Option<T>> {
        let key = postcard::to_allocvec(key).map_err(|_| StorageError)?;
        let kept = self.kept();
        let value = kept
            .get(&(kind, key))
            .map(|value| postcard::from_bytes(value));
        value.transpose().map_err(|_| StorageError)
    }

    fn drop_kept(&self, kind: Kind, key: &impl Serialize) -> V<()> {
        let key = postcard::to_allocvec(key).map_err(|_| StorageError)?;
        self.kept().remove(&(kind, key));
        Ok(())
    }

    /// How many things are kept.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.kept().len()
    }
}

/// Methods that drop what they are given.
macro_rules! drops {
    ($($name:ident<$($g:ident: $t:ident),*>($($arg:ty),*);)*) => { $(
        fn $name<$($g: $t<CURRENT_VERSION>),*>(&self, $(_: $arg),*) -> V<()> {
            Ok(())
        }
    )* };
}

/// Methods that find nothing.
macro_rules! finds_nothing {
    ($($name:ident<$($g:ident: $t:ident),*>($arg:ty) -> $out:ty;)*) => { $(
        fn $name<$($g: $t<CURRENT_VERSION>),*>(&self, _: $arg) -> V<$out> {
            Ok(<$out>::default())
        }
    )* };
}

impl StorageProvider<CURRENT_VERSION> for Storage {
    type Error = StorageError;

    fn write_key_package<R: HashReference<CURRENT_VERSION>, K: KeyPackage<CURRENT_VERSION>>(
        &self,
        reference: &R,
        key_package: &K,
    ) -> V<()> {
        self.keep(Kind::KeyPackage, reference, key_package)
    }

    fn key_package<R: HashReference<CURRENT_VERSION>, K: KeyPackage<CURRENT_VERSION>>(
        &self,
        reference: &R,
    ) -> V<Option<K>> {
        self.look(Kind::KeyPackage, reference)
    }

    fn delete_key_package<R: HashReference<CURRENT_VERSION>>(&self, reference: &R) -> V<()> {
        self.drop_kept(Kind::KeyPackage, reference)
    }

    fn write_encryption_key_pair<
        K: EncryptionKey<CURRENT_VERSION>,
        P: HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        public: &K,
        pair: &P,
    ) -> V<()> {
        self.keep(Kind::KeyPair, public, pair)
    }

    fn encryption_key_pair<P: HpkeKeyPair<CURRENT_VERSION>, K: EncryptionKey<CURRENT_VERSION>>(
        &self,
        public: &K,
    ) -> V<Option<P>> {
        self.look(Kind::KeyPair, public)
    }

    fn delete_encryption_key_pair<K: EncryptionKey<CURRENT_VERSION>>(&self, public: &K) -> V<()> {
        self.drop_kept(Kind::KeyPair, public)
    }

    fn write_encryption_epoch_key_pairs<
        G: GroupId<CURRENT_VERSION>,
        E: EpochKey<CURRENT_VERSION>,
        P: HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
        pairs: &[P],
    ) -> V<()> {
        self.keep(Kind::EpochKeyPairs, &(group, epoch, leaf), pairs)
    }

    fn encryption_epoch_key_pairs<
        G: GroupId<CURRENT_VERSION>,
        E: EpochKey<CURRENT_VERSION>,
        P: HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
    ) -> V<Vec<P>> {
        let pairs = self.look(Kind::EpochKeyPairs, &(group, epoch, leaf))?;
        Ok(pairs.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<
        G: GroupId<CURRENT_VERSION>,
        E: EpochKey<CURRENT_VERSION>,
    >(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
    ) -> V<()> {
        self.drop_kept(Kind::EpochKeyPairs, &(group, epoch, leaf))
    }

    // Nothing here stores one. It would be found, so that what refuses such a key is the policy and
    // not that it is missing.
    fn write_psk<I: PskId<CURRENT_VERSION>, B: PskBundle<CURRENT_VERSION>>(
        &self,
        id: &I,
        psk: &B,
    ) -> V<()> {
        self.keep(Kind::Psk, id, psk)
    }

    fn psk<B: PskBundle<CURRENT_VERSION>, I: PskId<CURRENT_VERSION>>(
        &self,
        id: &I,
    ) -> V<Option<B>> {
        self.look(Kind::Psk, id)
    }

    fn delete_psk<I: PskId<CURRENT_VERSION>>(&self, id: &I) -> V<()> {
        self.drop_kept(Kind::Psk, id)
    }

    drops! {
        write_mls_join_config<G: GroupId, C: MlsGroupJoinConfig>(&G, &C);
        append_own_leaf_node<G: GroupId, L: LeafNode>(&G, &L);
        queue_proposal<G: GroupId, R: ProposalRef, Q: QueuedProposal>(&G, &R, &Q);
        write_tree<G: GroupId, T: TreeSync>(&G, &T);
        write_interim_transcript_hash<G: GroupId, H: InterimTranscriptHash>(&G, &H);
        write_context<G: GroupId, C: GroupContext>(&G, &C);
        write_confirmation_tag<G: GroupId, C: ConfirmationTag>(&G, &C);
        write_group_state<S: GroupState, G: GroupId>(&G, &S);
        write_message_secrets<G: GroupId, M: MessageSecrets>(&G, &M);
        write_resumption_psk_store<G: GroupId, R: ResumptionPskStore>(&G, &R);
        write_own_leaf_index<G: GroupId, L: LeafNodeIndex>(&G, &L);
        write_group_epoch_secrets<G: GroupId, E: GroupEpochSecrets>(&G, &E);
        write_signature_key_pair<K: SignaturePublicKey, P: SignatureKeyPair>(&K, &P);
        remove_proposal<G: GroupId, R: ProposalRef>(&G, &R);
        delete_own_leaf_nodes<G: GroupId>(&G);
        delete_group_config<G: GroupId>(&G);
        delete_tree<G: GroupId>(&G);
        delete_confirmation_tag<G: GroupId>(&G);
        delete_group_state<G: GroupId>(&G);
        delete_context<G: GroupId>(&G);
        delete_interim_transcript_hash<G: GroupId>(&G);
        delete_message_secrets<G: GroupId>(&G);
        delete_all_resumption_psk_secrets<G: GroupId>(&G);
        delete_own_leaf_index<G: GroupId>(&G);
        delete_group_epoch_secrets<G: GroupId>(&G);
        clear_proposal_queue<G: GroupId, R: ProposalRef>(&G);
        delete_signature_key_pair<K: SignaturePublicKey>(&K);
    }

    finds_nothing! {
        mls_group_join_config<G: GroupId, C: MlsGroupJoinConfig>(&G) -> Option<C>;
        own_leaf_nodes<G: GroupId, L: LeafNode>(&G) -> Vec<L>;
        queued_proposal_refs<G: GroupId, R: ProposalRef>(&G) -> Vec<R>;
        queued_proposals<G: GroupId, R: ProposalRef, Q: QueuedProposal>(&G) -> Vec<(R, Q)>;
        tree<G: GroupId, T: TreeSync>(&G) -> Option<T>;
        group_context<G: GroupId, C: GroupContext>(&G) -> Option<C>;
        interim_transcript_hash<G: GroupId, H: InterimTranscriptHash>(&G) -> Option<H>;
        confirmation_tag<G: GroupId, C: ConfirmationTag>(&G) -> Option<C>;
        group_state<S: GroupState, G: GroupId>(&G) -> Option<S>;
        message_secrets<G: GroupId, M: MessageSecrets>(&G) -> Option<M>;
        resumption_psk_store<G: GroupId, R: ResumptionPskStore>(&G) -> Option<R>;
        own_leaf_index<G: GroupId, L: LeafNodeIndex>(&G) -> Option<L>;
        group_epoch_secrets<G: GroupId, E: GroupEpochSecrets>(&G) -> Option<E>;
        signature_key_pair<K: SignaturePublicKey, P: SignatureKeyPair>(&K) -> Option<P>;
    }
}
