//! Does the engine prove with parameters of ours, and verify with those that hold no powers?
use assay_verifier::halo2::curve::{Bn256, Fr};
use assay_verifier::halo2::transcript::{Reader, Writer};
use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner, Value};
use halo2_proofs::plonk::{
    Advice, Circuit, Column, ConstraintSystem, Error, Fixed, Instance, create_proof, keygen_pk, keygen_vk, verify_proof,
};
use halo2_proofs::poly::Rotation;
use halo2_proofs::poly::kzg::commitment::{KZGCommitmentScheme, ParamsKZG};
use halo2_proofs::poly::kzg::multiopen::{ProverSHPLONK, VerifierSHPLONK};
use halo2_proofs::poly::kzg::strategy::SingleStrategy;

use crate::support::{rng, string};

/// `x^2 = y` on all rows in use; the first is public.
#[derive(Clone, Default)]
struct Squares;

#[derive(Clone)]
struct Config {
    advice: [Column<Advice>; 2],
    used: Column<Fixed>,
    public: Column<Instance>,
}

impl Circuit<Fr> for Squares {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = ();

    fn without_witnesses(&self) -> Self {
        Self
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> Config {
        let config = Config {
            advice: [meta.advice_column(), meta.advice_column()],
            used: meta.fixed_column(),
            public: meta.instance_column(),
        };
        meta.enable_equality(config.advice[1]);
        meta.enable_equality(config.public);
        meta.create_gate("square", |meta| {
            let [x, y] = config.advice.map(|column| meta.query_advice(column, Rotation::cur()));
            let used = meta.query_fixed(config.used, Rotation::cur());
            vec![used * (x.clone() * x - y)]
        });
        config
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let first = layouter.assign_region(
            || "squares",
            |mut region| {
                let mut rows = Vec::new();
                for row in 0..4u64 {
                    let x = Fr::from(row + 3);
                    region.assign_advice(config.advice[0], row as usize, Value::known(x));
                    rows.push(region.assign_advice(config.advice[1], row as usize, Value::known(x * x)));
                    region.assign_fixed(config.used, row as usize, Fr::one());
                }
                Ok(rows[0].cell())
            },
        )?;
        layouter.constrain_instance(first, config.public, 0);
        Ok(())
    }
}

fn prove(params: &ParamsKZG<Bn256>, public: u64) -> Vec<u8> {
    let key = keygen_pk(params, keygen_vk(params, &Squares).unwrap(), &Squares).unwrap();
    let mut transcript = Writer::new(&[]);
    let instance: &[&[Fr]] = &[&[Fr::from(public)]];
    create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
        params,
        &key,
        &[Squares],
        &[instance],
        rng(5),
        &mut transcript,
    )
    .unwrap();
    transcript.proof()
}

fn verifies(proving: &ParamsKZG<Bn256>, verifying: &ParamsKZG<Bn256>, public: u64, proof: &[u8]) -> bool {
    let key = keygen_vk(proving, &Squares).unwrap();
    let instance: &[&[Fr]] = &[&[Fr::from(public)]];
    let strategy = SingleStrategy::new(verifying);
    verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
        verifying,
        &key,
        strategy,
        &[instance],
        &mut Reader::new(&[], proof),
    )
    .is_ok()
}

#[test]
fn proofs_verify_without_powers() {
    let string = string(6, 41);
    for k in [4, 6] {
        let (proving, verifying) = (string.params(k).unwrap(), string.srs().params(k).unwrap());
        let proof = prove(&proving, 9);
        assert!(verifies(&proving, &verifying, 9, &proof), "k = {k}");
        assert!(!verifies(&proving, &verifying, 16, &proof));
        let mut changed = proof.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(!verifies(&proving, &verifying, 9, &changed));
    }
}

#[test]
fn proofs_are_of_one_string_and_size() {
    let (string, other) = (string(6, 41), string(6, 42));
    let proving = string.params(6).unwrap();
    let proof = prove(&proving, 9);
    assert!(!verifies(&proving, &other.srs().params(6).unwrap(), 9, &proof));
    assert!(!verifies(&proving, &string.srs().params(5).unwrap(), 9, &proof));
}
