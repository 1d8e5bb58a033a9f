//! What stands behind an answer, spelled out: never a bare "verified".
use assay_verifier::key::Engine;
use assay_verifier::receipt::{Backend, Claim, Grade, Receipt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::models::Served;

/// What a caller may rely on, and on what that rests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Assurance {
    /// `proven`, `attested`, `proxied` or `signed-only`.
    pub claim: String,
    /// What is shown.
    pub shown: String,
    /// Whether inputs are in the proof, or a commitment that hides them.
    pub inputs: String,
    /// What is to be learned of the weights.
    pub weights: String,
    /// What one has to trust.
    pub rests_on: Vec<String>,
    /// What is not shown.
    pub not_shown: Vec<String>,
    /// `production` or `simulated`.
    pub environment: String,
}

/// A claim as answers name it.
pub fn claim(claim: Claim) -> &'static str {
    match claim {
        Claim::Proven => "proven",
        Claim::Attested => "attested",
        Claim::Proxied => "proxied",
        Claim::SignedOnly => "signed-only",
    }
}

/// A backend as answers name it.
pub fn mode(backend: Backend) -> &'static str {
    match backend {
        Backend::Zkml => "zkml",
        Backend::Tee => "tee",
        Backend::Vanilla => "vanilla",
    }
}

impl Assurance {
    /// Of a receipt, and the key that it names.
    pub fn of(receipt: &Receipt, key: Option<&Served>) -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let proven = receipt.claim == Claim::Proven;
        let mut rests_on = match key.map(|key| key.kind.engine) {
            Some(Engine::Sumcheck) => texts(&["hash functions as random oracles; no trusted setup"]),
            Some(Engine::Halo2) => texts(&[
                "that nobody knows the secret of the reference string that the key names",
                "the assumptions on BN254 that KZG rests on",
            ]),
            None if receipt.claim == Claim::Attested => texts(&[
                "that the enclave's maker keeps its keys and its hardware does what it says",
                "that the software whose measurement the ledger approved is what it is said to be",
            ]),
            None => texts(&["the node's word, by its signature"]),
        };
        if proven {
            rests_on.push("that the key, by its digest, is the one of the model that you mean".into());
        }
        let private = |choose: fn(&Served) -> bool| key.is_some_and(choose);
        Self {
            claim: claim(receipt.claim).into(),
            shown: if proven {
                "once the proof is there: the model whose weights are committed in the key, evaluated exactly in integers \
                 on these inputs, gives these outputs"
            } else if receipt.claim == Claim::Attested {
                "software whose measurement the ledger approved has signed, in an enclave, that this is the answer"
            } else {
                "the node has signed that this is the answer"
            }
            .into(),
            inputs: if private(|key| key.kind.private_input) {
                "hidden: the statement commits to them"
            } else if proven {
                "public: they stand in the proof"
            } else {
                "named by their digest"
            }
            .into(),
            weights: match key.map(|key| key.kind) {
                Some(kind) if kind.private_weights => "hidden: the key commits to them",
                Some(kind) if kind.engine == Engine::Sumcheck => "not in the key, but proofs may reveal something of them",
                Some(_) => "in the key as commitments without salt, which anyone who guesses them can check",
                None => "nothing is said of them",
            }
            .into(),
            rests_on,
            not_shown: texts(if proven {
                &[
                    "that the integers follow the float model (the compiler's report measures that)",
                    "that the answer is true, or that the model is good",
                ]
            } else if receipt.claim == Claim::Attested {
                &[
                    "that the software in the enclave has no faults that its measurement does not show",
                    "that the answer is true, or that the model is good",
                ]
            } else {
                &["that the model gave this answer at all"]
            }),
            environment: match receipt.grade {
                Grade::Production => "production",
                Grade::Simulated => "simulated",
            }
            .into(),
        }
    }
}
