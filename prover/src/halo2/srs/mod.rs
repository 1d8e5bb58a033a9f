//! The structured reference string as a prover needs it: `2^k` powers of the secret, and the same as a Lagrange basis.
//!
//! [`make()`] draws a secret on this machine, [`import()`] takes powers from a ceremony's file. [`SrsFile`] is how a string is
//! stored. Shorter strings are cut from a longer one with [`ProvingSrs::cut`].
mod check;
mod endomorphism;
mod file;
mod import;
mod make;
mod points;
mod ptau;
mod raw;
mod source;
mod table;
mod transform;

use assay_verifier::halo2::curve::{Bn256, G1Affine, G2Affine};
use assay_verifier::halo2::srs::{self, Srs};
use halo2_proofs::poly::kzg::commitment::ParamsKZG;

pub use file::SrsFile;
pub use import::import;
pub use make::make;

/// Shortest string: two powers, the least that show the secret.
pub const K_MIN: u32 = 1;
/// Longest string: a file of it can still be decoded.
pub const K_MAX: u32 = 23;

/// A string whose points are on their curves.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvingSrs {
    k: u32,
    srs: Srs,
    tau_g2: G2Affine,
    powers: Vec<G1Affine>,
    lagrange: Vec<G1Affine>,
}

/// What is wrong with a point in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A coordinate is the prime or more.
    #[error("a coordinate is not less than the prime")]
    Coordinate,
    /// The coordinates do not satisfy the equation.
    #[error("it is not on the curve")]
    Curve,
    /// The point has no coordinates.
    #[error("it is the point at infinity")]
    Infinity,
    /// The compressed bytes are not the encoding of a point.
    #[error("it is not the canonical encoding of a point")]
    Encoding,
}

/// Why a string is refused.
#[derive(Debug, thiserror::Error)]
pub enum SrsError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file ends early.
    #[error("{field}: {size} bytes from byte {start} on are needed, but the file has {len}")]
    Truncated {
        /// What is read.
        field: &'static str,
        /// Where it starts.
        start: u64,
        /// How long it is.
        size: u64,
        /// Length of the file.
        len: u64,
    },
    /// A number in the file is impossible.
    #[error("{field} is {value}, expected {expected}")]
    Value {
        /// What it is.
        field: &'static str,
        /// The number.
        value: u64,
        /// What it may be.
        expected: &'static str,
    },
    /// The length is of neither encoding.
    #[error("{actual} bytes are no parameters of halo2 for k = {k}, which take {raw} bytes, or {processed} compressed")]
    Length {
        /// What the file says about itself.
        k: u32,
        /// Length with coordinates.
        raw: u64,
        /// Length with compressed points.
        processed: u64,
        /// Length of the file.
        actual: u64,
    },
    /// A section that is needed is not there.
    #[error("there is no section {0}")]
    SectionAbsent(&'static str),
    /// A section is there twice.
    #[error("section {0} occurs twice")]
    SectionTwice(&'static str),
    /// A section ends before the points that are needed of it.
    #[error("{field}: {size} bytes are needed, but the section has {len}")]
    SectionShort {
        /// The section.
        field: &'static str,
        /// Bytes that are needed.
        size: u64,
        /// Bytes that are there.
        len: u64,
    },
    /// The file is for another curve.
    #[error("the prime is not that of BN254")]
    Prime,
    /// There are not so many powers.
    #[error("k = {k} is outside of what there is, 1 to {k_max}")]
    K {
        /// What was asked for.
        k: u32,
        /// The most there is.
        k_max: u32,
    },
    /// A point is not one.
    #[error("{field}, point {index}: {fault}")]
    Point {
        /// Where it lies.
        field: &'static str,
        /// Which one it is.
        index: usize,
        /// What is wrong.
        fault: Fault,
    },
    /// A point that is fixed has another value.
    #[error("{0} is not the generator")]
    Generator(&'static str),
    /// The part that keys carry is refused.
    #[error(transparent)]
    Verifier(#[from] srs::SrsError),
    /// The powers are not those of the secret.
    #[error("the points are not the powers of the secret that is in the second group")]
    Powers,
    /// The Lagrange basis is another one.
    #[error("the Lagrange basis does not belong to the powers")]
    Lagrange,
    /// The numbers of points do not fit together.
    #[error("the numbers of points do not fit together")]
    Size,
    /// The content was changed.
    #[error("the checksum does not fit the content")]
    Checksum,
}

impl ProvingSrs {
    /// There are `2^k` powers.
    pub fn k(&self) -> u32 {
        self.k
    }

    /// What keys carry of it.
    pub fn srs(&self) -> &Srs {
        &self.srs
    }

    /// Whether all points are what they should be, the powers by pairings. A file from elsewhere is checked once.
    ///
    /// # Errors
    /// They are not.
    pub fn check(&self) -> Result<(), SrsError> {
        self.check_powers()?;
        self.check_lagrange()
    }

    fn check_powers(&self) -> Result<(), SrsError> {
        check::powers(&self.powers, &self.tau_g2)
    }

    fn check_lagrange(&self) -> Result<(), SrsError> {
        check::lagrange(&self.powers, &self.lagrange)
    }

    /// Whether these are the first powers of a longer string.
    pub fn is_cut_of(&self, longer: &Self) -> bool {
        self.srs == longer.srs && longer.powers.starts_with(&self.powers)
    }

    /// The same string with `2^k` powers. If these are fewer, finding the Lagrange basis takes long: keep the result.
    ///
    /// # Errors
    /// There are not so many powers.
    pub fn cut(&self, k: u32) -> Result<Self, SrsError> {
        if !(K_MIN..=self.k).contains(&k) {
            return Err(SrsError::K { k, k_max: self.k });
        }
        if k == self.k {
            return Ok(self.clone());
        }
        let powers = self.powers[..1 << k].to_vec();
        let lagrange = transform::lagrange(&powers);
        Ok(Self { k, srs: self.srs, tau_g2: self.tau_g2, powers, lagrange })
    }

    /// What the engine takes, for all powers.
    pub fn into_params(self) -> ParamsKZG<Bn256> {
        let Self { k, srs, tau_g2, powers, lagrange } = self;
        let verifying = srs.params(k).expect("the point was checked when the string was made");
        verifying.from_parts(k, powers, Some(lagrange), G2Affine::generator(), tau_g2)
    }

    /// What the engine takes, for `2^k` powers, as [`Self::cut`].
    ///
    /// # Errors
    /// There are not so many powers.
    pub fn params(&self, k: u32) -> Result<ParamsKZG<Bn256>, SrsError> {
        self.cut(k).map(Self::into_params)
    }
}
