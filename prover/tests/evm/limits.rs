//! Keys that there is no contract for, and proofs that there is no call for.
use std::str::FromStr;

use assay_prover::halo2::evm::{Call, Contract, EvmError, Hidden, Port, Public};
use assay_verifier::halo2::curve::{Bn256, Fr, G1Affine, Point};
use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner};
use halo2_proofs::plonk::{Circuit, ConstraintSystem, Error, VerifyingKey, keygen_vk};
use halo2_proofs::poly::Rotation;
use halo2_proofs::poly::commitment::ParamsProver;
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use revm::primitives::keccak256;

use super::sample::{CONTEXT, KEY};
use super::statement::Proven;
use super::{Case, HIDING, USUAL};

/// What a circuit has that a contract cannot have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Excess {
    #[default]
    Nothing,
    Lookup,
    InstanceColumns,
    InstanceRotation,
    Constraints,
    Nesting,
}

#[derive(Clone)]
struct Excessive(Excess);

impl Circuit<Fr> for Excessive {
    type Config = ();
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Excess;

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn params(&self) -> Excess {
        self.0
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) {
        Self::configure_with_params(meta, Excess::default());
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, excess: Excess) {
        let [a, b] = std::array::from_fn(|_| meta.advice_column());
        let instance = meta.instance_column();
        let rotation = if excess == Excess::InstanceRotation { Rotation::next() } else { Rotation::cur() };
        meta.create_gate("gate", |meta| vec![a.cur() * b.next() - meta.query_instance(instance, rotation)]);
        match excess {
            Excess::Lookup => {
                let table = meta.lookup_table_column();
                meta.lookup("lookup", |_| vec![(a.cur(), table)]);
            }
            Excess::InstanceColumns => {
                meta.instance_column();
            }
            Excess::Constraints => meta.create_gate("many", |_| {
                (0..2_000_u64).map(|index| a.cur() * b.cur() - a.cur() * Fr::from(index)).collect::<Vec<_>>()
            }),
            Excess::Nesting => meta.create_gate("chain", |_| {
                let chain = (0..1_500_u64).fold(b.cur(), |sum, index| a.cur() + sum * Fr::from(index + 2));
                vec![chain]
            }),
            Excess::Nothing | Excess::InstanceRotation => {}
        }
    }

    fn synthesize(&self, (): (), _: impl Layouter<Fr>) -> Result<(), Error> {
        Ok(())
    }
}

fn contract(excess: Excess, instances: usize) -> Result<Contract, EvmError> {
    hiding(excess, instances, &Hidden::default())
}

fn hiding(excess: Excess, instances: usize, hidden: &Hidden) -> Result<Contract, EvmError> {
    let params = ParamsKZG::<Bn256>::setup(6, ChaCha20Rng::seed_from_u64(1));
    let key: VerifyingKey<G1Affine> = keygen_vk(&params, &Excessive(excess)).unwrap();
    let opening = assay_prover::halo2::evm::OpeningKey { g1: params.get_g()[0], g2: params.g2(), s_g2: params.s_g2() };

    let port = Port { name: "values".to_owned(), values: instances, range: None };
    let columns = if excess == Excess::InstanceColumns { vec![instances - 2, 2] } else { vec![instances] };
    Contract::new(&key, &opening, hidden, &Public { columns, ports: vec![port] }, KEY)
}

#[test]
fn keys_outside_the_limits_are_refused() {
    assert!(contract(Excess::Nothing, 5).is_ok());
    assert_eq!(contract(Excess::Lookup, 5).unwrap_err(), EvmError::Lookups);
    assert!(contract(Excess::InstanceColumns, 5).is_ok());
    assert_eq!(contract(Excess::InstanceRotation, 5).unwrap_err(), EvmError::InstanceRotation { rotation: 1 });
    assert!(matches!(contract(Excess::Constraints, 5).unwrap_err(), EvmError::CodeSize { size } if size > 24_576));
    assert!(contract(Excess::Nothing, 58).is_ok());
    assert_eq!(contract(Excess::Nothing, 59).unwrap_err(), EvmError::InstanceRows { instances: 59, usable: 58 });
}

#[test]
fn hidden_columns_must_be_the_first_ones() {
    let point = G1Affine::generator();
    let hidden =
        |weights, blinding| Hidden { weights: vec![point; weights], inputs: 1, blinding: vec![point; blinding] };
    assert!(hiding(Excess::Nothing, 5, &hidden(1, 6)).is_ok());
    assert_eq!(hiding(Excess::Nothing, 5, &hidden(1, 5)).unwrap_err(), EvmError::Key);
    assert_eq!(hiding(Excess::Nothing, 5, &hidden(2, 6)).unwrap_err(), EvmError::Key);
    let nothing = Hidden { inputs: 0, ..hidden(0, 6) };
    assert_eq!(hiding(Excess::Nothing, 5, &nothing).unwrap_err(), EvmError::Key);
}

#[test]
fn long_chains_stay_flat_on_the_stack() {
    assert!(contract(Excess::Nesting, 5).is_ok());
}

#[test]
fn proofs_of_another_shape_have_no_call() {
    let case = Case::new(HIDING);
    let Proven { proof, instances, inputs, .. } = &case.proven;
    let size = proof.len();
    let call_with = |proof: &[u8], instances: &[Fr], inputs: &[Point]| {
        case.contract.calldata(&Call { context: &CONTEXT, inputs, instances, proof }).unwrap_err()
    };
    let call = |proof: &[u8], instances: &[Fr]| call_with(proof, instances, inputs);
    assert_eq!(call_with(proof, instances, &[]), EvmError::Inputs { inputs: 0, expected: 1 });
    assert_eq!(call_with(proof, instances, &[Point([0xff; 32])]), EvmError::InputCommitment { index: 0 });
    assert_eq!(call(&proof[1..], instances), EvmError::ProofSize { size: size - 1, expected: size });
    let longer = [&proof[..], &[0; 32]].concat();
    assert_eq!(call(&longer, instances), EvmError::ProofSize { size: size + 32, expected: size });
    assert_eq!(call(proof, &[]), EvmError::Instances { instances: 0, expected: instances.len() });
    for index in 0..size / 32 {
        let mut tampered = proof.clone();
        tampered[32 * index..32 * index + 32].copy_from_slice(&[0xff; 32]);
        assert_eq!(call(&tampered, instances), EvmError::ProofMessage { index });
    }
}

#[test]
fn files_say_what_the_contract_is() {
    let case = Case::new(USUAL);
    let files = case.contract.files();
    let names: Vec<&str> = files.iter().map(|file| file.name).collect();
    assert_eq!(names, ["verifier.bin", "verifier.bin-runtime", "Verifier.sol", "README.txt"]);
    let bytes = |text: &str| revm::primitives::Bytes::from_str(text.trim()).unwrap();
    assert_eq!(bytes(&files[0].text), case.contract.creation());
    assert_eq!(bytes(&files[1].text), *case.contract.code());
    assert_eq!(bytes(&Contract::calldata_file(&case.data).text), case.data);
    for file in &files[2..] {
        assert!(!file.text.contains("{{"), "{}: a value is missing", file.name);
        assert!(file.text.contains(&keccak256(case.contract.code()).to_string()[2..]));
    }
    let proof = case.data.len() - 32 * (1 + case.proven.instances.len());
    assert!(files[2].text.contains(&format!("PROOF_BYTES = {proof};")));
    assert!(files[2].text.contains(&format!("PUBLIC_VALUES = {};", case.proven.instances.len())));
}
