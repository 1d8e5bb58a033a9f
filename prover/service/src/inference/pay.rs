//! Payment of a request, from the quote to the money that is set aside.
use std::sync::Arc;
use std::time::Duration;

use assay_verifier::digest::Digest32;
use assay_verifier::receipt::{Backend, ModelId};
use assay_verifier::signature::SigningKey;

use crate::jobs::{Job, Jobs};
use crate::ledger::Ledger;
use crate::payments::reserve::{ReserveError, Reserver};
use crate::payments::{
    Accepted, Asked, PaymentError, Quote, Settlement, Terms, check, check_funds, header, required, response,
};

/// How long a request waits for the block that sets its money aside.
const LONGEST: Duration = Duration::from_secs(20);

/// What payments need.
pub struct Payments {
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// What sets money aside there.
    pub reserver: Reserver,
    /// The node's key, which signs quotes.
    pub node: SigningKey,
    /// How long quotes and authorisations run.
    pub terms: Terms,
    /// Where requests are sent.
    pub url: String,
}

impl Payments {
    fn chain_id(&self) -> &str {
        &self.ledger.rules().chain_id
    }

    /// What is to be paid for.
    pub fn asked(&self, model: ModelId, backend: Backend, request_digest: Digest32, price: u64) -> Asked {
        Asked { node: self.node.public(), model, backend, request_digest, price }
    }

    /// The header `PAYMENT-REQUIRED`: a signed price for the request, and what was wrong with the payment that came.
    pub fn required(&self, asked: &Asked, wrong: Option<&PaymentError>, now_ms: u64) -> String {
        let Asked { node, model, backend, request_digest, price } = *asked;
        let quote = Quote::new(node, (model, backend), request_digest, price, &self.terms, now_ms);
        let signed = quote.sign(self.chain_id(), &self.node);
        header(&required(&self.url, self.chain_id(), &node.to_string(), &signed, wrong))
    }

    /// Checks the payer's header against the request and the chain's rules.
    ///
    /// # Errors
    /// The payment will not do.
    pub fn check(&self, header: &str, asked: &Asked, now_ms: u64) -> Result<Accepted, PaymentError> {
        check(header, asked, self.ledger.rules(), &self.terms, now_ms)
    }

    /// Checks that the payer has the money, and that the request was never paid for.
    ///
    /// # Errors
    /// What stands against it.
    pub fn check_funds(&self, accepted: &Accepted) -> Result<(), PaymentError> {
        check_funds(&*self.ledger, &accepted.payment)
    }

    /// Sets a job's money aside.
    ///
    /// # Errors
    /// It is refused for good, or it is not known what became of it.
    pub fn reserve(&self, jobs: &Jobs, job: &Job) -> Result<(), ReserveError> {
        self.reserver.reserve(jobs, job.id, LONGEST).map(drop)
    }

    /// The header `PAYMENT-RESPONSE` of an answer that is paid for.
    pub fn response(&self, job: &Job) -> Option<String> {
        job.authorised.as_ref()?;
        Some(header(&response(job, self.chain_id(), &Settlement::Reserved(job.reserved.map(|hash| hash.to_string())))))
    }
}
