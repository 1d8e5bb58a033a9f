//! What is checked: one table. Codes never change; a test freezes them.

macro_rules! checks {
    ($($code:literal $name:ident = $text:literal,)*) => {
        /// A check. Its code stays what it is in all versions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Check {
            $(#[doc = concat!("`", $code, "`: ", $text, ".")] $name,)*
        }

        impl Check {
            /// All checks, in the order in which reports have them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its code, for programs.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What holds if it holds, for people.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

checks! {
    "chain" Chain = "the receipts are of the chain that is trusted",
    "receipt_signature" ReceiptSignature = "the node signed the receipt that went with the answer",
    "receipt_request" ReceiptRequest = "the request's identity follows from chain, payer, nonce and the digest of its bytes",
    "receipt_claim" ReceiptClaim = "claim, backend, engine and the kind of evidence agree",
    "request_bytes" RequestBytes = "the request is the one that the receipt names",
    "records" Records = "the records of fetched data are those that request and receipt name, of the receipt's node, which signed them",
    "proven_signature" ProvenSignature = "the node signed the receipt that names the proof",
    "proven_link" ProvenLink = "that receipt continues the first one and changes nothing in it",
    "proof_digest" ProofDigest = "the proof is the one that the receipt names",
    "key_digest" KeyDigest = "the key is the one that the receipt names",
    "key" Key = "the key is well-formed and passes its own checks",
    "key_circuit" KeyCircuit = "the key is of the receipt's circuit",
    "key_engine" KeyEngine = "the key is of the receipt's engine",
    "key_hiding" KeyHiding = "the key hides what the receipt says, or nothing as the receipt says",
    "proof" Proof = "the proof verifies under the key",
    "proof_context" ProofContext = "the proof is bound to the receipt that went with the answer",
    "inputs" Inputs = "the inputs are those of the receipt",
    "outputs" Outputs = "the outputs are those of the receipt",
    "request_values" RequestValues = "the request's numbers are the inputs: quantised as the circuit says, or bit for bit",
    "upstream" Upstream = "the model's identity follows from the node, its upstream, and the upstream's name of the model",
    "delivery" Delivery = "the upstream's answer has the size that the receipt says, and ends as the receipt says",
    "trust_root" TrustRoot = "the first header is the one that is trusted",
    "headers" Headers = "two thirds of the validators signed each header that leads from there to the ledger's state",
    "state" State = "that state is of the height before the last header, and of the trusted genesis",
    "settlement_included" SettlementIncluded = "the ledger's state has the settlement",
    "settlement" Settlement = "the settlement is of this request, receipt, proof, key, model and node",
    "payment" Payment = "payer, price and payee of the settlement are those of the receipt and of the node's record",
    "model_included" ModelIncluded = "the ledger's state has the model's record",
    "model" Model = "the model was in force at the settlement, with the receipt's circuit and key",
    "publisher_signature" PublisherSignature = "the publisher signed the model's manifest",
    "node_included" NodeIncluded = "the ledger's state has the node's record",
    "node" Node = "the node was registered at the height that counts, with stake, for the receipt's backend",
    "rules_included" RulesIncluded = "the ledger's state has the chain's rules",
    "rules" Rules = "the rules are of the chain that is trusted, and were in force at the height that counts",
    "srs" Srs = "the rules allow the key's reference string",
    "attestation_included" AttestationIncluded = "the ledger's state has the node's attestation",
    "attestation" Attestation = "the attestation is the one that the settlement names, was in force at the height that counts, and had not expired",
    "attestation_rules" AttestationRules =
        "the ledger's state has the rules by which the ledger verified the evidence, of the chain that is trusted and in force then",
    "evidence_included" EvidenceIncluded = "the ledger's state has the evidence that the attestation names",
    "evidence" Evidence =
        "the enclave's document, verified again as of then, is genuine, bound to the node's key, chain and nonce, and shows what the attestation says",
    "grade" Grade = "the evidence is of the grade that the receipt says",
    "measurement_included" MeasurementIncluded = "the ledger's state has the approval of what was measured",
    "measurement" Measurement = "what was measured was approved when the evidence was verified, and at the height that counts",
    "sample" Sample = "the answer was drawn to be proven after all, and it was",
    "sample_proof" SampleProof = "the proof of the drawn answer verifies, and is of the receipt's inputs and outputs",
}
