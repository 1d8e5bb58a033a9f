//! Records as fields.
use assay_verifier::receipt::{ModelId, Program, RequestId};
use assay_verifier::settlement::model::{Model, ModelKey, Visibility};
use assay_verifier::settlement::node::{Attestation, Heartbeat, Node, Stake};
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Account, Reservation, Settlement, Totals};
use assay_verifier::settlement::sampling::{Outcome, Sample, Sampling};
use assay_verifier::settlement::{Height, Reason, Versioned};
use assay_verifier::signature::PublicKey;
use serde_json::Value;

use super::super::names::backend_name;
use super::super::show::Card;

pub fn account(key: PublicKey, account: &Account) -> Card {
    let Account { nonce, balance, escrow } = *account;
    Card::new().text("account", key).with("balance", balance).with("escrow", escrow).with("nonce", nonce)
}

/// Since when a record holds, and until when.
fn history<T>(versioned: &Versioned<T>) -> Card {
    let reason = versioned.reason.as_ref().map(|reason| match reason {
        Reason::Owner(text) => format!("by its owner: {text}"),
        Reason::Governance(text) => format!("by governance: {text}"),
    });
    let card = Card::new().with("revision", versioned.revision).with("valid_from", versioned.valid_from);
    card.with("valid_to", versioned.valid_to).with("reason", reason)
}

pub fn node(key: PublicKey, node: &Versioned<Node>, heartbeat: Option<Heartbeat>, bonded: Option<Stake>) -> Card {
    let Node { backends, endpoint, payee, stake } = &node.record;
    let backends: Vec<&str> = backends.iter().map(|backend| backend_name(*backend)).collect();
    let card = Card::new().text("node", key).with("backends", backends).text("endpoint", endpoint);
    let card = card.text("payee", payee).with("stake", *stake);
    let card = card.with("bonded", bonded.map_or(0, |stake| stake.amount));
    let card = card.with("free_from", bonded.and_then(|stake| stake.free_from));
    let card = card.with("heartbeat_height", heartbeat.map(|heartbeat| heartbeat.height));
    card.with("heartbeat_time_ms", heartbeat.map(|heartbeat| heartbeat.time_ms)).and(history(node))
}

/// What a node of the backend `tee` showed last.
pub fn attestation(shown: Option<&Versioned<Attestation>>) -> Card {
    let record = shown.map(|shown| &shown.record);
    let card = Card::new().with("attestation_revision", shown.map(|shown| shown.revision));
    let card = card.with("attested_platform", record.map(|record| format!("{:?}", record.platform)));
    let card = card.with("attested_grade", record.map(|record| format!("{:?}", record.grade)));
    let card = card.with("attested_measurement", record.map(|record| hex::encode(record.measurement)));
    let card = card.with("attested_evidence", record.map(|record| record.evidence.to_string()));
    let card = card.with("attested_until_ms", record.map(|record| record.expires_ms));
    card.with("attestation_ended_at", shown.and_then(|shown| shown.valid_to))
}

pub fn model(id: ModelId, model: &Versioned<Model>) -> Card {
    let manifest = &model.record.manifest;
    let visibility = match manifest.visibility {
        Visibility::Public => "public".into(),
        Visibility::Private(commitment) => format!("private, commitment {commitment}"),
    };
    let key = |key: &ModelKey| {
        let card = Card::new().text("digest", key.digest).text("engine", key.engine);
        card.with("hiding", key.hiding).with("private_input", key.private_input).with("size_bytes", key.size).object()
    };
    let keys: Vec<Value> = model.record.keys.iter().map(key).collect();
    let card = Card::new().text("model", id).text("name", &manifest.name).text("version", &manifest.version);
    let card = card.text("publisher", manifest.publisher);
    let card = match manifest.program {
        Program::Circuit(circuit) => card.text("circuit", circuit),
        Program::Onnx(file) => card.text("onnx", file),
    };
    card.with("price", manifest.price).with("visibility", visibility).with("keys", keys).and(history(model))
}

pub fn reservation(request: RequestId, reservation: &Reservation) -> Card {
    let allowed = &reservation.authorisation;
    let card = Card::new().text("request", request).text("payer", allowed.payer).text("node", allowed.node);
    let card = card.text("model", allowed.model).with("backend", backend_name(allowed.backend));
    let card = card.with("amount", allowed.amount).with("deadline_ms", allowed.deadline_ms);
    let card = card.with("client_nonce", allowed.client_nonce).text("request_digest", allowed.request_digest);
    card.with("reserved_at", reservation.height)
}

pub fn settlement(settlement: &Settlement) -> Card {
    let (proof, key) = settlement.proof.unzip();
    let card = Card::new().text("request", settlement.request).text("receipt", settlement.receipt);
    let card = card.with("backend", backend_name(settlement.backend));
    let card = card.with("proof_digest", proof.map(|proof| proof.to_string()));
    let card = card.with("key", key.map(|key| key.to_string()));
    let card = card.text("model", settlement.model).with("model_revision", settlement.model_revision);
    let card = card.text("node", settlement.node).with("node_revision", settlement.node_revision);
    let card = card.with("heartbeat", settlement.heartbeat).text("payer", settlement.payer);
    let card = card.with("attestation_revision", settlement.attestation_revision);
    let card = card.text("payee", settlement.payee).with("price", settlement.price);
    let card = card.with("returned", settlement.returned).with("height", settlement.height);
    card.with("time_ms", settlement.time_ms)
}

/// A settlement as a sample: whether it is drawn, and what became of it.
pub fn sample(settlement: &Settlement, drawn: Option<bool>, last: Height, sample: Option<Sample>) -> Card {
    let card = Card::new().text("request", settlement.request).text("node", settlement.node);
    let card = card.with("settled_at", settlement.height).with("drawn", drawn).with("proof_taken_until", last);
    let (outcome, cut, proof) = match sample.map(|sample| sample.outcome) {
        None => ("open", None, None),
        Some(Outcome::Proven(proof, _)) => ("proven", None, Some(proof.to_string())),
        Some(Outcome::Missed(cut)) => ("missed", Some(cut), None),
    };
    let card = card.with("outcome", outcome).with("cut", cut).with("proof_digest", proof);
    card.with("concluded_at", sample.map(|sample| sample.height))
}

/// How likely a node is caught that lies so often.
pub fn detection(sampling: &Sampling, settlements: u32) -> Card {
    let Sampling { share_ppm, blocks, cut } = *sampling;
    let card = Card::new().with("share_ppm", share_ppm).with("blocks", blocks).with("cut", cut);
    card.with("settlements", settlements).with("detection_ppm", sampling.detection_ppm(settlements))
}

pub fn totals(totals: &Totals) -> Card {
    let Totals { balances, escrows, reserved, stakes, fees } = *totals;
    let card = Card::new().with("balances", balances).with("escrows", escrows).with("reserved", reserved);
    // Texts for what may be beyond 64 bits, so that programs need no other case for it.
    card.with("stakes", stakes).with("fees", fees).text("supply", totals.supply())
}

pub fn parameters(parameters: &Versioned<Parameters>) -> Card {
    let rules = &parameters.record;
    let srs: Vec<String> = rules.srs.iter().map(ToString::to_string).collect();
    let roots: Vec<String> = rules.trust_roots.iter().map(|root| root.certificate.to_string()).collect();
    let card = Card::new().text("chain_id", &rules.chain_id).text("governance", rules.governance);
    let card = card.with("supply", rules.supply).with("fee_base", rules.fees.base);
    let card = card.with("fee_per_kib", rules.fees.per_kib).with("stake_min", rules.stake_min);
    let card = card.with("heartbeat_window_ms", rules.heartbeat_window_ms);
    let card = card.with("deadline_max_ms", rules.deadline_max_ms);
    let card = card.with("sampling_share_ppm", rules.sampling.share_ppm);
    let card = card.with("sampling_blocks", rules.sampling.blocks).with("sampling_cut", rules.sampling.cut);
    let card = card.with("tx_bytes_max", rules.limits.tx_bytes_max);
    let card = card.with("block_bytes_max", rules.limits.block_bytes_max);
    let card = card.with("block_work_max", rules.limits.block_work_max);
    let card = card.with("batch_leaves_max", rules.limits.batch_leaves_max);
    let card = card.with("srs", srs).with("trust_roots", roots);
    card.with("attestation_grade", format!("{:?}", rules.attestation.grade)).and(history(parameters))
}
