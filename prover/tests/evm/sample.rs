//! Circuits of many shapes, their keys and proofs.
//!
//! A row squares along its columns, and the next row starts from where it ended. A second phase holds two Horner sums. Some columns only hold copies, so that the permutation has several products.
use assay_verifier::circuit::Range;
use assay_verifier::halo2::curve::{Bn256, Fr, G1Affine};
use assay_verifier::halo2::field;
use assay_verifier::halo2::transcript::{Reader, Writer};
use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner, Value};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::plonk::{
    Advice, Challenge, Circuit, Column, ConstraintSystem, Error, Expression, FirstPhase, Fixed, Instance, ProvingKey,
    SecondPhase, Selector, create_proof, keygen_pk, keygen_vk, verify_proof,
};
use halo2_proofs::poly::Rotation;
use halo2_proofs::poly::commitment::{Blind, Params, ParamsProver};
use halo2_proofs::poly::kzg::commitment::{KZGCommitmentScheme, ParamsKZG};
use halo2_proofs::poly::kzg::multiopen::{ProverSHPLONK, VerifierSHPLONK};
use halo2_proofs::poly::kzg::strategy::SingleStrategy;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use assay_prover::halo2::evm::{Contract, EvmError, Hidden, OpeningKey, Port, Public};

/// The digest that stands for a key.
pub const KEY: [u8; 32] = [0xa5; 32];
/// The digest that stands for a context.
pub const CONTEXT: [u8; 32] = [0x3c; 32];

/// What varies among the circuits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form {
    /// Columns that square.
    pub squares: usize,
    /// Columns of copies.
    pub copies: usize,
    /// The constraints' degree, at least 3.
    pub degree: usize,
    /// Phases, 1 or 2.
    pub phases: usize,
    /// Public values; without any there is no instance column.
    pub instances: usize,
    /// The most public values in one column.
    pub instance_rows: usize,
    /// Hidden columns that the key commits to, and then such that the statement commits to.
    pub weights: usize,
    pub inputs: usize,
    /// Rows at which a column is read, to no effect.
    pub reads: usize,
    /// Whether a column is never read.
    pub idle: bool,
    /// Whether there are copies at all.
    pub permuted: bool,
}

impl Form {
    /// How many public values are in each instance column.
    pub fn columns(&self) -> Vec<usize> {
        let all: Vec<usize> = (0..self.instances).collect();
        all.chunks(self.instance_rows.max(1)).map(<[usize]>::len).collect()
    }

    /// Rows that the gates are for.
    fn rows(&self) -> usize {
        self.instances.max(20)
    }

    /// The size of the domain, as a power of two: some rows are for blinding.
    fn k(&self) -> u32 {
        (self.rows() + self.reads.max(4) + 6).next_power_of_two().ilog2()
    }
}

/// How a witness deviates from the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviation {
    Square,
    NextRow,
    Power,
    FirstSum,
    SecondSum,
    Copy,
    Public,
}

/// A circuit with its witness.
#[derive(Clone, Debug)]
pub struct Sample {
    pub form: Form,
    pub seed: u64,
    pub deviation: Option<Deviation>,
}

#[derive(Clone)]
pub struct Config {
    form: Form,
    squares: Vec<Column<Advice>>,
    copies: Vec<Column<Advice>>,
    power: Column<Advice>,
    sums: Vec<Column<Advice>>,
    idle: Option<Column<Advice>>,
    step: Selector,
    constant: Column<Fixed>,
    challenges: Vec<Challenge>,
    instances: Vec<Column<Instance>>,
}

impl Circuit<Fr> for Sample {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Form;

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn params(&self) -> Form {
        self.form
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> Config {
        Self::configure_with_params(meta, Form::default())
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, form: Form) -> Config {
        let squares: Vec<_> = (0..form.squares).map(|_| meta.advice_column()).collect();
        let idle = form.idle.then(|| meta.advice_column());
        let copies: Vec<_> = (0..form.copies).map(|_| meta.advice_column()).collect();
        let power = meta.advice_column();
        let mut sums = Vec::new();
        let mut challenges = Vec::new();
        if form.phases > 1 {
            challenges.push(meta.challenge_usable_after(FirstPhase));
            challenges.push(meta.challenge_usable_after(FirstPhase));
            sums.push(meta.advice_column_in(SecondPhase));
            sums.push(meta.advice_column_in(SecondPhase));
        }
        let step = meta.selector();
        let constant = meta.fixed_column();
        let instances: Vec<_> = form.columns().iter().map(|_| meta.instance_column()).collect();
        meta.set_minimum_degree(form.degree);
        if form.permuted {
            for column in squares.iter().take(1).chain(&copies) {
                meta.enable_equality(*column);
            }
            meta.enable_equality(constant);
            for instance in &instances {
                meta.enable_equality(*instance);
            }
        }
        let config = Config { form, squares, copies, power, sums, idle, step, constant, challenges, instances };
        config.gates(meta);
        config
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let cells = layouter.assign_region(|| "rows", |mut region| Ok(config.assign(&mut region, self)))?;
        if self.form.permuted {
            for (public, cell) in cells.into_iter().take(self.form.instances).enumerate() {
                let rows = self.form.instance_rows;
                layouter.constrain_instance(cell, config.instances[public / rows], public % rows);
            }
        }
        Ok(())
    }
}

impl Config {
    fn gates(&self, meta: &mut ConstraintSystem<Fr>) {
        let squares: Vec<Expression<Fr>> = self.squares.iter().map(Column::cur).collect();
        let constant = self.constant.cur::<Fr>();
        meta.create_gate("squares", |meta| {
            let step = meta.query_selector(self.step);
            let pairs = squares.windows(2);
            let square =
                |pair: &[Expression<Fr>]| pair[0].clone() * pair[0].clone() + constant.clone() - pair[1].clone();
            pairs.map(|pair| step.clone() * square(pair)).collect::<Vec<_>>()
        });
        meta.create_gate("next row", |meta| {
            let step = meta.query_selector(self.step);
            let last = squares[squares.len() - 1].clone();
            let large = Fr::from(7).invert().unwrap();
            let three = Expression::Constant(Fr::from(3));
            vec![step * (self.squares[0].next() - last * large + three)]
        });
        meta.create_gate("power", |meta| {
            let step = meta.query_selector(self.step);
            let power = vec![squares[0].clone(); self.form.degree - 1].into_iter().reduce(|a, b| a * b).unwrap();
            vec![step * (self.power.cur() - power)]
        });
        if self.form.reads > 0 {
            meta.create_gate("reads", |_| {
                let reads = (0..self.form.reads).map(|index| self.power.rot::<Fr>(index as i32 - 3));
                vec![reads.reduce(|a, b| a + b).unwrap() * Fr::ZERO]
            });
        }
        if let [first, second] = self.sums[..] {
            let [a, b] = [0, 1].map(|index| self.challenges[index].expr());
            meta.create_gate("first sum", |meta| {
                let step = meta.query_selector(self.step);
                vec![step * (first.next() - first.cur() * a.clone() - squares[0].clone() * b)]
            });
            meta.create_gate("second sum", |meta| {
                let step = meta.query_selector(self.step);
                let sum = second.cur() * a + first.prev() * Fr::from(5);
                vec![step * (second.next() - sum + first.rot(2) * -Fr::ONE)]
            });
        }
        if let ([instance, ..], false) = (&self.instances[..], self.form.permuted) {
            meta.create_gate("public", |meta| {
                let [step, instance] =
                    [meta.query_selector(self.step), meta.query_instance(*instance, Rotation::cur())];
                vec![step * instance.clone() * (instance - squares[0].clone())]
            });
        }
    }

    fn assign(
        &self,
        region: &mut halo2_proofs::circuit::Region<'_, Fr>,
        sample: &Sample,
    ) -> Vec<halo2_proofs::circuit::Cell> {
        let off = |which: Deviation| if sample.deviation == Some(which) { Fr::ONE } else { Fr::ZERO };
        let first = sample.first_column();
        let mut cells = Vec::new();
        for (row, start) in first.iter().enumerate() {
            let stepping = (1..first.len() - 2).contains(&row);
            if stepping {
                self.step.enable(region, row).unwrap();
            }
            let fixed = region.assign_fixed(self.constant, row, constant(row));
            let mut value = *start;
            for (index, column) in self.squares.iter().enumerate() {
                let deviation = if row == 3 && index == 1 { off(Deviation::Square) } else { Fr::ZERO };
                let cell = region.assign_advice(*column, row, Value::known(value + deviation)).cell();
                if index == 0 {
                    cells.push(cell);
                }
                value = value.square() + constant(row);
            }
            let power = start.pow_vartime([self.form.degree as u64 - 1]);
            let deviation = if row == 4 { off(Deviation::Power) } else { Fr::ZERO };
            region.assign_advice(self.power, row, Value::known(power + deviation));
            for (index, column) in self.copies.iter().enumerate() {
                let (value, source) = if index % 2 == 0 { (*start, cells[row]) } else { (constant(row), fixed) };
                let deviation =
                    if row == 5 && index + 1 == self.copies.len() { off(Deviation::Copy) } else { Fr::ZERO };
                let cell = region.assign_advice(*column, row, Value::known(value + deviation)).cell();
                if self.form.permuted {
                    region.constrain_equal(cell, source);
                }
            }
            if let Some(idle) = self.idle {
                region.assign_advice(idle, row, Value::known(Fr::from(row as u64)));
            }
        }
        self.assign_sums(region, &first, off);
        cells
    }

    fn assign_sums(
        &self,
        region: &mut halo2_proofs::circuit::Region<'_, Fr>,
        first: &[Fr],
        off: impl Fn(Deviation) -> Fr,
    ) {
        let [a_column, b_column] = self.sums[..] else { return };
        region.next_phase();
        let [a, b] = [0, 1].map(|index| region.get_challenge(self.challenges[index]));
        let mut sums = vec![Value::known(Fr::from(11)); first.len()];
        for row in 1..first.len() {
            sums[row] = sums[row - 1] * a + b * Value::known(first[row - 1]);
        }
        sums[6] = sums[6] + Value::known(off(Deviation::FirstSum));
        for (row, value) in sums.iter().enumerate() {
            region.assign_advice(a_column, row, *value);
        }
        let mut value = Value::known(Fr::from(13));
        for row in 0..first.len() {
            if row >= 2 && row < first.len() - 1 {
                value = value * a + sums[row - 2] * Value::known(Fr::from(5)) + sums[row + 1];
            }
            if row == 7 {
                value = value + Value::known(off(Deviation::SecondSum));
            }
            region.assign_advice(b_column, row, value);
        }
    }
}

fn constant(row: usize) -> Fr {
    Fr::from(3 * row as u64 + 1)
}

impl Sample {
    /// Values of the first column.
    fn first_column(&self) -> Vec<Fr> {
        let mut value = field(self.seed as i64);
        let mut column = Vec::new();
        for row in 0..self.form.rows() {
            column.push(value);
            for _ in 1..self.form.squares {
                value = value.square() + constant(row);
            }
            value = value * Fr::from(7).invert().unwrap() - Fr::from(3);
            if self.deviation == Some(Deviation::NextRow) && row == 8 {
                value += Fr::ONE;
            }
        }
        column
    }

    /// The public values.
    pub fn instances(&self) -> Vec<Fr> {
        let mut instances = self.first_column();
        instances.truncate(self.form.instances);
        if self.deviation == Some(Deviation::Public) {
            instances[1] += Fr::ONE;
        }
        instances
    }
}

/// A key and what proofs for it need.
pub struct Setup {
    pub form: Form,
    params: ParamsKZG<Bn256>,
    pub key: ProvingKey<G1Affine>,
}

impl Setup {
    pub fn new(form: Form) -> Self {
        let params = ParamsKZG::<Bn256>::setup(form.k(), ChaCha20Rng::seed_from_u64(1));
        let circuit = Sample { form, seed: 0, deviation: None };
        let key = keygen_vk(&params, &circuit).unwrap();
        let key = keygen_pk(&params, key, &circuit).unwrap();
        Self { form, params, key }
    }

    pub fn opening(&self) -> OpeningKey {
        OpeningKey { g1: self.params.get_g()[0], g2: self.params.g2(), s_g2: self.params.s_g2() }
    }

    /// The contract for a key with these commitments to weights.
    pub fn contract(&self, weights: &[G1Affine]) -> Result<Contract, EvmError> {
        let hidden = Hidden { weights: weights.to_vec(), inputs: self.form.inputs, blinding: self.blinding() };
        Contract::new(self.key.get_vk(), &self.opening(), &hidden, &self.public(None), KEY)
    }

    /// The public values, the first of them in a range.
    pub fn public(&self, range: Option<Range>) -> Public {
        let port = |values, range| Port { name: "values".to_owned(), values, range };
        match self.form.instances {
            0 => Public::default(),
            instances => {
                Public { columns: self.form.columns(), ports: vec![port(1, range), port(instances - 1, None)] }
            }
        }
    }

    /// Commitments of the blinding rows, if anything is hidden.
    pub fn blinding(&self) -> Vec<G1Affine> {
        let rows = self.params.n() as usize;
        let hides = self.form.weights + self.form.inputs > 0;
        let start = if hides { rows - self.blinding_rows() } else { rows };
        (start..rows).map(|row| self.lagrange(row)).collect()
    }

    /// How many rows are for blinding.
    pub fn blinding_rows(&self) -> usize {
        self.key.get_vk().cs().blinding_factors() + 1
    }

    /// The commitment of a row.
    pub fn lagrange(&self, row: usize) -> G1Affine {
        let domain = self.key.get_vk().get_domain();
        let mut unit = domain.empty_lagrange();
        unit[row] = Fr::ONE;
        self.params.commit_lagrange(&unit, Blind::default()).to_affine()
    }

    /// Writes a proof, without the argument for hidden columns; gives the public values.
    pub fn write(&self, seed: u64, deviation: Option<Deviation>, transcript: &mut Writer) -> Vec<Fr> {
        let circuit = Sample { form: self.form, seed, deviation };
        let instances = circuit.instances();
        let columns: Vec<&[Fr]> = instances.chunks(self.form.instance_rows).collect();
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
            &self.params,
            &self.key,
            &[circuit],
            &[&columns],
            ChaCha20Rng::seed_from_u64(seed),
            transcript,
        )
        .unwrap();
        instances
    }

    /// What the library says of a proof, but for the argument for hidden columns.
    pub fn read(&self, instances: &[Fr], transcript: &mut Reader<'_>) -> bool {
        let columns: Vec<&[Fr]> = instances.chunks(self.form.instance_rows).collect();
        verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
            &self.params,
            self.key.get_vk(),
            SingleStrategy::new(&self.params),
            &[&columns],
            transcript,
        )
        .is_ok()
    }
}
