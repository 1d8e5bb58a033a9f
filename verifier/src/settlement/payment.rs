//! Money and what was paid: accounts, reservations, settlements, and the sum of it all.
use serde::{Deserialize, Serialize};

use super::Height;
use crate::digest::{Digest32, KeyDigest};
use crate::receipt::{Backend, ModelId, RequestId};
use crate::signature::PublicKey;

/// An account. Its name is its public key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The number of the next transaction.
    pub nonce: u64,
    /// What can be sent.
    pub balance: u64,
    /// What was deposited to pay for requests.
    pub escrow: u64,
}

/// Where all money is. The sum never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// In balances of accounts.
    pub balances: u64,
    /// In their escrows.
    pub escrows: u64,
    /// Reserved for requests.
    pub reserved: u64,
    /// Staked by nodes.
    pub stakes: u64,
    /// Paid as fees.
    pub fees: u64,
}

impl Totals {
    /// All money.
    pub fn supply(&self) -> u128 {
        let Self { balances, escrows, reserved, stakes, fees } = *self;
        [balances, escrows, reserved, stakes, fees].into_iter().map(u128::from).fold(0, u128::saturating_add)
    }
}

/// The last block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its height.
    pub height: Height,
    /// Its time, in milliseconds since 1970.
    pub time_ms: u64,
    /// The digest of the genesis that all began with.
    pub genesis: Digest32,
}

/// What nobody knew before a block. Documents of enclaves are bound to it, so that none is made long before it is shown; samples are drawn by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockHash {
    /// The hash of the block's header.
    pub hash: [u8; 32],
    /// The block's time, in milliseconds since 1970.
    pub time_ms: u64,
}

/// What a payer allows to be reserved for one request, and who may earn it by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorisation {
    /// Who pays.
    pub payer: PublicKey,
    /// A number that the payer uses once.
    pub client_nonce: u64,
    /// Digest of the exact bytes of the request.
    pub request_digest: Digest32,
    /// The node that is to answer.
    pub node: PublicKey,
    /// The model that is to answer.
    pub model: ModelId,
    /// What must stand behind the answer.
    pub backend: Backend,
    /// At most this is charged.
    pub amount: u64,
    /// Until then it can be earned, in milliseconds since 1970; later it can only be refunded.
    pub deadline_ms: u64,
}

impl Authorisation {
    /// The request it is for.
    pub fn request_id(&self, chain_id: &str) -> RequestId {
        RequestId::new(chain_id, self.payer, self.client_nonce, self.request_digest)
    }
}

/// Money set aside for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// What the payer signed.
    pub authorisation: Authorisation,
    /// When it was reserved.
    pub height: Height,
}

/// A request that was paid for, and by which versions of the records that was right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The request.
    pub request: RequestId,
    /// Digest of the receipt that went with the answer.
    pub receipt: Digest32,
    /// What stands behind the answer.
    pub backend: Backend,
    /// The proof and the key it was verified with, of the backend `zkml`.
    pub proof: Option<(Digest32, KeyDigest)>,
    /// The model.
    pub model: ModelId,
    /// Which version of its record was in force.
    pub model_revision: u32,
    /// The node.
    pub node: PublicKey,
    /// Which version of its record was in force.
    pub node_revision: u32,
    /// The height of the node's last heartbeat before.
    pub heartbeat: Height,
    /// Which version of its attestation was in force, of the backend `tee`.
    pub attestation_revision: Option<u32>,
    /// Who paid.
    pub payer: PublicKey,
    /// Who was paid.
    pub payee: PublicKey,
    /// What was paid.
    pub price: u64,
    /// What went back to the payer's escrow.
    pub returned: u64,
    /// The block.
    pub height: Height,
    /// The block's time.
    pub time_ms: u64,
}
