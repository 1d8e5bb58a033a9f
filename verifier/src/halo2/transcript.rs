//! The Fiat-Shamir transcript: a Keccak-256 chain over 32-byte words, cheap to follow in a contract.
//!
//! Pending bytes are hashed when a challenge is drawn; the hash is the challenge, reduced modulo the field's order, and the only
//! pending bytes after it. Where nothing was absorbed since the last challenge, one byte `01` is appended first. Points are
//! absorbed as their affine coordinates and scalars as they are, big-endian; in the proof points are compressed and scalars
//! little-endian, and both must be canonical. The point at infinity is refused.
use alloc::vec::Vec;
use halo2_proofs::halo2curves::ff::{FromUniformBytes, PrimeField};
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use halo2_proofs::halo2curves::{Coordinates, CurveAffine};
use halo2_proofs::transcript::{EncodedChallenge, Transcript, TranscriptRead, TranscriptWrite};
use sha3::{Digest, Keccak256};
use std::io;

use super::curve::{Fr, G1Affine, Point};

/// A challenge: the hash that it is reduced from.
#[derive(Clone, Copy, Debug)]
pub struct Challenge(Fr);

impl EncodedChallenge<G1Affine> for Challenge {
    type Input = [u8; 32];

    fn new(hash: &[u8; 32]) -> Self {
        let mut wide = [0u8; 64];
        for (to, from) in wide.iter_mut().zip(hash.iter().rev()) {
            *to = *from;
        }
        Self(Fr::from_uniform_bytes(&wide))
    }

    fn get_scalar(&self) -> Fr {
        self.0
    }
}

/// The pending bytes.
#[derive(Clone, Debug, Default)]
struct Chain {
    pending: Vec<u8>,
}

impl Chain {
    fn squeeze(&mut self) -> Challenge {
        if self.pending.len() == 32 {
            self.pending.push(1);
        }
        let hash: [u8; 32] = Keccak256::digest(&self.pending).into();
        self.pending.clear();
        self.pending.extend_from_slice(&hash);
        Challenge::new(&hash)
    }

    fn big_endian(&mut self, little_endian: &[u8]) {
        self.pending.extend(little_endian.iter().rev());
    }

    fn point(&mut self, point: &G1Affine) -> io::Result<()> {
        // The curve library gives infinity the coordinates (0, 0).
        let coordinates = Option::<Coordinates<G1Affine>>::from(point.coordinates())
            .filter(|_| !bool::from(point.is_identity()))
            .ok_or(io::Error::new(io::ErrorKind::InvalidData, "point at infinity"))?;
        self.big_endian(coordinates.x().to_repr().as_ref());
        self.big_endian(coordinates.y().to_repr().as_ref());
        Ok(())
    }

    fn scalar(&mut self, scalar: &Fr) {
        self.big_endian(scalar.to_repr().as_ref());
    }
}

/// The verifier's side: takes messages from the proof.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    chain: Chain,
    proof: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts with words that both sides know.
    pub fn new(words: &[[u8; 32]], proof: &'a [u8]) -> Self {
        Self { chain: Chain { pending: words.concat() }, proof }
    }

    /// What is left of the proof.
    pub fn rest(&self) -> &'a [u8] {
        self.proof
    }

    fn take(&mut self) -> io::Result<[u8; 32]> {
        let (head, rest) = self.proof.split_first_chunk::<32>().ok_or(io::Error::from(io::ErrorKind::UnexpectedEof))?;
        self.proof = rest;
        Ok(*head)
    }
}

impl Transcript<G1Affine, Challenge> for Reader<'_> {
    fn squeeze_challenge(&mut self) -> Challenge {
        self.chain.squeeze()
    }

    fn common_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.chain.point(&point)
    }

    fn common_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        self.chain.scalar(&scalar);
        Ok(())
    }
}

impl TranscriptRead<G1Affine, Challenge> for Reader<'_> {
    fn read_point(&mut self) -> io::Result<G1Affine> {
        let point = Point(self.take()?).decode().ok_or(io::Error::new(io::ErrorKind::InvalidData, "not a point"))?;
        self.chain.point(&point)?;
        Ok(point)
    }

    fn read_scalar(&mut self) -> io::Result<Fr> {
        let scalar = Option::<Fr>::from(Fr::from_repr(self.take()?))
            .ok_or(io::Error::new(io::ErrorKind::InvalidData, "not a field element"))?;
        self.chain.scalar(&scalar);
        Ok(scalar)
    }
}

/// The prover's side: writes messages to the proof.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    chain: Chain,
    proof: Vec<u8>,
}

impl Writer {
    /// Starts with words that both sides know.
    pub fn new(words: &[[u8; 32]]) -> Self {
        Self { chain: Chain { pending: words.concat() }, proof: Vec::new() }
    }

    /// The messages so far.
    pub fn proof(self) -> Vec<u8> {
        self.proof
    }
}

impl Transcript<G1Affine, Challenge> for Writer {
    fn squeeze_challenge(&mut self) -> Challenge {
        self.chain.squeeze()
    }

    fn common_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.chain.point(&point)
    }

    fn common_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        self.chain.scalar(&scalar);
        Ok(())
    }
}

impl TranscriptWrite<G1Affine, Challenge> for Writer {
    fn write_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.chain.point(&point)?;
        self.proof.extend_from_slice(&Point::new(&point).0);
        Ok(())
    }

    fn write_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        self.chain.scalar(&scalar);
        self.proof.extend_from_slice(scalar.to_repr().as_ref());
        Ok(())
    }
}
