//! Why a payment will not do. Codes never change; a test freezes them.
use thiserror::Error;

use crate::ledger::LedgerError;

/// Why a payment will not do.
#[derive(Debug, Error)]
pub enum PaymentError {
    /// The header is no payment of this form.
    #[error("PAYMENT-SIGNATURE is not a payment: {0}")]
    Malformed(String),
    /// For another network.
    #[error("the payment is for network {found}, and this is {expected}")]
    Network {
        /// What it says.
        found: String,
        /// What it should say.
        expected: String,
    },
    /// With another scheme.
    #[error("the payment is by scheme {0:?}, and this node takes \"upto\"")]
    Scheme(String),
    /// The quote in it is not this node's, or not for this request.
    #[error("the quote is not one of this node for this request")]
    Quote,
    /// For another node.
    #[error("the authorisation is for another node")]
    Node,
    /// For another model.
    #[error("the authorisation is for another model")]
    Model,
    /// For another backend.
    #[error("the authorisation is for another backend")]
    Backend,
    /// For other bytes.
    #[error("the authorisation is for other bytes than those of this request")]
    Request,
    /// Too little.
    #[error("at most {amount} is authorised, and the price is {price}")]
    Amount {
        /// What is authorised.
        amount: u64,
        /// What is charged.
        price: u64,
    },
    /// Too late.
    #[error("the authorisation's deadline has passed")]
    DeadlinePast,
    /// Too little time.
    #[error("the authorisation's deadline must be at least {0} ms ahead")]
    DeadlineNear(u64),
    /// More time than the chain allows.
    #[error("the authorisation's deadline may be at most {0} ms ahead")]
    DeadlineFar(u64),
    /// Not signed by the payer.
    #[error("the payer's signature does not hold")]
    Signature,
    /// Money is set aside for this request, by whatever authorisation.
    #[error("money is reserved for this request already: use another clientNonce")]
    Reserved,
    /// The request was paid for.
    #[error("this request is settled already: use another clientNonce")]
    Settled,
    /// The payer has not deposited enough.
    #[error("the payer's escrow has {escrow}, and {amount} is authorised: deposit more")]
    Escrow {
        /// What is there.
        escrow: u64,
        /// What is authorised.
        amount: u64,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl PaymentError {
    /// A stable code, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "payment_malformed",
            Self::Network { .. } => "payment_network",
            Self::Scheme(_) => "payment_scheme",
            Self::Quote => "payment_quote",
            Self::Node => "payment_node",
            Self::Model => "payment_model",
            Self::Backend => "payment_backend",
            Self::Request => "payment_request",
            Self::Amount { .. } => "payment_amount",
            Self::DeadlinePast => "payment_deadline_past",
            Self::DeadlineNear(_) => "payment_deadline_near",
            Self::DeadlineFar(_) => "payment_deadline_far",
            Self::Signature => "payment_signature",
            Self::Reserved => "payment_reserved",
            Self::Settled => "payment_settled",
            Self::Escrow { .. } => "payment_escrow",
            Self::Ledger(_) => "ledger_unavailable",
        }
    }

    /// Whether the same payment may do later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Escrow { .. } | Self::Ledger(_))
    }
}
