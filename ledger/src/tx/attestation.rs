//! Attestations of nodes that answer in enclaves: shown with a registration, renewed by `AttestNode`, and looked at when they settle.
//!
//! The document is verified in consensus, at the block's time. It must be bound to the node's key, to the chain, and to the hash of a
//! recent block, which nobody knew before that block: so it was made lately, and can be shown for no other node and not again later.
use assay_verifier::receipt::{Backend, Grade};
use assay_verifier::settlement::node::{Attestation, Measurement};
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::BlockHash;
use assay_verifier::settlement::{Height, Versioned, keys};
use assay_verifier::signature::PublicKey;
use assay_verifier::tee::{Attested, Binding, ChainError, Evidence, TeeError, authenticate};
use assay_verifier::wire;
use serde::{Deserialize, Serialize};

use super::{Context, Kind};
use crate::event::Event;
use crate::rejection::{Fault, Rejection};
use crate::state::{State, StoreError, supersede};
use crate::work;

/// Evidence, and the block that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownEvidence {
    /// The document with all that is needed to verify it.
    pub evidence: Evidence,
    /// The block whose hash is the document's nonce.
    pub nonce_height: Height,
}

/// Shows a new attestation of the signer, a node that answers in an enclave. The one before ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestNode {
    /// What is shown.
    pub shown: ShownEvidence,
}

impl Kind for AttestNode {
    fn check(&self, _: &Parameters) -> Result<(), Rejection> {
        Ok(())
    }

    fn work(&self, _: &dyn State) -> Result<u64, StoreError> {
        Ok(work::ATTESTATION)
    }

    fn execute(&self, signer: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        let node = super::settle::registered(&context.state, signer, context.block.height)?;
        if !node.record.backends.contains(&Backend::Tee) {
            return Err(Rejection::NodeLacksBackend.into());
        }
        record(context, signer, &self.shown)
    }
}

/// Verifies what a node shows and records it. It is in force from this block on.
pub(super) fn record(context: &mut Context<'_>, node: PublicKey, shown: &ShownEvidence) -> Result<(), Fault> {
    let key = keys::attestation(node);
    let current: Option<Versioned<Attestation>> = context.state.read(&key)?;
    // Whatever was shown once cannot be shown again, not even while its block is remembered.
    if current.as_ref().is_some_and(|current| current.record.nonce_height >= shown.nonce_height) {
        return Err(Rejection::AttestationReplayed.into());
    }
    let nonce = nonce(context, shown.nonce_height)?;
    let now_ms = context.block.time_ms;
    let (roots, policy) = (&context.rules.trust_roots, &context.rules.attestation);
    let attested = authenticate(&shown.evidence, roots, policy, now_ms).map_err(reason)?;
    attested.check_binding(&Binding::new(&context.rules.chain_id, node, nonce)).map_err(reason)?;
    let measurement = approved(context, attested.measurement())?.ok_or(Rejection::MeasurementNotApproved)?;
    let Attested { platform, root, expires_ms, .. } = attested;
    let attestation = Attestation {
        evidence: shown.evidence.digest(),
        platform,
        root: root.certificate,
        grade: root.grade,
        measurement: measurement.record.id(),
        measurement_revision: measurement.revision,
        nonce_height: shown.nonce_height,
        nonce,
        verified_ms: now_ms,
        expires_ms,
    };
    supersede(&mut context.state, key, current, context.block.height, attestation)?;
    context.state.write_bytes(keys::evidence(attestation.evidence), wire::bytes(&shown.evidence));
    let event = Event::new("attest_node").with("node", node).with("evidence", attestation.evidence);
    let event = event.with("measurement", hex::encode(attestation.measurement));
    context.events.push(event.with("expires_ms", attestation.expires_ms));
    Ok(())
}

/// The hash of a block that is remembered and not too long ago.
fn nonce(context: &Context<'_>, height: Height) -> Result<[u8; 32], Fault> {
    let found: Option<BlockHash> = context.state.read(&keys::block_hash(height))?;
    let BlockHash { hash, time_ms } = found.ok_or(Rejection::NonceNotRemembered)?;
    let age_ms = context.block.time_ms.saturating_sub(time_ms);
    if age_ms > context.rules.attestation.age_max_ms {
        return Err(Rejection::NonceNotRemembered.into());
    }
    Ok(hash)
}

/// A measurement's record, if it is in force.
fn approved(context: &Context<'_>, id: [u8; 32]) -> Result<Option<Versioned<Measurement>>, StoreError> {
    let found: Option<Versioned<Measurement>> = context.state.read(&keys::measurement(id))?;
    Ok(found.filter(|found| found.holds_at(context.block.height)))
}

/// The version of a node's attestation by which it may settle a receipt of this grade now.
pub(super) fn in_force(context: &Context<'_>, node: PublicKey, grade: Grade) -> Result<u32, Fault> {
    let found: Option<Versioned<Attestation>> = context.state.read(&keys::attestation(node))?;
    let holds = found.filter(|found| found.holds_at(context.block.height));
    // Such a node was not registered without one.
    let missing = || StoreError::Corrupt("a node in an enclave has no attestation".into());
    let Versioned { record, revision, .. } = holds.ok_or_else(missing)?;
    if context.block.time_ms >= record.expires_ms {
        return Err(Rejection::AttestationExpired.into());
    }
    if approved(context, record.measurement)?.is_none() {
        return Err(Rejection::MeasurementRevoked.into());
    }
    if record.grade == grade { Ok(revision) } else { Err(Rejection::ReceiptGrade.into()) }
}

/// The reason that a failed check is to those who watch the chain.
fn reason(error: TeeError) -> Rejection {
    match error {
        TeeError::TooLarge(_) | TeeError::Malformed(_) | TeeError::Unsupported(_) => Rejection::EvidenceMalformed,
        TeeError::UnknownRoot => Rejection::EvidenceRoot,
        TeeError::WrongGrade => Rejection::EvidenceGrade,
        TeeError::Chain(ChainError::Expired | ChainError::NotYetValid) => Rejection::CertificateTime,
        TeeError::Chain(_) => Rejection::CertificateChain,
        TeeError::Revoked => Rejection::CertificateRevoked,
        TeeError::Signature(_) => Rejection::EvidenceSignature,
        TeeError::FromTheFuture(_) | TeeError::Stale(_) => Rejection::EvidenceTime,
        TeeError::DebugMode => Rejection::EnclaveDebug,
        TeeError::Attributes => Rejection::EnclaveAttributes,
        TeeError::SigningKey | TeeError::OtherPlatform | TeeError::QuotingEnclave | TeeError::TdxModule => {
            Rejection::EnclavePlatform
        }
        TeeError::NoTcbLevel | TeeError::TcbStatus(_) | TeeError::TcbTooOld => Rejection::EnclaveFirmware,
        TeeError::WrongNonce => Rejection::AttestationNonce,
        TeeError::WrongBinding => Rejection::AttestationBinding,
        TeeError::MeasurementNotApproved => Rejection::MeasurementNotApproved,
    }
}
