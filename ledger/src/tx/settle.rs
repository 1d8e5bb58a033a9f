//! `Settle`: a receipt with its evidence is judged, the request is nullified and the node is paid.
//!
//! Checks come in the order of their cost: the receipt alone, then the registries and the reservation, then the proof.
use assay_verifier::receipt::{Backend, Claim, Proving, Receipt, SignedReceipt};
use assay_verifier::settlement::model::Model;
use assay_verifier::settlement::node::{Heartbeat, Node, Stake};
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Reservation, Settlement};
use assay_verifier::settlement::{Height, Versioned, keys};
use assay_verifier::signature::PublicKey;
use assay_verifier::wire::Bytes;
use serde::{Deserialize, Serialize};

use super::{Context, Kind, attestation};
use crate::event::Event;
use crate::money::{Pocket, transfer};
use crate::rejection::{Fault, Rejection};
use crate::state::{Overlay, State, StoreError, read};
use crate::verdicts::Task;
use crate::work;

/// Settles a request. Anyone may hand it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settle {
    /// The receipt that went with the answer.
    pub receipt: SignedReceipt,
    /// What stands behind it.
    pub evidence: Evidence,
}

/// What stands behind a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// A proof's file, for the backend `zkml`.
    Proof(Bytes),
    /// Nothing but the node's signature on the receipt, for the backend `vanilla`, and for `tee`: what stands behind that is the attestation
    /// that the ledger has of the node.
    Signature,
}

impl Kind for Settle {
    fn check(&self, rules: &Parameters) -> Result<(), Rejection> {
        self.check_receipt(rules)?;
        self.receipt.verify().map_err(|_| Rejection::ReceiptSignature)
    }

    fn work(&self, state: &dyn State) -> Result<u64, StoreError> {
        let proof = match (&self.evidence, &self.receipt.receipt.proving) {
            (Evidence::Proof(file), Some(proving)) => {
                let model: Option<Versioned<Model>> = read(state, &keys::model(self.receipt.receipt.model))?;
                let keys = model.map(|model| model.record.keys).unwrap_or_default();
                let size = keys.iter().find(|key| key.digest == proving.key).map_or(0, |key| key.size);
                work::proof(proving.engine, file.0.len(), size)
            }
            _ => 0,
        };
        Ok(work::SIGNATURE + proof)
    }

    fn tasks(&self) -> Vec<Task> {
        self.task().into_iter().collect()
    }

    fn execute(&self, _: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        self.settle(context)
    }
}

impl Settle {
    /// What can be refused from the receipt alone, its signature apart.
    pub(super) fn check_receipt(&self, rules: &Parameters) -> Result<(), Rejection> {
        let receipt = &self.receipt.receipt;
        if receipt.chain_id != rules.chain_id {
            return Err(Rejection::ReceiptChain);
        }
        if receipt.proven.is_some() {
            return Err(Rejection::ReceiptVersion);
        }
        if receipt.request != receipt.request_id() {
            return Err(Rejection::ReceiptRequest);
        }
        let (claim, proving) = match receipt.backend {
            Backend::Zkml => (Claim::Proven, true),
            Backend::Vanilla => (Claim::SignedOnly, false),
            Backend::Tee => (Claim::Attested, false),
        };
        if receipt.claim != claim || receipt.proving.is_some() != proving {
            return Err(Rejection::ReceiptClaim);
        }
        if matches!(self.evidence, Evidence::Proof(_)) != proving {
            return Err(Rejection::EvidenceKind);
        }
        Ok(())
    }

    /// The proof, if there is one.
    pub(super) fn task(&self) -> Option<Task> {
        match (&self.evidence, &self.receipt.receipt.proving) {
            (Evidence::Proof(file), Some(proving)) => Some(Task::new(proving.key, &file.0)),
            _ => None,
        }
    }

    /// All that [`Kind::check`] does not say.
    pub(super) fn settle(&self, context: &mut Context<'_>) -> Result<(), Fault> {
        let receipt = &self.receipt.receipt;
        let reservation = self.reservation(context)?;
        let (node, heartbeat) = living(context, receipt)?;
        let attestation_revision = match receipt.backend {
            Backend::Tee => Some(attestation::in_force(context, receipt.node, receipt.grade)?),
            Backend::Zkml | Backend::Vanilla => None,
        };
        let model = self.model(context)?;
        let task = self.task();
        if let Some(task) = &task {
            shows(context, task, receipt)?;
        }
        let price = receipt.price;
        // The reservation covers the price.
        let returned = reservation.authorisation.amount.saturating_sub(price);
        let (payer, payee) = (receipt.payer, node.record.payee);
        transfer(&mut context.state, Pocket::Reserved, Pocket::Balance(payee), price)?;
        transfer(&mut context.state, Pocket::Reserved, Pocket::Escrow(payer), returned)?;
        context.state.remove(keys::reservation(receipt.request));
        let settlement = Settlement {
            request: receipt.request,
            receipt: receipt.digest(),
            backend: receipt.backend,
            proof: task.as_ref().zip(receipt.proving).map(|(task, proving)| (task.proof(), proving.key)),
            model: receipt.model,
            model_revision: model.revision,
            node: receipt.node,
            node_revision: node.revision,
            heartbeat: heartbeat.height,
            attestation_revision,
            payer,
            payee,
            price,
            returned,
            height: context.block.height,
            time_ms: context.block.time_ms,
        };
        context.state.write(keys::settlement(receipt.request), &settlement);
        let event = Event::new("settle").with("request", receipt.request).with("receipt", settlement.receipt);
        let event = event.with("node", receipt.node).with("model", receipt.model).with("payer", payer);
        context.events.push(event.with("payee", payee).with("price", price).with("returned", returned));
        Ok(())
    }

    /// The reservation, which must be for this receipt.
    fn reservation(&self, context: &Context<'_>) -> Result<Reservation, Fault> {
        let receipt = &self.receipt.receipt;
        if context.state.get(&keys::settlement(receipt.request))?.is_some() {
            return Err(Rejection::RequestSettled.into());
        }
        let found: Option<Reservation> = context.state.read(&keys::reservation(receipt.request))?;
        let reservation = found.ok_or(Rejection::ReservationUnknown)?;
        let allowed = &reservation.authorisation;
        let checks = [
            (context.block.time_ms <= allowed.deadline_ms, Rejection::DeadlinePast),
            (receipt.node == allowed.node, Rejection::ReceiptNode),
            (receipt.model == allowed.model, Rejection::ReceiptModel),
            (receipt.backend == allowed.backend, Rejection::ReceiptBackend),
            (receipt.price <= allowed.amount, Rejection::ReceiptPrice),
        ];
        for (holds, reason) in checks {
            if !holds {
                return Err(reason.into());
            }
        }
        Ok(reservation)
    }

    /// The model, which must be in force and of the receipt's program, and have the receipt's key.
    fn model(&self, context: &Context<'_>) -> Result<Versioned<Model>, Fault> {
        let receipt = &self.receipt.receipt;
        let found: Option<Versioned<Model>> = context.state.read(&keys::model(receipt.model))?;
        let model = found.ok_or(Rejection::ModelUnknown)?;
        if !model.holds_at(context.block.height) {
            return Err(Rejection::ModelNotInForce.into());
        }
        if receipt.program() != Some(model.record.manifest.program) {
            return Err(Rejection::ReceiptCircuit.into());
        }
        if let Some(Proving { engine, key, hiding }) = receipt.proving {
            let found = model.record.keys.iter().find(|entry| entry.digest == key);
            let entry = found.ok_or(Rejection::ReceiptKey)?;
            if entry.engine != engine {
                return Err(Rejection::ReceiptEngine.into());
            }
            if entry.hiding != hiding {
                return Err(Rejection::ReceiptHiding.into());
            }
        }
        Ok(model)
    }
}

/// The proof holds, and it is the receipt's.
pub(super) fn shows(context: &Context<'_>, task: &Task, receipt: &Receipt) -> Result<(), Fault> {
    let shown = context.verdicts.judge(&context.state, task)??;
    if shown.inputs != receipt.inputs {
        return Err(Rejection::ProofInputs.into());
    }
    if shown.outputs != receipt.outputs {
        return Err(Rejection::ProofOutputs.into());
    }
    if shown.context != Some(receipt.digest()) {
        return Err(Rejection::ProofReceipt.into());
    }
    Ok(())
}

/// A node's registration in force.
pub(super) fn registered(state: &Overlay<'_>, id: PublicKey, height: Height) -> Result<Versioned<Node>, Fault> {
    let node: Versioned<Node> = state.read(&keys::node(id))?.ok_or(Rejection::NodeUnknown)?;
    if node.holds_at(height) { Ok(node) } else { Err(Rejection::NodeDeregistered.into()) }
}

/// The receipt's node, which must be registered, staked and alive, and do what the receipt says it did.
fn living(context: &Context<'_>, receipt: &Receipt) -> Result<(Versioned<Node>, Heartbeat), Fault> {
    let node = registered(&context.state, receipt.node, context.block.height)?;
    let heartbeat: Option<Heartbeat> = context.state.read(&keys::heartbeat(receipt.node))?;
    let heartbeat = heartbeat.ok_or(Rejection::HeartbeatMissed)?;
    if context.block.time_ms.saturating_sub(heartbeat.time_ms) > context.rules.heartbeat_window_ms {
        return Err(Rejection::HeartbeatMissed.into());
    }
    let stake: Option<Stake> = context.state.read(&keys::stake(receipt.node))?;
    if stake.is_none_or(|stake| stake.amount < context.rules.stake_min) {
        return Err(Rejection::StakeTooLow.into());
    }
    if !node.record.backends.contains(&receipt.backend) {
        return Err(Rejection::NodeLacksBackend.into());
    }
    Ok((node, heartbeat))
}
