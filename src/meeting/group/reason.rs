//! Why openmls refused something, in our words.

use openmls::framing::errors::{MessageDecryptionError, SecretTreeError};
use openmls::prelude::{
    KeyPackageVerifyError, ProcessMessageError, ProposalValidationError, StageCommitError,
    ValidationError,
};

use super::rejection::GroupRejection;

/// The reason for which a message was refused before anything of ours looked into it. `past`: it is of
/// an epoch that is over.
pub(super) fn reason<E>(error: &ProcessMessageError<E>, past: bool) -> GroupRejection {
    match error {
        // The keys of its epoch are gone, or were never had.
        ProcessMessageError::ValidationError(ValidationError::UnableToDecrypt(
            MessageDecryptionError::SecretTreeError(SecretTreeError::TooDistantInThePast),
        )) if past => GroupRejection::OldEpoch,
        ProcessMessageError::ValidationError(ValidationError::UnableToDecrypt(
            MessageDecryptionError::SecretTreeError(
                SecretTreeError::TooDistantInTheFuture | SecretTreeError::CryptoError(_),
            ),
        )) => GroupRejection::TooFar,
        // Its key was used up, or is further back than keys are kept.
        ProcessMessageError::ValidationError(ValidationError::UnableToDecrypt(
            MessageDecryptionError::SecretTreeError(_)
            | MessageDecryptionError::GenerationOutOfBound,
        )) => GroupRejection::Replay,
        ProcessMessageError::ValidationError(ValidationError::NoPastEpochData) => {
            GroupRejection::OldEpoch
        }
        ProcessMessageError::ValidationError(ValidationError::KeyPackageVerifyError(error)) => {
            stranger(error)
        }
        ProcessMessageError::ValidationError(ValidationError::CommitterIncludedOwnUpdate) => {
            GroupRejection::Update
        }
        ProcessMessageError::InvalidCommit(error) => commit_reason(error),
        _ => GroupRejection::NotAuthentic,
    }
}

fn commit_reason(error: &StageCommitError) -> GroupRejection {
    match error {
        // Proposals by themselves are refused, so there is none that it could refer to.
        StageCommitError::MissingProposal => GroupRejection::Proposal,
        StageCommitError::PskError(_) | StageCommitError::DuplicatePskId(_) => GroupRejection::Psk,
        StageCommitError::RequiredPathNotFound => GroupRejection::Update,
        StageCommitError::GroupContextExtensionsProposalValidationError(_) => {
            GroupRejection::GroupExtensions
        }
        StageCommitError::LeafNodeValidation(_) => GroupRejection::UnknownExtension,
        StageCommitError::ProposalValidationError(error) => match error {
            ProposalValidationError::ExternalInitProposalInRegularCommit => {
                GroupRejection::External
            }
            ProposalValidationError::CommitterIncludedOwnUpdate => GroupRejection::Update,
            ProposalValidationError::UnsupportedProposalType => GroupRejection::UnknownProposal,
            ProposalValidationError::Psk(_) => GroupRejection::Psk,
            ProposalValidationError::InsufficientCapabilities
            | ProposalValidationError::LeafNodeValidation(_) => GroupRejection::UnknownExtension,
            _ => GroupRejection::Malformed,
        },
        _ => GroupRejection::Malformed,
    }
}

/// Why a key package is none.
pub(super) fn stranger(error: &KeyPackageVerifyError) -> GroupRejection {
    match error {
        KeyPackageVerifyError::UnsupportedExtension
        | KeyPackageVerifyError::LifetimeError(_)
        | KeyPackageVerifyError::MissingLifetime => GroupRejection::UnknownExtension,
        _ => GroupRejection::NotAuthentic,
    }
}
