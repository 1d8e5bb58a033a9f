//! What a refusal means for a settlement: try again later, look again, or give up.
use assay_ledger::Rejection;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same may go well later: what it lacks is the node's to mend, or room.
    Later,
    /// It may have gone well before.
    Look,
    /// It never will.
    Final,
}

/// What is to be done about a code.
pub fn verdict(code: u32) -> Verdict {
    let Some(reason) = Rejection::of_code(code) else { return Verdict::Final };
    match reason {
        Rejection::RequestSettled | Rejection::ReservationUnknown => Verdict::Look,
        // The sender takes care of nonces; the account can be given money, the node can register again, a publication can be on its way.
        Rejection::NonceUsed
        | Rejection::NonceAhead
        | Rejection::FeeTooLow
        | Rejection::BlockBytes
        | Rejection::InsufficientBalance
        | Rejection::HeartbeatMissed
        | Rejection::NodeUnknown
        | Rejection::NodeDeregistered
        | Rejection::NodeLacksBackend
        | Rejection::StakeTooLow
        | Rejection::ModelUnknown
        | Rejection::SampleUndecided => Verdict::Later,
        _ => Verdict::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_a_verdict() {
        let of = |verdict_of| Rejection::ALL.iter().filter(|reason| verdict(reason.code()) == verdict_of).count();
        assert_eq!((of(Verdict::Look), of(Verdict::Later)), (2, 12));
        assert_eq!(verdict(Rejection::ProofRefused.code()), Verdict::Final);
        assert_eq!(verdict(Rejection::DeadlinePast.code()), Verdict::Final);
        assert_eq!(verdict(u32::MAX), Verdict::Final);
    }
}
