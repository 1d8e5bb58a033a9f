//! What a transaction costs validators, in work units: a function of the transaction and the state, never of time, so that every node
//! counts alike. A unit is about a microsecond of one core of a server of 2024, rounded up.
use assay_verifier::key::Engine;

/// Decoding, one signature, a few records.
pub const BASE: u64 = 200;
/// One more signature and its records: a receipt's, an authorisation's.
pub const SIGNATURE: u64 = 100;

/// Hashing and decoding so many bytes.
pub fn bytes(size: usize) -> u64 {
    count(size).div_ceil(256)
}

/// Verifying a proof. Small models take 1.3 ms by `sumcheck` (86 kB, a key of 138 kB), those of ten million weights 16 ms (369 kB, 529 kB);
/// by `halo2` it is 7 to 12 ms whatever the model, and the public values in the proof.
pub fn proof(engine: Engine, proof_size: usize, key_size: u64) -> u64 {
    match engine {
        Engine::Sumcheck => 1_000 + count(proof_size).div_ceil(64) + key_size.div_ceil(48),
        Engine::Halo2 => 10_000 + count(proof_size).div_ceil(8),
    }
}

/// Verifying a document of an enclave: signatures on P-256 or P-384, or of RSA with 4096 bits. Nitro's documents take 6 ms, those of TDX and SNP 3 to
/// 4 ms (`--bench attestation`); chains may be longer than those of today.
pub const ATTESTATION: u64 = 10_000;

/// Checking a key when it is published, and once more by each validator that restarts.
pub fn key(size: usize) -> u64 {
    5_000 + count(size).div_ceil(8)
}

fn count(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}
