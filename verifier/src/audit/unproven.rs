//! What no audit shows, said plainly: one line for each thing that a reader might otherwise take for proven.
use alloc::vec::Vec;

use super::bundle::{Bundle, Evidence};
use super::check::Check;
use super::report::{Report, Verdict};
use crate::halo2::srs::Origin;
use crate::key::Engine;
use crate::receipt::{Claim, Grade};

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
    "simulated" Simulated = "anything outside of tests: the receipt says that its evidence is simulated",
    "insecure_srs" InsecureSrs =
        "anything against who made the reference string: it was made on one machine, whose owner can forge proofs",
    "srs_secret" SrsSecret = "that the secret of the reference string is forgotten: one honest participant of its ceremony is enough",
    "key_derivation" KeyDerivation =
        "that the key's commitments were made of the circuit and of weights within their range (`assay key --check` derives them)",
    "weights" Weights =
        "which weights the key commits to: they are those that its maker chose (`assay key --check` commits to given ones)",
    "float_model" FloatModel = "that the integers follow the float model (the compiler's report measures that)",
    "truth" Truth = "that the answer is true, the model good or honestly trained, or the one you want: compare name, circuit and key",
    "request" Request = "what was asked: the request is withheld, and only its digest is known",
    "request_values" RequestValues = "that the request's numbers are the inputs: nobody compared them",
    "answer" Answer = "what was answered: the answer is withheld, and only its digest is known",
    "settlement" Settlement = "who node and publisher are, that the model is published, and that anything was paid: no ledger is shown",
    "validators" Validators =
        "what the validators checked and keep no record of: the payer's authorisation and its deadline, and the node's last heartbeat",
    "trust_root" TrustRoot =
        "that the trust root is right: it is yours, and its validators may have signed another history since",
    "genesis" Genesis = "that the ledger began with a genesis you know: the trust root names none",
    "clock" Clock = "when the answer was given: the receipt's time is by the node's own clock",
}

/// What remains unproven after these checks.
pub(super) fn list(bundle: &Bundle, report: &Report, genesis_is_trusted: bool) -> Vec<Unproven> {
    let receipt = &bundle.receipt.receipt;
    let srs = report.assurance.and_then(|assurance| assurance.srs);
    let proven = receipt.claim == Claim::Proven && report.is_shown(Check::Proof);
    let engine = report.assurance.map(|assurance| assurance.engine);
    let settled = bundle.ledger.is_some();
    let remains = |what: Unproven| match what {
        Unproven::Failed => report.rows.iter().any(|row| matches!(row.verdict, Verdict::Fails(_))),
        Unproven::Computation => !proven,
        Unproven::Simulated => receipt.grade == Grade::Simulated,
        Unproven::InsecureSrs => srs.is_some_and(|srs| srs.origin == Origin::Insecure),
        Unproven::SrsSecret => srs.is_some_and(|srs| srs.origin == Origin::Imported),
        Unproven::KeyDerivation => engine == Some(Engine::Halo2),
        Unproven::Weights => engine == Some(Engine::Sumcheck),
        Unproven::FloatModel => receipt.claim == Claim::Proven,
        Unproven::Truth | Unproven::Clock => true,
        Unproven::Request => !report.is_shown(Check::RequestBytes),
        Unproven::RequestValues => !report.is_shown(Check::RequestValues),
        Unproven::Answer => matches!(bundle.evidence, Evidence::Signature),
        Unproven::Settlement => !settled,
        Unproven::Validators | Unproven::TrustRoot => settled,
        Unproven::Genesis => settled && !genesis_is_trusted,
    };
    Unproven::ALL.iter().copied().filter(|what| remains(*what)).collect()
}
