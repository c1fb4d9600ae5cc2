//! messages: whatever decodes is the same when it is encoded again.

use openmls::prelude::{
    AddProposalIn, ExternalInitProposal, GroupContextExtensionProposalIn, MlsMessageIn,
    PreSharedKeyProposal, RatchetTreeIn, ReInitProposal, RemoveProposal, UpdateProposalIn,
    WireFormat,
};
use serde_json::Value;
use tls_codec::{DeserializeBytes, Serialize};

use crate::{bytes, vectors};

#[track_caller]
fn again<T: DeserializeBytes + Serialize>(value: &Value) -> T {
    let encoded = bytes(value);
    let decoded = T::tls_deserialize_exact_bytes(&encoded).expect("it decodes");
    assert_eq!(decoded.tls_serialize_detached().as_ref(), Ok(&encoded));
    let short = &encoded[..encoded.len() - 1];
    assert!(
        T::tls_deserialize_exact_bytes(short).is_err(),
        "a byte less"
    );
    decoded
}

#[test]
fn what_decodes_encodes_to_the_same() {
    let kinds = [
        ("mls_welcome", WireFormat::Welcome),
        ("mls_group_info", WireFormat::GroupInfo),
        ("mls_key_package", WireFormat::KeyPackage),
        ("public_message_application", WireFormat::PublicMessage),
        ("public_message_proposal", WireFormat::PublicMessage),
        ("public_message_commit", WireFormat::PublicMessage),
        ("private_message", WireFormat::PrivateMessage),
    ];
    for case in vectors("messages", 24) {
        for (name, format) in kinds {
            let message = again::<MlsMessageIn>(&case[name]);
            assert_eq!(message.wire_format(), format, "{name}");
        }
        again::<RatchetTreeIn>(&case["ratchet_tree"]);
        again::<AddProposalIn>(&case["add_proposal"]);
        again::<UpdateProposalIn>(&case["update_proposal"]);
        again::<RemoveProposal>(&case["remove_proposal"]);
        again::<PreSharedKeyProposal>(&case["pre_shared_key_proposal"]);
        again::<ExternalInitProposal>(&case["external_init_proposal"]);
        again::<GroupContextExtensionProposalIn>(&case["group_context_extensions_proposal"]);
        // It gives the new group's context a tree, which no context can have (RFC 9420, section 17.3):
        // the only thing here that openmls will not read.
        let encoded = bytes(&case["re_init_proposal"]);
        assert!(ReInitProposal::tls_deserialize_exact_bytes(&encoded).is_err());
    }
}
