//! Proofs that the ledger's state has a record, or has none: ICS-23 against the app hash of a block.
//!
//! The tree is a Jellyfish Merkle tree with SHA-256: leaves and inner nodes are hashed with a prefix each, an empty subtree is a constant.
use ics23::commitment_proof::Proof;
use ics23::{CommitmentProof, ExistenceProof, HashOp, InnerSpec, LeafOp, LengthOp, NonExistenceProof, ProofSpec};
use prost_ics23::Message;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Longest proof in bytes: two records of the largest size with their paths.
pub const PROOF_LEN_MAX: usize = 1 << 26;
/// Steps from a leaf to the root: one for each bit of a hashed key.
const DEPTH_MAX: usize = 256;

/// Why a proof of inclusion is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InclusionError {
    /// Not a proof, or one that is too large or too deep.
    #[error("malformed proof of inclusion")]
    Malformed,
    /// It shows that there is a record where it should show that there is none, or the other way round.
    #[error("the proof is of the other kind")]
    Kind,
    /// It does not lead from the key and the value to the app hash.
    #[error("the proof does not lead from key and value to the app hash")]
    Fails,
}

/// Verifies that the state with an app hash has this value under a key, or no value.
///
/// # Errors
/// The proof does not show it.
pub fn verify(app_hash: &[u8; 32], key: &[u8], value: Option<&[u8]>, proof: &[u8]) -> Result<(), InclusionError> {
    if proof.len() > PROOF_LEN_MAX {
        return Err(InclusionError::Malformed);
    }
    let proof = CommitmentProof::decode(proof).map_err(|_| InclusionError::Malformed)?;
    let root = app_hash.to_vec();
    let holds = match (&proof.proof, value) {
        (Some(Proof::Exist(existence)), Some(value)) => {
            check_depth(existence)?;
            ics23::verify_membership::<Sha256Only>(&proof, &spec(), &root, key, value)
        }
        (Some(Proof::Nonexist(absence)), None) => {
            check_neighbours(absence)?;
            ics23::verify_non_membership::<Sha256Only>(&proof, &spec(), &root, key)
        }
        (Some(Proof::Exist(_)), None) | (Some(Proof::Nonexist(_)), Some(_)) => return Err(InclusionError::Kind),
        _ => return Err(InclusionError::Malformed),
    };
    if holds { Ok(()) } else { Err(InclusionError::Fails) }
}

fn check_depth(proof: &ExistenceProof) -> Result<(), InclusionError> {
    if proof.path.len() > DEPTH_MAX { Err(InclusionError::Malformed) } else { Ok(()) }
}

/// The library takes for granted that the paths of two neighbours part somewhere: it would panic otherwise.
fn check_neighbours(proof: &NonExistenceProof) -> Result<(), InclusionError> {
    for neighbour in [&proof.left, &proof.right].into_iter().flatten() {
        check_depth(neighbour)?;
    }
    let (Some(left), Some(right)) = (&proof.left, &proof.right) else { return Ok(()) };
    let mut steps = left.path.iter().rev().zip(right.path.iter().rev());
    let part = steps.any(|(left, right)| left.prefix != right.prefix || left.suffix != right.suffix);
    if part { Ok(()) } else { Err(InclusionError::Malformed) }
}

/// The shape of the tree.
pub fn spec() -> ProofSpec {
    ProofSpec {
        leaf_spec: Some(LeafOp {
            hash: HashOp::Sha256.into(),
            prehash_key: HashOp::Sha256.into(),
            prehash_value: HashOp::Sha256.into(),
            length: LengthOp::NoPrefix.into(),
            prefix: b"JMT::LeafNode".to_vec(),
        }),
        inner_spec: Some(InnerSpec {
            child_order: alloc::vec![0, 1],
            child_size: 32,
            min_prefix_length: 16,
            max_prefix_length: 16,
            empty_child: b"SPARSE_MERKLE_PLACEHOLDER_HASH__".to_vec(),
            hash: HashOp::Sha256.into(),
        }),
        max_depth: 0,
        min_depth: 0,
        prehash_key_before_comparison: true,
    }
}

/// The one hash function of the tree. The shape of the tree refuses proofs that name another one before anything is hashed.
struct Sha256Only;

impl ics23::HostFunctionsProvider for Sha256Only {
    fn sha2_256(message: &[u8]) -> [u8; 32] {
        Sha256::digest(message).into()
    }
    fn sha2_512(_: &[u8]) -> [u8; 64] {
        [0; 64]
    }
    fn sha2_512_truncated(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
    fn keccak_256(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
    fn ripemd160(_: &[u8]) -> [u8; 20] {
        [0; 20]
    }
    fn blake2b_512(_: &[u8]) -> [u8; 64] {
        [0; 64]
    }
    fn blake2s_256(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
    fn blake3(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
}
