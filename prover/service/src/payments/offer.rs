//! What a service asks for, as payers read it: the first offer of its header that this ledger's scheme can pay.
use assay_verifier::signature::PublicKey;
use x402_types::proto::v2::PaymentRequired;

use super::wire::{self, Requirements, SCHEME};
use super::{Payment, PaymentError, Quote, SignedQuote};

/// An offer with the node's signed price.
#[derive(Clone, Debug)]
pub struct Offer {
    requirements: Requirements<SignedQuote>,
}

impl Offer {
    /// Reads the header of a service.
    ///
    /// # Errors
    /// It is none, has no offer of this scheme, or its price is not signed by the node that it names.
    pub fn read(header: &str) -> Result<Self, PaymentError> {
        let required: PaymentRequired<Requirements<serde_json::Value>> = wire::decode(header)?;
        let schemes: Vec<String> = required.accepts.iter().map(|offer| offer.scheme.clone()).collect();
        let found = required.accepts.into_iter().find(|offer| offer.scheme == SCHEME);
        let offer = found.ok_or_else(|| PaymentError::Scheme(schemes.join(", ")))?;
        let quote = |error: serde_json::Error| PaymentError::Malformed(format!("extra: {error}"));
        let signed: SignedQuote = serde_json::from_value(offer.extra).map_err(quote)?;
        if !signed.is_signed(&offer.network.reference) {
            return Err(PaymentError::Quote);
        }
        let requirements = Requirements {
            scheme: offer.scheme,
            network: offer.network,
            amount: offer.amount,
            pay_to: offer.pay_to,
            max_timeout_seconds: offer.max_timeout_seconds,
            asset: offer.asset,
            extra: signed,
        };
        Ok(Self { requirements })
    }

    /// The price.
    pub fn quote(&self) -> &Quote {
        &self.requirements.extra.quote
    }

    /// The node that said it.
    pub fn node(&self) -> PublicKey {
        self.quote().node
    }

    /// The ledger.
    pub fn chain_id(&self) -> &str {
        &self.requirements.network.reference
    }

    /// The header that pays.
    pub fn accept(self, payment: Payment) -> String {
        wire::header_of_payment(self.requirements, &payment)
    }
}
