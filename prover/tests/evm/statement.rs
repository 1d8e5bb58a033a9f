//! Proofs with all that belongs to them: public values and commitments to hidden columns.
use assay_verifier::halo2::curve::{Fr, G1, G1Affine, Point};
use assay_verifier::halo2::hiding;
use assay_verifier::halo2::transcript::{Reader, Writer};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::transcript::{Transcript, TranscriptWrite};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::sample::{CONTEXT, Deviation, KEY, Setup};

/// A proof and what it is of.
#[derive(Clone, Debug)]
pub struct Proven {
    /// Commitments to hidden columns of weights: the key's.
    pub weights: Vec<G1Affine>,
    /// Commitments to hidden columns of inputs.
    pub inputs: Vec<Point>,
    pub instances: Vec<Fr>,
    pub proof: Vec<u8>,
}

impl Proven {
    /// A message of the proof.
    pub fn message(&self, index: usize) -> [u8; 32] {
        self.proof[32 * index..32 * index + 32].try_into().unwrap()
    }

    /// The same with another message.
    pub fn with_message(mut self, index: usize, message: [u8; 32]) -> Self {
        self.proof[32 * index..32 * index + 32].copy_from_slice(&message);
        self
    }
}

/// Points that messages encode.
fn points(proof: &[u8], count: usize) -> Vec<G1Affine> {
    proof.chunks(32).take(count).map(|word| Point(word.try_into().unwrap()).decode().unwrap()).collect()
}

fn words(context: &[u8; 32], inputs: &[Point]) -> Vec<[u8; 32]> {
    [KEY, *context].into_iter().chain(inputs.iter().map(|point| point.0)).collect()
}

impl Setup {
    /// Proves, with commitments to hidden columns that other blinding factors make.
    pub fn prove(&self, seed: u64, deviation: Option<Deviation>) -> Proven {
        let hidden = self.form.weights + self.form.inputs;
        let rows = self.blinding();
        // The library draws the blinding factors of the first columns first.
        let mut drawn = ChaCha20Rng::seed_from_u64(seed);
        let inner: Vec<Vec<Fr>> = (0..hidden).map(|_| rows.iter().map(|_| Fr::random(&mut drawn)).collect()).collect();
        let mut other = ChaCha20Rng::seed_from_u64(!seed);
        let difference: Vec<Vec<Fr>> = inner
            .iter()
            .map(|factors| factors.iter().map(|factor| *factor - Fr::random(&mut other)).collect())
            .collect();
        let span =
            |factors: &[Fr]| rows.iter().zip(factors).fold(G1::default(), |sum, (row, factor)| sum + *row * factor);

        let mut first = Writer::new(&[]);
        self.write(seed, deviation, &mut first);
        let outer: Vec<G1Affine> = points(&first.proof(), hidden)
            .iter()
            .zip(&difference)
            .map(|(inner, difference)| (G1::from(*inner) - span(difference)).to_affine())
            .collect();
        let (weights, inputs) = outer.split_at(self.form.weights);
        let inputs: Vec<Point> = inputs.iter().map(Point::new).collect();

        let mut transcript = Writer::new(&words(&CONTEXT, &inputs));
        let instances = self.write(seed, deviation, &mut transcript);
        if hidden > 0 {
            let g = *transcript.squeeze_challenge_scalar::<()>();
            let mask: Vec<Fr> = rows.iter().map(|_| Fr::random(&mut other)).collect();
            transcript.write_point(span(&mask).to_affine()).unwrap();
            let c = *transcript.squeeze_challenge_scalar::<()>();
            for (row, mask) in mask.iter().enumerate() {
                let combined = difference.iter().rev().fold(Fr::ZERO, |sum, difference| sum * g + difference[row]);
                transcript.write_scalar(*mask + c * combined).unwrap();
            }
        }
        Proven { weights: weights.to_vec(), inputs, instances, proof: transcript.proof() }
    }

    /// What the verifier says.
    pub fn verify(&self, proven: &Proven, context: &[u8; 32]) -> bool {
        let mut transcript = Reader::new(&words(context, &proven.inputs), &proven.proof);
        if !self.read(&proven.instances, &mut transcript) {
            return false;
        }
        let outer: Option<Vec<G1Affine>> =
            proven.weights.iter().map(|point| Some(*point)).chain(proven.inputs.iter().map(Point::decode)).collect();
        let outer = outer.unwrap();
        let inner = points(&proven.proof, outer.len());
        let hidden =
            outer.is_empty() || hiding::verify(&mut transcript, &inner, &outer, &self.blinding()) == Some(true);
        hidden && transcript.rest().is_empty()
    }
}
