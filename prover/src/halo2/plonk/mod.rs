//! The argument itself: commitments, challenges and openings that the library's verifier checks.
//!
//! The library has a prover too. This one makes the same messages several times faster: columns of small integers are committed as such, transforms
//! have their roots at hand and run column beside column, fixed columns are transformed once for all proofs, and constraints are
//! evaluated in steps over many rows. What is sound is the verifier's matter alone; what is hidden rests on the random values that are drawn here.
mod bucket;
mod constraints;
mod lanes;
mod msm;
mod opening;
mod permutation;
mod point;
mod quotient;
mod transform;

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use assay_verifier::halo2::curve::{Bn256, Fr, G1, G1Affine};
use assay_verifier::halo2::field;
use assay_verifier::halo2::transcript::Writer;
use halo2_proofs::SerdeFormat;
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::bn256::Fq;
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use halo2_proofs::halo2curves::serde::SerdeObject;
use halo2_proofs::plonk::ProvingKey;
use halo2_proofs::poly::commitment::Params;
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use halo2_proofs::poly::{Coeff, Polynomial};
use halo2_proofs::transcript::{Transcript, TranscriptWrite};
use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, RngCore, SeedableRng};
use rayon::prelude::*;

use constraints::{Constraints, Source};
use lanes::{Eight, Fast, LANES};
use msm::Multiples;
use opening::Opened;
use permutation::Cells;
use point::Points;
use quotient::{Drawn, FixedValues, Polynomials, fixed_values};
use transform::{Coefficients, Coset, Poly, Transform};

/// Bytes of fixed columns on cosets that are kept from proof to proof.
const KEPT_BYTES: usize = 512 << 20;

/// Eight cells of columns.
type Elements = Fast<Fr>;
/// Eight coordinates of points.
type Coordinates = Fast<Fq>;

/// What proofs of one key share.
pub struct Plonk {
    transform: Transform<Elements>,
    /// Commitments of powers.
    powers: Points<Coordinates>,
    /// Commitments of the rows' Lagrange polynomials.
    lagrange: Points<Coordinates>,
    constraints: Constraints,
    /// Columns with copies.
    copied: Vec<Source>,
    /// How many of them one running product takes in.
    copies_per_product: usize,
    /// Where the quotient is worked out.
    cosets: Vec<Coset<Elements>>,
    /// Gives its pieces.
    separation: Vec<Vec<Fr>>,
    /// Proofs that were begun.
    proofs: AtomicUsize,
    /// Made with the second proof: the first takes as long without.
    kept: OnceLock<Kept>,
}

/// What is kept from proof to proof, each unless it takes too much memory.
struct Kept {
    /// Fixed columns on the cosets.
    fixed: Vec<FixedValues<Elements>>,
    powers: Option<Multiples<Coordinates>>,
    lagrange: Option<Multiples<Coordinates>>,
}

/// A column of the first phase: small integers, and what fills its last rows.
pub struct Small<'a> {
    /// The integers, zero beyond their end.
    pub values: &'a [i64],
    /// Random values of the last rows.
    pub blinding: Vec<Fr>,
}

impl Small<'_> {
    /// All cells.
    fn full(&self, rows: usize) -> Vec<Fr> {
        let values: Vec<Fr> = self.values.iter().map(|&value| field(value)).collect();
        let mut column = padded(&values, rows - self.blinding.len());
        column.extend(&self.blinding);
        column
    }
}

impl Plonk {
    /// Works out what proofs of a key share.
    pub fn new(pk: &ProvingKey<G1Affine>, params: &ParamsKZG<Bn256>) -> Self {
        let cs = pk.get_vk().cs();
        let transform = Transform::new(params.k());
        let rows = transform.rows();
        let (powers, lagrange) = points(params);
        let [powers, lagrange] = [powers, lagrange].map(|points| point::points::<Coordinates>(&points));
        // Powers of a generator of the field's units lie in no group of the rows' points, and no two in one coset of it.
        let cosets: Vec<Coset<Elements>> = transform::powers(Fr::MULTIPLICATIVE_GENERATOR)
            .skip(1)
            .take(cs.degree() - 1)
            .map(|offset| transform.coset(offset))
            .collect();
        let ends: Vec<Fr> = cosets.iter().map(|coset| coset.offset.pow_vartime([rows as u64])).collect();
        Self {
            constraints: Constraints::new(cs),
            copied: quotient::copied(pk),
            copies_per_product: cs.degree() - 2,
            separation: quotient::separation(&ends),
            proofs: AtomicUsize::new(0),
            kept: OnceLock::new(),
            transform,
            powers,
            lagrange,
            cosets,
        }
    }

    /// Rows at the end of a column that random values fill.
    pub fn blinding_rows(pk: &ProvingKey<G1Affine>) -> usize {
        pk.get_vk().cs().blinding_factors() + 1
    }

    /// Commits to columns of small integers.
    pub fn commit(&self, columns: &[Small<'_>]) -> Vec<G1Affine> {
        let sums: Vec<G1> = columns
            .par_iter()
            .map(|column| {
                let points = &self.lagrange;
                let cells = msm::small::<Coordinates>(column.values, points);
                cells + msm::large::<Coordinates>(&column.blinding, &points[points.len() - column.blinding.len()..])
            })
            .collect();
        affine(&sums)
    }

    /// What is kept, from the second proof on.
    fn kept(&self, pk: &ProvingKey<G1Affine>) -> Option<&Kept> {
        if self.proofs.fetch_add(1, Ordering::Relaxed) == 0 {
            return None;
        }
        let make = || {
            let columns = pk.fixed_polys().len() + pk.permutation().polys().len() + 3;
            let bytes = self.cosets.len() * columns * self.transform.rows() / LANES * size_of::<Elements>();
            let cosets = if bytes <= KEPT_BYTES { &self.cosets[..] } else { &[] };
            Kept {
                fixed: cosets.iter().map(|coset| fixed_values(&self.transform, pk, coset)).collect(),
                powers: Multiples::new(&self.powers),
                lagrange: Multiples::new(&self.lagrange),
            }
        };
        Some(self.kept.get_or_init(make))
    }

    /// Appends a proof to a transcript: columns of the first phase in their order, then those of the second, which follow from the challenges.
    ///
    /// # Errors
    /// A commitment is the point at infinity, which no honest one is but with negligible probability.
    pub fn prove(
        &self,
        pk: &ProvingKey<G1Affine>,
        instance: &[&[Fr]],
        first: &[Small<'_>],
        second: impl FnOnce(&[Fr]) -> Vec<Vec<Fr>>,
        transcript: &mut Writer,
    ) -> io::Result<()> {
        let cs = pk.get_vk().cs();
        let rows = self.transform.rows();
        let mut seed = [0u8; 32];
        OsRng.fill_bytes(&mut seed);
        let mut rng = ChaCha20Rng::from_seed(seed);
        let kept = self.kept(pk);
        let multiples = kept.and_then(|kept| kept.lagrange.as_ref());
        let cells = |columns: &[Vec<Fr>]| commit(columns, &self.lagrange, multiples);
        let multiples = kept.and_then(|kept| kept.powers.as_ref());
        let coefficients = |columns: &[Vec<Fr>]| commit(columns, &self.powers, multiples);
        pk.get_vk().hash_into(transcript)?;
        instance.iter().flat_map(|column| column.iter()).try_for_each(|value| transcript.common_scalar(*value))?;
        self.commit(first).into_iter().try_for_each(|point| transcript.write_point(point))?;
        let challenges: Vec<Fr> = (0..cs.num_challenges()).map(|_| squeeze(transcript)).collect();
        let mut advice: Vec<Vec<Fr>> = first.par_iter().map(|column| column.full(rows)).collect();
        let blinding = Self::blinding_rows(pk);
        let mut made = second(&challenges);
        for column in &mut made {
            column.resize(rows - blinding, Fr::ZERO);
            column.resize_with(rows, || Fr::random(&mut rng));
        }
        cells(&made).into_iter().try_for_each(|point| transcript.write_point(point))?;
        advice.append(&mut made);
        let instance: Vec<Vec<Fr>> = instance.iter().map(|column| padded(column, rows)).collect();
        // The library draws a challenge for lookups whether or not there are any.
        squeeze(transcript);
        let [beta, gamma] = [squeeze(transcript), squeeze(transcript)];
        let products = self.products(pk, &Cells { advice: &advice, instance: &instance }, (beta, gamma), &mut rng);
        cells(&products).into_iter().try_for_each(|point| transcript.write_point(point))?;
        let random: Vec<Fr> = (0..rows).map(|_| Fr::random(&mut rng)).collect();
        let random = [random];
        coefficients(&random).into_iter().try_for_each(|point| transcript.write_point(point))?;
        let y = squeeze(transcript);
        let [advice, instance, products] =
            [advice, instance, products].map(|columns| self.transform.polynomials(&columns));
        let polys = Polynomials { advice, instance, products };
        let pieces = self.quotient(pk, kept, &polys, &Drawn { challenges, beta, gamma, y });
        let columns: Vec<Vec<Fr>> = pieces.par_iter().map(Poly::coefficients).collect();
        coefficients(&columns).into_iter().try_for_each(|point| transcript.write_point(point))?;
        let x = squeeze(transcript);
        let [random] = &random;
        let xn = x.pow_vartime([rows as u64]);
        let mut h = Poly(vec![Elements::zero(); rows / LANES]);
        for (piece, power) in pieces.iter().zip(transform::powers(xn)) {
            h.add(Elements::factor(power), piece.read());
        }
        let opened = self.evaluations(pk, &polys, [h.read(), Coefficients::Single(random)], x, transcript)?;
        self.open(&opened, x, coefficients, transcript)
    }

    /// Sends the values of all polynomials but the quotient's; what is to be opened, in the verifier's order.
    fn evaluations<'a>(
        &self,
        pk: &'a ProvingKey<G1Affine>,
        polys: &'a Polynomials<Elements>,
        [quotient, random]: [Coefficients<'a, Elements>; 2],
        x: Fr,
        transcript: &mut Writer,
    ) -> io::Result<Vec<Opened<'a>>> {
        let cs = pk.get_vk().cs();
        let end = -(cs.blinding_factors() as i32 + 1);
        // In the order in which values are sent.
        let advice = cs.advice_queries().iter().map(|(column, at)| (polys.advice[column.index()].read(), at.0));
        let single = |poly: &'a Polynomial<Fr, Coeff>| Coefficients::Single(poly.values());
        let fixed = cs.fixed_queries().iter().map(|(column, at)| (single(&pk.fixed_polys()[column.index()]), at.0));
        let images = pk.permutation().polys().iter().map(|poly| (single(poly), 0));
        let last = polys.products.len().saturating_sub(1);
        let products = polys.products.iter().enumerate().flat_map(|(index, product)| {
            let count = if index == last { 2 } else { 3 };
            [0, 1, end].into_iter().take(count).map(move |at| (product.read(), at))
        });
        let queries: Vec<(Coefficients<'a, Elements>, i32)> =
            advice.chain(fixed).chain([(random, 0)]).chain(images).chain(products).collect();
        let values: Vec<Fr> =
            queries.par_iter().map(|(poly, at)| poly.evaluate(self.transform.rotate(x, *at))).collect();
        values.iter().try_for_each(|value| transcript.write_scalar(*value))?;
        // In the order in which the verifier opens them: advice, products, fixed columns, copies, quotient, random.
        let fixed_at = cs.advice_queries().len();
        let random_at = fixed_at + cs.fixed_queries().len();
        let images_at = random_at + 1;
        let products_at = images_at + pk.permutation().polys().len();
        let mut opened: Vec<Opened<'a>> = Vec::new();
        let order =
            (0..fixed_at).chain(products_at..queries.len()).chain(fixed_at..random_at).chain(images_at..products_at);
        for index in order {
            let ((coefficients, at), value) = (queries[index], values[index]);
            match opened.iter_mut().find(|opened| opened.coefficients.is(&coefficients)) {
                Some(opened) => opened.values.push((at, value)),
                None => opened.push(Opened { coefficients, values: vec![(at, value)] }),
            }
        }
        opened.push(Opened { coefficients: quotient, values: vec![(0, quotient.evaluate(x))] });
        opened.push(Opened { coefficients: random, values: vec![(0, values[random_at])] });
        Ok(opened)
    }
}

/// The points of a reference string. The library hands out its Lagrange basis in no other way.
fn points(params: &ParamsKZG<Bn256>) -> (Vec<G1Affine>, Vec<G1Affine>) {
    let mut bytes = Vec::new();
    params.write_custom(&mut bytes, SerdeFormat::RawBytesUnchecked).expect("memory can be written to");
    let size = 2 * size_of::<Fr>();
    let points = |skipped: usize| -> Vec<G1Affine> {
        let encoded = bytes[4..].chunks_exact(size).skip(skipped << params.k()).take(1 << params.k());
        encoded.map(G1Affine::from_raw_bytes_unchecked).collect()
    };
    (points(0), points(1))
}

/// Commits to columns of field elements.
fn commit(
    columns: &[Vec<Fr>],
    points: &Points<Coordinates>,
    multiples: Option<&Multiples<Coordinates>>,
) -> Vec<G1Affine> {
    let sum = |column: &Vec<Fr>| match multiples {
        Some(multiples) => multiples.sum(column),
        None => msm::large::<Coordinates>(column, points),
    };
    affine(&columns.par_iter().map(sum).collect::<Vec<G1>>())
}

fn affine(points: &[G1]) -> Vec<G1Affine> {
    let mut affine = vec![G1Affine::identity(); points.len()];
    G1::batch_normalize(points, &mut affine);
    affine
}

/// Values with zeros up to a number of rows.
fn padded(values: &[Fr], rows: usize) -> Vec<Fr> {
    let mut column = values.to_vec();
    column.resize(rows, Fr::ZERO);
    column
}

fn squeeze(transcript: &mut Writer) -> Fr {
    *transcript.squeeze_challenge_scalar::<()>()
}
