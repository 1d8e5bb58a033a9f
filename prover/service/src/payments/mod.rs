//! Payments by x402, version 2, with the scheme `upto` on Assay's ledger: what is asked for, what a payer signs, and whether that will do.
//!
//! A request without payment is answered by what would do ([`required`]): a price, signed by the node ([`Quote`]). The payer signs an
//! authorisation for that request, this node and at most an amount, and asks again. [`check`] looks at it without the ledger, [`check_funds`] with it;
//! [`reserve::Reserver`] sets the money aside before anything is computed. The node has it when the ledger has verified its evidence.
//!
//! Nothing here knows HTTP: headers are texts.
mod authorisation;
mod check;
mod error;
mod offer;
mod quote;
pub mod reserve;
mod text;
mod wire;

pub use authorisation::Payment;
pub use check::{Accepted, Asked, check, check_funds};
pub use error::PaymentError;
pub use offer::Offer;
pub use quote::{Quote, SignedQuote, Terms};
pub use wire::{
    ASSET, HEADER_LEN_MAX, PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, SCHEME, Settlement, header,
    header_of_payment, network, required, response,
};
