//! Secrets: seeds of blinding factors.
use assay_verifier::halo2::curve::Fr;
use assay_verifier::wire;
use halo2_proofs::arithmetic::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, RngCore, SeedableRng};
use serde::{Deserialize, Serialize};

/// A seed that blinding factors of hidden columns are drawn from. Whoever has it can test guesses of what is hidden.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(pub [u8; 32]);

impl wire::File for Secret {
    const NAME: &'static str = "secret";
    const MAGIC: [u8; 8] = *b"ASSAYSC1";
}

impl Secret {
    /// From the operating system.
    pub fn random() -> Self {
        let mut seed = [0u8; 32];
        OsRng.fill_bytes(&mut seed);
        Self(seed)
    }

    /// The blinding factors of columns.
    pub fn factors(&self, columns: usize, rows: usize) -> Vec<Vec<Fr>> {
        let mut drawn = ChaCha20Rng::from_seed(self.0);
        (0..columns).map(|_| (0..rows).map(|_| Fr::random(&mut drawn)).collect()).collect()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret(..)")
    }
}
