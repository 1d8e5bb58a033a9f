//! The three kinds of signatures that vendors make: ECDSA on P-256 and P-384, and RSA-PSS with 4096 bits.
use num_bigint::BigUint;
use p256::ecdsa::signature::Verifier as _;
use sha2::{Digest as _, Sha384};

use super::der;

/// How something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384,
    /// RSA-PSS with SHA-384, MGF1 with SHA-384, and a salt of 48 bytes.
    RsaPss,
}

/// A public key, as a certificate has it.
#[derive(Clone, Copy, Debug)]
pub enum Key<'a> {
    /// A point of P-256, uncompressed.
    P256(&'a [u8]),
    /// A point of P-384, uncompressed.
    P384(&'a [u8]),
    /// A modulus of 4096 bits; the exponent is 65537.
    Rsa(&'a [u8; RSA_LEN]),
}

/// Bytes of an RSA modulus of 4096 bits.
pub const RSA_LEN: usize = 512;
const HASH_LEN: usize = 48;
/// What is masked: zeros, a one, the salt.
const MASKED_LEN: usize = 463;
const ZEROS_LEN: usize = 414;
/// The exponent of every RSA key that is accepted.
pub const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

/// A signature of ECDSA as two numbers of the curve's length.
pub fn p256_raw(point: &[u8], message: &[u8], signature: &[u8; 64]) -> Option<()> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    key.verify(message, &p256::ecdsa::Signature::from_slice(signature).ok()?).ok()
}

/// A signature of ECDSA as two numbers of the curve's length.
pub fn p384_raw(point: &[u8], message: &[u8], signature: &[u8; 96]) -> Option<()> {
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    key.verify(message, &p384::ecdsa::Signature::from_slice(signature).ok()?).ok()
}

impl Key<'_> {
    /// Whether a certificate's or list's signature holds under this key: `Some` if it does.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Option<()> {
        match (self, algorithm) {
            (Self::P256(point), Algorithm::EcdsaP256) => p256_raw(point, message, &both(signature)?),
            (Self::P384(point), Algorithm::EcdsaP384) => p384_raw(point, message, &both(signature)?),
            (Self::Rsa(modulus), Algorithm::RsaPss) => rsa_pss(modulus, message, signature.try_into().ok()?),
            _ => None,
        }
    }
}

/// The two numbers of an `ECDSA-Sig-Value`, each padded to half of the length.
fn both<const N: usize>(signature: &[u8]) -> Option<[u8; N]> {
    let mut outer = der::Reader::new(signature);
    let mut inner = outer.inside(der::SEQUENCE)?;
    outer.end()?;
    let numbers = [inner.unsigned()?, inner.unsigned()?];
    inner.end()?;
    let mut raw = [0; N];
    for (place, number) in raw.chunks_exact_mut(N / 2).zip(numbers) {
        let pad = place.len().checked_sub(number.len())?;
        place.get_mut(pad..)?.copy_from_slice(number);
    }
    Some(raw)
}

/// RSASSA-PSS-VERIFY of RFC 8017, section 8.1.2, for a modulus of exactly 4096 bits.
fn rsa_pss(modulus: &[u8; RSA_LEN], message: &[u8], signature: &[u8; RSA_LEN]) -> Option<()> {
    let (modulus, signature) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(signature));
    if modulus.bits() != 4096 || !modulus.bit(0) || signature >= modulus {
        return None;
    }
    let encoded = signature.modpow(&BigUint::from_bytes_be(&RSA_EXPONENT), &modulus).to_bytes_be();
    // The number is shorter than the modulus, so its encoding has leading zeros.
    let mut padded = [0; RSA_LEN];
    let pad = RSA_LEN.checked_sub(encoded.len())?;
    padded.get_mut(pad..)?.copy_from_slice(&encoded);
    pss_encodes(&padded, message)
}

/// EMSA-PSS-VERIFY of RFC 8017, section 9.1.2.
fn pss_encodes(encoded: &[u8; RSA_LEN], message: &[u8]) -> Option<()> {
    let (masked, rest) = encoded.split_first_chunk::<MASKED_LEN>()?;
    let (hash, trailer) = rest.split_first_chunk::<HASH_LEN>()?;
    // One bit less than the modulus has, so the first bit must not be set.
    if trailer != [0xbc] || masked.first()? & 0x80 != 0 {
        return None;
    }
    let mut data = *masked;
    for (counter, block) in data.chunks_mut(HASH_LEN).enumerate() {
        let counter = u32::try_from(counter).ok()?.to_be_bytes();
        let mask = Sha384::new().chain_update(hash).chain_update(counter).finalize();
        block.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
    *data.first_mut()? &= 0x7f;
    let (zeros, rest) = data.split_first_chunk::<ZEROS_LEN>()?;
    let salt = rest.strip_prefix(&[1])?;
    let again = Sha384::new().chain_update([0; 8]).chain_update(Sha384::digest(message)).chain_update(salt).finalize();
    (zeros == &[0; ZEROS_LEN] && again.as_slice() == hash).then_some(())
}
