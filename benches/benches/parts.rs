//! The parts of a proof, each alone: commitment, opening, lookups, products with dense and convolutional weights; and whole models.
#![allow(missing_docs)] // the macro's function
use std::collections::BTreeMap;
use std::hint::black_box;

use assay_benches::measure::{Ready, ready};
use assay_benches::subject::Subject;
use assay_prover::sumcheck::channel::Channel;
use assay_prover::sumcheck::contraction::{self, Sources};
use assay_prover::sumcheck::lookup::{self, Fractions};
use assay_prover::sumcheck::pcs::Committed;
use assay_verifier::circuit::Limits;
use assay_verifier::field::{EF, F};
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::sumcheck::ExpressionTerms;
use assay_verifier::sumcheck::leaves::{Challenges, Leaves};
use assay_verifier::sumcheck::lookup::LeafClaim;
use assay_verifier::sumcheck::pcs::{ColumnOpening, Purpose, StackShape};
use assay_verifier::transcript::Transcript;
use assay_verifier::verify;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use p3_field::PrimeCharacteristicRing;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn commitment(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("commitment");
    group.sample_size(10);
    for variables in [12, 14, 16, 18] {
        let shape = StackShape { purpose: Purpose::Witness, columns: vec![variables] };
        let fill = |_: usize, cells: &mut [F]| {
            cells.iter_mut().enumerate().for_each(|(index, cell)| *cell = F::from_usize(index * 7919 % 65_536));
        };
        group.bench_function(BenchmarkId::new("commit", variables), |bencher| {
            bencher.iter(|| Committed::new(shape.clone(), fill).unwrap().root());
        });
        let committed = Committed::new(shape.clone(), fill).unwrap();
        let mut transcript = Transcript::new("bench");
        let point = transcript.sample_point(variables);
        let claim = ColumnOpening { column: 0, point, value: EF::ZERO };
        group.bench_function(BenchmarkId::new("open", variables), |bencher| {
            bencher.iter(|| black_box(committed.open(std::slice::from_ref(&claim), &mut transcript.clone()).unwrap()));
        });
    }
    group.finish();
}

fn lookups(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lookups");
    group.sample_size(10);
    for variables in [12usize, 15, 18] {
        let leaves = 1usize << variables;
        let fractions = Fractions {
            numerators: vec![EF::ONE; leaves],
            denominators: (0..leaves).map(|index| EF::from_usize(index + 1)).collect(),
        };
        group.bench_function(BenchmarkId::new("leaves", variables), |bencher| {
            bencher.iter(|| {
                let mut transcript = Transcript::new("bench");
                lookup::prove(&mut Channel::new(&mut transcript), fractions.clone(), variables)
            });
        });
    }
    group.finish();
}

/// Products with weights at a random point: dense layers have one row, convolutions one for each pixel.
fn contractions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("contractions");
    group.sample_size(10);
    for (kind, name) in [("dense", "mlp-4m"), ("convolution", "cnn-264k")] {
        let Ready { prover, inputs, .. } = ready(&Subject::named(name).unwrap()).unwrap();
        let evaluation = prover.evaluate(&inputs).unwrap();
        let (checked, layout) = (prover.key().circuit(), prover.key().layout());
        let mut transcript = Transcript::new("bench");
        let point = transcript.sample_point(layout.leaf_variables);
        let claim = LeafClaim { point, numerator: EF::ZERO, denominator: EF::ZERO };
        let [alpha, beta, eta] = [transcript.sample(), transcript.sample(), transcript.sample()];
        let leaves = Leaves::new(checked, layout, &claim, Challenges { alpha, beta, eta });
        // Neither model chooses rows of tables.
        let selections = BTreeMap::new();
        let mut instances = ExpressionTerms::new(checked, &selections, &leaves.expressions).instances;
        instances.retain(|instance| (instance.rows.len() == 1) == (kind == "dense"));
        let sources = Sources { checked, weights: prover.weights(), nodes: &evaluation.nodes };
        group.bench_function(BenchmarkId::new(kind, name), |bencher| {
            bencher.iter(|| contraction::prove(&mut Channel::new(&mut transcript.clone()), sources, &instances).0);
        });
    }
    group.finish();
}

fn whole_models(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("models");
    group.sample_size(10);
    for name in ["digits_mlp", "digits_cnn", "chargpt", "cnn-264k", "mlp-4m"] {
        let Ready { prover, inputs, .. } = ready(&Subject::named(name).unwrap()).unwrap();
        group.bench_function(BenchmarkId::new("evaluate", name), |bencher| {
            bencher.iter(|| prover.evaluate(&inputs).unwrap());
        });
        let evaluation = prover.evaluate(&inputs).unwrap();
        group.bench_function(BenchmarkId::new("prove", name), |bencher| {
            bencher.iter(|| prover.prove_evaluation(&inputs, &evaluation, &[]).unwrap());
        });
        let key = Key::from(prover.prove_range().unwrap());
        let key = CheckedKey::new(&key, &Limits::default()).unwrap();
        let proof = prover.prove(&inputs, &[]).unwrap();
        group.bench_function(BenchmarkId::new("verify", name), |bencher| {
            bencher.iter(|| verify(&key, &proof).unwrap());
        });
    }
    group.finish();
}

criterion_group!(parts, commitment, lookups, contractions, whole_models);
criterion_main!(parts);
