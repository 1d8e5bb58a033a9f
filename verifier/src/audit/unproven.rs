//! What no audit shows, said plainly: one line for each thing that a reader might otherwise take for proven.
use alloc::vec::Vec;

use super::attestation;
use super::bundle::{Bundle, Evidence};
use super::check::Check;
use super::moment::is_settled;
use super::report::{Report, Verdict};
use crate::halo2::srs::Origin;
use crate::key::Engine;
use crate::proxied::Ending;
use crate::receipt::{Backend, Claim, Grade, Receipt, Subject};
use crate::settlement::payment::Block;

macro_rules! unproven {
    ($($code:literal $name:ident = $text:literal,)*) => {
        /// Something that is not proven. Its code stays what it is in all versions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Unproven {
            $(#[doc = concat!("`", $code, "`: ", $text, ".")] $name,)*
        }

        impl Unproven {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its code, for programs.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What is not proven, for people.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

unproven! {
    "failed" Failed = "anything that the bundle states: a check fails",
    "computation" Computation = "that the model gave this answer: only the node's signature stands behind it",
    "upstream" Upstream = "that the upstream ran the model that it names, or any: known are the bytes that came back",
    "passed_on" PassedOn =
        "that the answer came from the upstream and was passed on unchanged: only the node's signature stands behind it",
    "cut" Cut = "that the answer is whole: it was cut before its end",
    "forwarded" Forwarded =
        "that the upstream was sent what was asked: compare the two bodies, of which the second should lack what names the caller, and no more",
    "enclave_vendor" EnclaveVendor = "that the enclave's vendor is honest, and that its keys and its hardware are whole",
    "enclave_software" EnclaveSoftware =
        "what the enclave's software does with inputs and answers: its measurement says which software it is, not what it does",
    "enclave_physical" EnclavePhysical = "anything against who has the machine at hand and attacks it physically",
    "simulated" Simulated = "anything outside of tests: evidence is simulated, and anyone can make such",
    "insecure_srs" InsecureSrs =
        "anything against who made the reference string: it was made on one machine, whose owner can forge proofs",
    "srs_secret" SrsSecret = "that the secret of the reference string is forgotten: one honest participant of its ceremony is enough",
    "key_derivation" KeyDerivation =
        "that the key's commitments were made of the circuit and of weights within their range (`assay key --check` derives them)",
    "weights" Weights =
        "which weights the key commits to: they are those that its maker chose (`assay key --check` commits to given ones)",
    "float_model" FloatModel = "that the integers follow the float model (the compiler's report measures that)",
    "other_machines" OtherMachines = "that another machine gives the same answer: floating point rounds as the machine does",
    "sources" Sources = "that sources of fetched data told the truth: the records say what the node was given",
    "records" Records = "what was fetched: the records are withheld, and only their digests are known",
    "truth" Truth = "that the answer is true, the model good or honestly trained, or the one you want: compare name, circuit and key",
    "request" Request = "what was asked: the request is withheld, and only its digest is known",
    "request_values" RequestValues = "that the request's numbers are the inputs: nobody compared them",
    "answer" Answer = "what was answered: the answer is withheld, and only its digest is known",
    "settlement" Settlement = "who node and publisher are, that the model is published, and that anything was paid: no ledger is shown",
    "sample" Sample =
        "whether the answer was drawn to be proven, and what became of that: no record of it is shown",
    "moment" Moment =
        "that all was in force at the moment of the answer: it is judged by the state that is shown, which may be of another",
    "validators" Validators =
        "what the validators checked and keep no record of: the payer's authorisation and its deadline, the node's last heartbeat, and that \
         a document's nonce was new",
    "trust_root" TrustRoot =
        "that the trust root is right: it is yours, and its validators may have signed another history since",
    "genesis" Genesis = "that the ledger began with a genesis you know: the trust root names none",
    "clock" Clock = "when the answer was given: the receipt's time is by the node's own clock",
}

/// What remains unproven after these checks.
pub(super) fn list(bundle: &Bundle, report: &Report, state: Option<&Block>, genesis_is_trusted: bool) -> Vec<Unproven> {
    let receipt = &bundle.receipt.receipt;
    let srs = report.assurance.and_then(|assurance| assurance.srs);
    let engine = report.assurance.map(|assurance| assurance.engine);
    let shown = bundle.ledger.is_some();
    let settled = shown && is_settled(receipt);
    let attested = is_attested(receipt, report);
    let remains = |what: Unproven| match what {
        Unproven::Failed => report.rows.iter().any(|row| matches!(row.verdict, Verdict::Fails(_))),
        Unproven::Computation => is_settled(receipt) && !is_proven(receipt, report) && !attested,
        Unproven::Upstream => receipt.claim == Claim::Proxied,
        Unproven::Forwarded => receipt.claim == Claim::Proxied && !is_forwarded(bundle, report),
        Unproven::PassedOn => receipt.claim == Claim::Proxied && !attested,
        Unproven::Cut => {
            matches!(&receipt.subject, Subject::Upstream(forwarded) if forwarded.ending == Ending::Truncated)
        }
        Unproven::EnclaveVendor | Unproven::EnclaveSoftware | Unproven::EnclavePhysical => attested,
        Unproven::Simulated => {
            let evidence = report.enclave.as_ref().map(|enclave| enclave.grade());
            receipt.grade == Grade::Simulated || evidence == Some(Grade::Simulated)
        }
        Unproven::InsecureSrs => srs.is_some_and(|srs| srs.origin == Origin::Insecure),
        Unproven::SrsSecret => srs.is_some_and(|srs| srs.origin == Origin::Imported),
        Unproven::KeyDerivation => engine == Some(Engine::Halo2),
        Unproven::Weights => engine == Some(Engine::Sumcheck),
        Unproven::FloatModel => {
            let exact = matches!(receipt.subject, Subject::Circuit(_));
            exact && (receipt.claim != Claim::SignedOnly || report.is_shown(Check::SampleProof))
        }
        Unproven::OtherMachines => matches!(receipt.subject, Subject::Onnx(_)),
        Unproven::Sources => !receipt.records.is_empty(),
        Unproven::Records => !receipt.records.is_empty() && !report.is_shown(Check::Records),
        Unproven::Truth | Unproven::Clock => true,
        Unproven::Request => !report.is_shown(Check::RequestBytes),
        // An upstream is sent the request itself.
        Unproven::RequestValues => receipt.claim != Claim::Proxied && !report.is_shown(Check::RequestValues),
        Unproven::Answer => match &bundle.evidence {
            Evidence::Signature => !report.is_shown(Check::SampleProof),
            Evidence::Exchange(exchange) => exchange.response.is_none(),
            Evidence::Answer(_) | Evidence::Proof(_) | Evidence::Reals(_) => false,
        },
        Unproven::Settlement => !shown,
        Unproven::Sample => {
            let open = report.verdict(Check::Sample).is_some_and(|verdict| *verdict != Verdict::Holds);
            settled && open
        }
        Unproven::Moment => shown && !settled && !(attested && is_continuous(receipt, report, state)),
        Unproven::Validators | Unproven::TrustRoot => shown,
        Unproven::Genesis => shown && !genesis_is_trusted,
    };
    Unproven::ALL.iter().copied().filter(|what| remains(*what)).collect()
}

/// Whether a proof shows the answer, one that was claimed or one of a sample.
fn is_proven(receipt: &Receipt, report: &Report) -> bool {
    let claimed = receipt.claim == Claim::Proven && report.is_shown(Check::Proof);
    claimed || report.is_shown(Check::SampleProof)
}

/// Whether measured software is shown to have answered.
fn is_attested(receipt: &Receipt, report: &Report) -> bool {
    let shown = attestation::CHECKS.iter().all(|check| report.is_shown(*check));
    receipt.backend == Backend::Tee && shown
}

/// Whether the upstream was sent the very bytes of the request.
fn is_forwarded(bundle: &Bundle, report: &Report) -> bool {
    let same = match &bundle.evidence {
        Evidence::Exchange(exchange) => exchange.forwarded == bundle.request,
        _ => false,
    };
    same && report.is_shown(Check::Inputs) && report.is_shown(Check::RequestBytes)
}

/// Whether what was attested before the answer is in force in a state after it, under one registration of the node: then it was in force all the
/// while.
fn is_continuous(receipt: &Receipt, report: &Report, state: Option<&Block>) -> bool {
    let after = state.is_some_and(|block| block.time_ms >= receipt.time_ms);
    let registered = report.node.as_ref().zip(report.attestation.as_ref());
    after && registered.is_some_and(|(node, attestation)| node.valid_from <= attestation.valid_from)
}
