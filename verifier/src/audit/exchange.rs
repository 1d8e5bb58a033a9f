//! An answer that was passed on from an upstream: what was sent and what came back, against the receipt.
use super::bundle::{Evidence, Exchange};
use super::check::Check;
use super::findings::{Fault, Findings, equal, holds};
use super::reason::{Missing, Reason};
use super::report::Weight;
use super::stream;
use crate::proxied::{Delivery, Ending, Forwarded, forwarded_digest};
use crate::receipt::{Receipt, Subject};
use crate::wire::Bytes;

/// The one status of answers that are streamed.
const OK: u16 = 200;

/// Checks of an upstream's answer.
pub(super) fn check(receipt: &Receipt, evidence: &Evidence, findings: &mut Findings) {
    let (sent, answer) = match evidence {
        Evidence::Exchange(Exchange { forwarded, response }) => (forwarded.as_ref(), response.as_ref()),
        _ => (None, None),
    };
    let forwarded = match &receipt.subject {
        Subject::Upstream(forwarded) => Ok(forwarded),
        Subject::Circuit(_) | Subject::Onnx(_) => Err(Fault::Fails(Reason::Claim)),
    };
    let named = forwarded.and_then(|forwarded| {
        equal("the model's identity", receipt.model, forwarded.model_id(receipt.node))?;
        Ok(forwarded)
    });
    let forwarded = findings.require(Check::Upstream, named);
    let inputs = sent.ok_or(Missing::Request.into()).and_then(|Bytes(body)| {
        equal("the digest of what the upstream was sent", forwarded_digest(body), receipt.inputs)
    });
    findings.note(Check::Inputs, Weight::Optional, inputs);
    let outputs = answer
        .ok_or(Missing::Answer.into())
        .and_then(|Bytes(body)| equal("the digest of the upstream's answer", Delivery::whole(body), receipt.outputs));
    findings.note(Check::Outputs, Weight::Optional, outputs);
    let delivery = || {
        let Bytes(body) = answer.ok_or(Missing::Answer)?;
        delivered(body, forwarded.ok_or(Missing::Needs(Check::Upstream))?)
    };
    findings.note(Check::Delivery, Weight::Optional, delivery());
}

/// The answer is as long as the receipt says, and a stream that is said to be whole has its closing event. One that is said to be cut is what
/// it is said to be.
fn delivered(body: &[u8], forwarded: &Forwarded) -> Result<(), Fault> {
    equal("the size of the upstream's answer", u64::try_from(body.len()).ok(), Some(forwarded.size))?;
    let open = forwarded.status == OK && forwarded.ending == Ending::Complete && stream::is_open(body);
    holds(!open, Reason::Cut)
}
