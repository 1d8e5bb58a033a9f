//! The four states of a job, and which may follow which. Each transition is durable before anybody is told of it.
//!
//! A job is executed, proven, paid for and settled; these go on beside each other, so each has a state of its own. A state that nothing may follow
//! is terminal. A job is over when all four are at rest: [`States::over`].
use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares a state with names as they stand in answers, and what may follow.
macro_rules! states {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $state:ident $text:literal => [$($next:ident),*],)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$doc])* $state,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$state),*];

            /// What may follow.
            pub fn next(self) -> &'static [Self] {
                match self { $(Self::$state => &[$(Self::$next),*],)* }
            }

            /// The name in answers and events.
            pub fn name(self) -> &'static str {
                match self { $(Self::$state => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

states! {
    /// The answer.
    Execution {
        /// Accepted; the answer is not there yet.
        Pending "pending" => [Running, Failed],
        /// Being computed. A stop in the middle begins again.
        Running "running" => [Pending, Done, Failed],
        /// The answer is given and signed.
        Done "done" => [],
        /// There is no answer.
        Failed "failed" => [],
    }
}

states! {
    /// The proof of the answer.
    Proving {
        /// None is made: the backend has none, or there is no answer.
        None "none" => [Queued, Cancelled],
        /// Waits for a worker.
        Queued "queued" => [Assigned, Failed, Cancelled, Expired],
        /// A worker has it.
        Assigned "assigned" => [Proving, Verifying, Queued, Failed, Cancelled, Expired],
        /// The worker has said that it began.
        Proving "proving" => [Verifying, Queued, Failed, Cancelled, Expired],
        /// A proof was handed in and is checked.
        Verifying "verifying" => [Ready, Queued, Failed, Cancelled, Expired],
        /// It holds and can be fetched.
        Ready "ready" => [],
        /// It could not be made.
        Failed "failed" => [],
        /// Its owner does not want it any more.
        Cancelled "cancelled" => [],
        /// Its deadline passed.
        Expired "expired" => [],
    }
}

states! {
    /// Its record on the ledger.
    Settlement {
        /// Nothing was handed in.
        None "none" => [Submitted, Rejected],
        /// Handed in; it is in no block that is known of.
        Submitted "submitted" => [Submitted, Included, Rejected],
        /// In a block.
        Included "included" => [Verified, Challenged],
        /// In a block, proven against a header that follows from the trusted root.
        Verified "verified" => [],
        /// It rests on the node's word, was verified, and is drawn: the ledger asks for a proof.
        Challenged "challenged" => [Verified, Rejected],
        /// The ledger refuses it for good, or it was drawn and not proven in time.
        Rejected "rejected" => [],
    }
}

states! {
    /// The money for it.
    Payment {
        /// It costs nothing, or nobody has said that they pay.
        None "none" => [Authorised],
        /// The payer has signed.
        Authorised "authorised" => [Reserved, Released],
        /// Set aside on the ledger.
        Reserved "reserved" => [Captured, Refunded],
        /// The node has it.
        Captured "captured" => [],
        /// The authorisation was not used.
        Released "released" => [],
        /// It went back to the payer after the deadline.
        Refunded "refunded" => [],
    }
}

/// The states of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct States {
    /// The answer.
    pub execution: Execution,
    /// The proof.
    pub proof: Proving,
    /// The record on the ledger.
    pub settlement: Settlement,
    /// The money.
    pub payment: Payment,
}

impl States {
    /// Whether nothing will happen any more.
    pub fn over(&self) -> bool {
        let executed = matches!(self.execution, Execution::Done | Execution::Failed);
        let proven = self.proof == Proving::None || self.proof.next().is_empty();
        let paid = self.payment == Payment::None || self.payment.next().is_empty();
        // What is reserved ends captured or refunded; what is captured can still have to be proven.
        let settled = self.payment != Payment::Captured || self.settlement.next().is_empty();
        executed && proven && paid && settled
    }
}
