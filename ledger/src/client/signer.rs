//! A signer: makes one transaction after the other, with the next nonce and the least fee.
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::Account;
use assay_verifier::settlement::{Versioned, keys};
use assay_verifier::signature::SigningKey;

use super::Client;
use super::error::ClientError;
use super::records::Root;
use crate::tx::{Body, Payload};

/// Signs transactions for one chain.
pub struct Signer {
    key: SigningKey,
    rules: Parameters,
    nonce: u64,
}

impl Signer {
    /// A signer that goes on where its account is in a state. What is on its way to a block is not counted.
    ///
    /// # Errors
    /// The node does not prove the chain's rules or the account; no answer.
    pub fn new(client: &Client, key: SigningKey, root: &Root) -> Result<Self, ClientError> {
        let rules: Option<Versioned<Parameters>> = client.record(keys::PARAMETERS, root)?;
        let rules = rules.ok_or(ClientError::NoBlock(root.height))?.record;
        let account: Option<Account> = client.record(&keys::account(key.public()), root)?;
        Ok(Self { key, rules, nonce: account.unwrap_or_default().nonce })
    }

    /// The key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The rules of the chain.
    pub fn rules(&self) -> &Parameters {
        &self.rules
    }

    /// The nonce of the next transaction.
    pub fn nonce(&self) -> u64 {
        self.nonce
    }

    /// The next transaction, for the least fee or one of choice.
    pub fn sign(&mut self, payload: Payload, fee: Option<u64>) -> Vec<u8> {
        let body = |fee| Body {
            chain_id: self.rules.chain_id.clone(),
            signer: self.key.public(),
            nonce: self.nonce,
            fee,
            payload: payload.clone(),
        };
        // Numbers are as long whatever they are, so the size is that of any fee.
        let fee = fee.unwrap_or_else(|| {
            let size = body(0).sign(&self.key).encode().len();
            self.rules.fees.least(u64::try_from(size).unwrap_or(u64::MAX))
        });
        let transaction = body(fee).sign(&self.key).encode();
        self.nonce = self.nonce.saturating_add(1);
        transaction
    }
}
