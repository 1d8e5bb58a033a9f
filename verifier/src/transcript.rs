//! The Fiat-Shamir transcript: a BLAKE3 hash chain over bytes.
//!
//! The sponge keeps pending input bytes. Sampling hashes them to 32 bytes, which become both the next pending input and the
//! output, read from the first byte on; absorbing discards output that is left. Field elements are absorbed as eight
//! little-endian bytes and sampled from eight bytes, resampled while not below the modulus; an extension element is its two
//! coefficients in order.
use alloc::vec::Vec;
use p3_challenger::{ByteGrindingChallenger, CanObserve, CanSample, FieldChallenger, SerializingChallenger64};
use p3_symmetric::CryptographicHasher;

use crate::field::{EF, F};

/// The challenger that the commitment library draws from.
pub type Challenger = SerializingChallenger64<F, Sponge>;

/// The byte sponge under the challenger.
#[derive(Clone, Debug)]
pub struct Sponge {
    input: Vec<u8>,
    output: [u8; 32],
    used: usize,
}

impl Sponge {
    fn new() -> Self {
        Self { input: Vec::new(), output: [0; 32], used: 32 }
    }
}

impl CanObserve<u8> for Sponge {
    fn observe(&mut self, value: u8) {
        self.used = self.output.len();
        self.input.push(value);
    }

    fn observe_slice(&mut self, values: &[u8]) {
        self.used = self.output.len();
        self.input.extend_from_slice(values);
    }
}

impl CanSample<u8> for Sponge {
    fn sample(&mut self) -> u8 {
        if self.used >= self.output.len() {
            self.output = *blake3::hash(&self.input).as_bytes();
            self.input.clear();
            self.input.extend_from_slice(&self.output);
            self.used = 0;
        }
        let byte = self.output.get(self.used).copied().unwrap_or_default();
        self.used = self.used.saturating_add(1);
        byte
    }
}

/// Candidates hashed at once when grinding.
const GRINDING_BATCH: usize = 64;

/// Grinding takes the lowest nonce that passes, so that proofs do not depend on the number of threads.
impl ByteGrindingChallenger for Sponge {
    fn find_witness<const W: usize, const S: usize>(
        &self,
        num_candidates: u64,
        encode: impl Fn(u64) -> [u8; W] + Sync,
        accepts: impl Fn([u8; S]) -> bool + Sync,
    ) -> Option<u64> {
        let mut messages = Vec::new();
        let mut hashes = [[0u8; 32]; GRINDING_BATCH];
        let mut start = 0u64;
        while start < num_candidates {
            let batch = start..num_candidates.min(start.saturating_add(GRINDING_BATCH as u64));
            messages.clear();
            for candidate in batch.clone() {
                messages.extend_from_slice(&self.input);
                messages.extend_from_slice(&encode(candidate));
            }
            let count = usize::try_from(batch.end.saturating_sub(batch.start)).unwrap_or_default();
            let hashes = hashes.get_mut(..count).unwrap_or_default();
            p3_blake3::Blake3.hash_many(&messages, hashes);
            // A word of at most 32 bytes is read from one hash; longer ones do not occur.
            let passes = |hash: &[u8; 32]| hash.first_chunk::<S>().is_some_and(|word| accepts(*word));
            if let Some(found) = batch.zip(hashes.iter()).find(|(_, hash)| passes(hash)) {
                return Some(found.0);
            }
            start = start.saturating_add(GRINDING_BATCH as u64);
        }
        None
    }
}

/// A transcript with labelled messages.
#[derive(Clone, Debug)]
pub struct Transcript {
    challenger: Challenger,
}

impl Transcript {
    /// Starts a transcript for one protocol.
    pub fn new(protocol: &str) -> Self {
        let mut transcript = Self { challenger: Challenger::new(Sponge::new()) };
        transcript.label(protocol);
        transcript
    }

    /// Separates what follows from what came before.
    pub fn label(&mut self, label: &str) {
        self.bytes(label.as_bytes());
    }

    /// Absorbs bytes, preceded by their number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let challenger = &mut self.challenger;
        let mut absorb = |chunk: &[u8; 8]| challenger.observe(p3_symmetric::Hash::<F, u8, 8>::from(*chunk));
        absorb(&(bytes.len() as u64).to_le_bytes());
        for chunk in bytes.chunks(8) {
            let mut word = [0u8; 8];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            absorb(&word);
        }
    }

    /// Absorbs a message.
    pub fn absorb(&mut self, value: EF) {
        self.challenger.observe_algebra_element(value);
    }

    /// Draws a challenge.
    pub fn sample(&mut self) -> EF {
        self.challenger.sample_algebra_element()
    }

    /// Draws a point with its most significant coordinate first.
    pub fn sample_point(&mut self, variables: usize) -> Vec<EF> {
        (0..variables).map(|_| self.sample()).collect()
    }

    /// Hands the underlying challenger to the commitment library.
    pub fn challenger(&mut self) -> &mut Challenger {
        &mut self.challenger
    }
}
