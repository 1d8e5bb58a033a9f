//! The curve BN254 and how its points are encoded.
use core::fmt;
use halo2_proofs::halo2curves::group::GroupEncoding;
use serde::{Deserialize, Serialize};

pub use halo2_proofs::halo2curves::bn256::{Bn256, Fr, G1, G1Affine, G2, G2Affine};

/// A point of the first group as it is stored: compressed, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point(pub [u8; 32]);

impl Point {
    /// Compresses a point.
    pub fn new(point: &G1Affine) -> Self {
        let mut bytes = [0u8; 32];
        for (to, from) in bytes.iter_mut().zip(point.to_bytes().as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }

    /// The point, or nothing if the bytes are not the canonical encoding of a point of the curve. The group has prime order, so
    /// every point of the curve is in it.
    pub fn decode(&self) -> Option<G1Affine> {
        let mut encoded = <G1Affine as GroupEncoding>::Repr::default();
        for (to, from) in encoded.as_mut().iter_mut().zip(&self.0) {
            *to = *from;
        }
        let point = Option::<G1Affine>::from(G1Affine::from_bytes(&encoded))?;
        (Self::new(&point) == *self).then_some(point)
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Point(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ")")
    }
}
