//! The receipts by themselves, and the request that they name.
use super::bundle::{Bundle, Evidence};
use super::check::Check;
use super::findings::{Fault, Findings, equal, holds};
use super::reason::{Missing, Reason};
use super::report::Weight;
use super::{Question, Trust};
use crate::receipt::{Backend, Claim, Receipt, Subject, request_digest};
use crate::wire::Bytes;

/// Checks of the receipts and the request.
pub(super) fn check(bundle: &Bundle, trust: &Trust, question: &Question<'_>, findings: &mut Findings) {
    let receipt = &bundle.receipt.receipt;
    findings.require(Check::Chain, equal("the chain", &receipt.chain_id, &trust.chain_id));
    findings.require(Check::ReceiptSignature, bundle.receipt.verify().map_err(Fault::from));
    findings.require(Check::ReceiptRequest, equal("the request's identity", receipt.request, receipt.request_id()));
    findings.require(Check::ReceiptClaim, claim(receipt, &bundle.evidence));
    findings.note(Check::RequestBytes, Weight::Optional, request(bundle, question));
    let Evidence::Proof(proven) = &bundle.evidence else { return };
    findings.require(Check::ProvenSignature, proven.receipt.verify().map_err(Fault::from));
    findings.require(Check::ProvenLink, link(receipt, &proven.receipt.receipt));
}

/// The second receipt is the first one, and what it adds.
fn link(first: &Receipt, second: &Receipt) -> Result<(), Fault> {
    let previous = second.proven.map(|proven| proven.previous);
    equal("the first receipt's digest", previous, Some(first.digest()))?;
    equal("another field of the receipt", &Receipt { proven: None, ..second.clone() }, first)
}

/// What is claimed fits how the answer was made, and what is shown fits what is claimed.
fn claim(receipt: &Receipt, evidence: &Evidence) -> Result<(), Fault> {
    holds(receipt.proven.is_none(), Reason::Version)?;
    let subject = &receipt.subject;
    let fits = match (receipt.backend, receipt.claim) {
        (Backend::Zkml, Claim::Proven) => receipt.proving.is_some() && matches!(subject, Subject::Circuit(_)),
        (Backend::Tee, Claim::Attested) => matches!(subject, Subject::Circuit(_) | Subject::Onnx(_)),
        (Backend::Vanilla, Claim::SignedOnly) => matches!(subject, Subject::Circuit(_)),
        (Backend::Tee | Backend::Vanilla, Claim::Proxied) => {
            // Nobody pays the node for such an answer, and nothing is fetched for it.
            matches!(subject, Subject::Upstream(_)) && receipt.price == 0 && receipt.records.is_empty()
        }
        _ => false,
    };
    let proving = receipt.claim == Claim::Proven || receipt.proving.is_none();
    holds(fits && proving, Reason::Claim)?;
    let of_it = match evidence {
        Evidence::Signature => true,
        Evidence::Answer(_) => {
            matches!(receipt.claim, Claim::SignedOnly | Claim::Attested) && matches!(subject, Subject::Circuit(_))
        }
        Evidence::Proof(_) => receipt.claim == Claim::Proven,
        Evidence::Reals(_) => matches!(subject, Subject::Onnx(_)),
        Evidence::Exchange(_) => receipt.claim == Claim::Proxied,
    };
    holds(of_it, Reason::Evidence)
}

/// The bundle's copy of the request and the auditor's are both the one that the receipt names.
fn request(bundle: &Bundle, question: &Question<'_>) -> Result<(), Fault> {
    let copies = [bundle.request.as_ref().map(|Bytes(bytes)| bytes.as_slice()), question.request];
    if copies.iter().all(Option::is_none) {
        return Err(Missing::Request.into());
    }
    let named = bundle.receipt.receipt.request_digest;
    copies.into_iter().flatten().try_for_each(|bytes| equal("the request", request_digest(bytes), named))
}
