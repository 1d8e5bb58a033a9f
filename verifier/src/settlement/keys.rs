//! The keys of the ledger's state, all of them. A test freezes them.
//!
//! A key is a text that names the kind of record, and the record's identity in bytes. Of a record with a history, the version in force
//! is stored under the identity alone and versions before it under identity and number.
use alloc::vec::Vec;

use super::Height;
use crate::digest::{Digest32, KeyDigest};
use crate::receipt::{ModelId, RequestId};
use crate::signature::PublicKey;

/// The last block: [`super::payment::Block`].
pub const BLOCK: &[u8] = b"block";
/// Where all money is: [`super::payment::Totals`].
pub const TOTALS: &[u8] = b"totals";
/// [`super::parameters::Parameters`] with their history.
pub const PARAMETERS: &[u8] = b"parameters";

/// [`super::payment::BlockHash`]. Those of the last blocks are there ([`super::parameters::Parameters::block_hashes_kept`]).
pub fn block_hash(height: Height) -> Vec<u8> {
    [b"block_hash/".as_slice(), &height.to_be_bytes()].concat()
}

/// [`super::payment::Account`].
pub fn account(id: PublicKey) -> Vec<u8> {
    [b"account/".as_slice(), &id.0].concat()
}

/// [`super::node::Node`] with its history.
pub fn node(id: PublicKey) -> Vec<u8> {
    [b"node/".as_slice(), &id.0].concat()
}

/// [`super::node::Heartbeat`].
pub fn heartbeat(id: PublicKey) -> Vec<u8> {
    [b"heartbeat/".as_slice(), &id.0].concat()
}

/// [`super::node::Attestation`] of a node, with its history.
pub fn attestation(id: PublicKey) -> Vec<u8> {
    [b"attestation/".as_slice(), &id.0].concat()
}

/// [`crate::tee::Evidence`] that an attestation rests on.
pub fn evidence(id: Digest32) -> Vec<u8> {
    [b"evidence/".as_slice(), &id.0].concat()
}

/// [`super::node::Measurement`] with its history.
pub fn measurement(id: [u8; 32]) -> Vec<u8> {
    [b"measurement/".as_slice(), &id].concat()
}

/// [`super::model::Model`] with its history.
pub fn model(id: ModelId) -> Vec<u8> {
    [b"model/".as_slice(), &id.0].concat()
}

/// The file of a verification key.
pub fn verification_key(id: KeyDigest) -> Vec<u8> {
    [b"key/".as_slice(), &id.0].concat()
}

/// [`super::payment::Reservation`].
pub fn reservation(id: RequestId) -> Vec<u8> {
    [b"reservation/".as_slice(), &id.0].concat()
}

/// [`super::payment::Settlement`]. That there is one is the nullifier of the request.
pub fn settlement(id: RequestId) -> Vec<u8> {
    [b"settlement/".as_slice(), &id.0].concat()
}

/// [`super::node::Stake`].
pub fn stake(id: PublicKey) -> Vec<u8> {
    [b"stake/".as_slice(), &id.0].concat()
}

/// [`super::sampling::Sample`].
pub fn sample(id: RequestId) -> Vec<u8> {
    [b"sample/".as_slice(), &id.0].concat()
}

/// An earlier version of a record with a history.
pub fn version(record: &[u8], revision: u32) -> Vec<u8> {
    [record, b"/", &revision.to_be_bytes()].concat()
}
