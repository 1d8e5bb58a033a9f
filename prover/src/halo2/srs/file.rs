//! Our own file of a string (`.srs`).
//!
//! It is also what is kept of a longer string for one size, since finding the Lagrange basis takes long.
use assay_verifier::digest::digest;
use assay_verifier::halo2::curve::G1Affine;
use assay_verifier::halo2::srs::Srs;
use assay_verifier::wire;
use halo2_proofs::halo2curves::serde::SerdeObject;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{K_MAX, K_MIN, ProvingSrs, SrsError, points};

/// A string as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub struct SrsFile {
    /// What keys carry of it.
    srs: Srs,
    /// There are `2^k` powers.
    k: u32,
    /// Powers of the secret.
    powers: Vec<Stored>,
    /// The Lagrange basis.
    lagrange: Vec<Stored>,
    /// SHA-256 of all the above: points that were damaged by accident are noticed without a check by pairings.
    checksum: [u8; 32],
}

/// The limbs of a point's two coordinates in Montgomery form, the least first.
type Stored = [u64; 8];

impl wire::File for SrsFile {
    const NAME: &'static str = "structured reference string";
    const MAGIC: [u8; 8] = *b"ASSAYSR1";
}

impl SrsFile {
    /// Stores a string.
    pub fn new(string: &ProvingSrs) -> Self {
        let mut file = Self {
            srs: string.srs,
            k: string.k,
            powers: string.powers.par_iter().map(store).collect(),
            lagrange: string.lagrange.par_iter().map(store).collect(),
            checksum: [0; 32],
        };
        file.checksum = file.expected_checksum();
        file
    }

    /// What keys carry of it, unchecked.
    pub fn srs(&self) -> &Srs {
        &self.srs
    }

    /// There are `2^k` powers, if the file is what it says.
    pub fn k(&self) -> u32 {
        self.k
    }

    /// The string, after a check of all points and of the checksum. Whether the points are the powers of a secret is for
    /// [`ProvingSrs::check`]; that is needed once for a file that others made.
    ///
    /// # Errors
    /// The file was damaged.
    pub fn open(&self) -> Result<ProvingSrs, SrsError> {
        let n = 1usize << self.k.min(K_MAX);
        if !(K_MIN..=K_MAX).contains(&self.k) || self.powers.len() != n || self.lagrange.len() != n {
            return Err(SrsError::Size);
        }
        if self.checksum != self.expected_checksum() {
            return Err(SrsError::Checksum);
        }
        let tau_g2 = self.srs.decode()?;
        let powers = load("powers", &self.powers)?;
        let lagrange = load("Lagrange basis", &self.lagrange)?;
        Ok(ProvingSrs { k: self.k, srs: self.srs, tau_g2, powers, lagrange })
    }

    fn expected_checksum(&self) -> [u8; 32] {
        digest("assay srs file v1", &wire::bytes(&(self.srs, self.k, &self.powers, &self.lagrange)))
    }
}

fn store(point: &G1Affine) -> Stored {
    let bytes = point.to_raw_bytes();
    let mut limbs = Stored::default();
    for (limb, bytes) in limbs.iter_mut().zip(bytes.as_chunks().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    limbs
}

fn load(field: &'static str, stored: &[Stored]) -> Result<Vec<G1Affine>, SrsError> {
    let bytes: Vec<u8> =
        stored.par_iter().flat_map_iter(|limbs| limbs.iter().flat_map(|limb| limb.to_le_bytes())).collect();
    points::g1(field, &bytes)
}
