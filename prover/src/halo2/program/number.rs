//! Numbers: values in a range, in up to four limbs.
use assay_verifier::halo2::shape::SLOTS;

use super::{Builder, ProgramError};

impl Builder<'_> {
    /// Four limbs hold the width.
    pub(super) fn check_limbs(&self, node: usize, bits: u8) -> Result<(), ProgramError> {
        let fits = usize::from(bits) <= SLOTS * usize::from(self.limb_bits);
        if fits { Ok(()) } else { Err(ProgramError::Limbs { node, limb_bits: self.limb_bits }) }
    }
}
