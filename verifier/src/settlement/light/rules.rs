//! What the library's rules are carried out with: this crate's hash and signatures, and its errors.
use alloc::vec::Vec;

use ed25519_zebra::VerificationKey;
use sha2::{Digest, Sha256};
use tendermint::crypto::signature;
use tendermint::merkle::MerkleHash;
use tendermint::validator::Set;
use tendermint::{Hash, PublicKey, Signature, crypto};
use tendermint_light_client_verifier::errors::VerificationErrorDetail as Detail;
use tendermint_light_client_verifier::operations::{ProdCommitValidator, ProvidedVotingPowerCalculator};
use tendermint_light_client_verifier::predicates::VerificationPredicates;
use tendermint_light_client_verifier::{PredicateVerifier, Verdict};
use tendermint_proto::v0_38::crypto as proto_crypto;
use tendermint_proto::v0_38::types as proto;

use super::LightError;

pub(super) type Rules = PredicateVerifier<Predicates, ProvidedVotingPowerCalculator<Zip215>, ProdCommitValidator>;

/// The library's verifier.
pub(super) fn verifier() -> Rules {
    PredicateVerifier::new(Predicates, ProvidedVotingPowerCalculator::new(Zip215), ProdCommitValidator)
}

/// A verdict as this crate says it.
pub(super) fn accepted(verdict: Verdict) -> Result<(), LightError> {
    let detail = match verdict {
        Verdict::Success => return Ok(()),
        Verdict::NotEnoughTrust(_) => return Err(LightError::Trust),
        Verdict::Invalid(detail) => detail,
    };
    Err(match detail {
        Detail::HeaderFromTheFuture(_) => LightError::Future,
        Detail::NotEnoughTrust(_) => LightError::Trust,
        Detail::InsufficientSignersOverlap(_) => LightError::Power,
        Detail::InvalidSignature(_) | Detail::MissingSignature(_) => LightError::Signature,
        Detail::InvalidValidatorSet(_) | Detail::InvalidNextValidatorSet(_) => LightError::Validators,
        Detail::NonIncreasingHeight(_) | Detail::NonMonotonicBftTime(_) => LightError::Order,
        Detail::ChainIdMismatch(_) => LightError::Chain,
        Detail::NotWithinTrustPeriod(_) => LightError::Expired,
        Detail::InvalidCommitValue(_)
        | Detail::NoSignatureForCommit(_)
        | Detail::MismatchPreCommitLength(_)
        | Detail::DuplicateValidator(_)
        | Detail::FaultySigner(_) => LightError::Commit,
        Detail::Tendermint(_) => LightError::Malformed,
    })
}

/// The library's rules, with this crate's hash.
pub(super) struct Predicates;

impl VerificationPredicates for Predicates {
    type Sha256 = CometHash;
}

/// SHA-256 as CometBFT's trees use it.
#[derive(Clone, Copy, Debug, Default)]
pub struct CometHash;

impl crypto::Sha256 for CometHash {
    fn digest(data: impl AsRef<[u8]>) -> [u8; 32] {
        Sha256::digest(data).into()
    }
}

impl MerkleHash for CometHash {
    fn empty_hash(&mut self) -> [u8; 32] {
        Sha256::digest([]).into()
    }

    fn leaf_hash(&mut self, bytes: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update([0]).chain_update(bytes).finalize().into()
    }

    fn inner_hash(&mut self, left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
        Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
    }
}

/// ed25519 under the rules that CometBFT has too.
pub(super) struct Zip215;

impl signature::Verifier for Zip215 {
    fn verify(&self, key: PublicKey, message: &[u8], signature: &Signature) -> Result<(), signature::Error> {
        let PublicKey::Ed25519(key) = key else { return Err(signature::Error::UnsupportedKeyType) };
        let key = VerificationKey::try_from(key.as_bytes()).map_err(|_| signature::Error::MalformedPublicKey)?;
        let signature = ed25519_zebra::Signature::try_from(signature.as_bytes());
        let signature = signature.map_err(|_| signature::Error::MalformedSignature)?;
        key.verify(&signature, message).map_err(|_| signature::Error::VerificationFailed)
    }
}

/// The hash by which genesis and headers name a set of validators: its members by key and power.
///
/// # Errors
/// Not the keys and powers that a set can have.
pub fn validators_hash(members: &[([u8; 32], u64)]) -> Result<[u8; 32], LightError> {
    let member = |(key, power): &([u8; 32], u64)| {
        let sum = proto_crypto::public_key::Sum::Ed25519(key.to_vec());
        let voting_power = i64::try_from(*power).map_err(|_| LightError::Malformed)?;
        let address = Sha256::digest(key).get(..tendermint::account::LENGTH).map(<[u8]>::to_vec);
        Ok(proto::Validator {
            address: address.ok_or(LightError::Malformed)?,
            pub_key: Some(proto_crypto::PublicKey { sum: Some(sum) }),
            voting_power,
            proposer_priority: 0,
        })
    };
    let validators = members.iter().map(member).collect::<Result<Vec<_>, LightError>>()?;
    let set = proto::ValidatorSet { validators, proposer: None, total_voting_power: 0 };
    let set: Set = set.try_into().map_err(|_| LightError::Malformed)?;
    match set.hash_with::<CometHash>() {
        Hash::Sha256(hash) => Ok(hash),
        Hash::None => Err(LightError::Malformed),
    }
}
