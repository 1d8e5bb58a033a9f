//! Taking a string from a file of another format.
use std::io::{Read, Seek};

use assay_verifier::halo2::curve::{G1Affine, G2Affine};
use assay_verifier::halo2::srs::{Origin, Point2, Srs, check_tau};

use super::source::Source;
use super::{K_MAX, K_MIN, ProvingSrs, SrsError, ptau, raw, transform};

/// What a file holds, before it is checked.
pub struct Import {
    /// Powers of the secret in the first group.
    pub powers: Vec<G1Affine>,
    /// The secret in the second group.
    pub tau_g2: G2Affine,
    /// The Lagrange basis, if the file has it.
    pub lagrange: Option<Vec<G1Affine>>,
}

/// Takes `2^k` powers from a file of a ceremony (`.ptau`) or of halo2 parameters, told apart by their first bytes. What is taken
/// is checked: every point, and that all are powers of one secret. `progress` hears of each step before it is taken.
///
/// # Errors
/// The file is not of these formats or damaged, has fewer powers, or its points are not the powers of a secret.
pub fn import<R: Read + Seek>(
    reader: R,
    k: u32,
    mut progress: impl FnMut(&'static str),
) -> Result<ProvingSrs, SrsError> {
    if !(K_MIN..=K_MAX).contains(&k) {
        return Err(SrsError::K { k, k_max: K_MAX });
    }
    progress("Reading points");
    let mut source = Source::new(reader)?;
    let ceremony = source.array("first bytes", 0)? == ptau::MAGIC;
    let Import { powers, tau_g2, lagrange } =
        if ceremony { ptau::read(&mut source, k)? } else { raw::read(&mut source, k)? };
    check_tau(&tau_g2)?;
    let srs = Srs { tau_g2: Point2::new(&tau_g2), origin: Origin::Imported };
    let mut string = ProvingSrs { k, srs, tau_g2, powers, lagrange: Vec::new() };
    progress("Checking powers");
    string.check_powers()?;
    match lagrange {
        Some(given) => {
            progress("Checking the Lagrange basis");
            string.lagrange = given;
            string.check_lagrange()?;
        }
        None => {
            progress("Lagrange basis");
            string.lagrange = transform::lagrange(&string.powers);
        }
    }
    Ok(string)
}
