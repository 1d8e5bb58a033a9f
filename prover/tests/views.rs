//! Random small circuits with random views: honest proofs verify, whatever combination of relations, shapes and index maps.
//!
//! Evaluation in plain integers is the specification; prover and verifier each have a faster way for views whose inner axis
//! passes, for grouped and dense contractions, for claims on known tensors. Here they meet on shapes nobody would write: axes
//! of length one, single rows, inner lengths that are no power of two, strides of either sign, places outside the source,
//! reshapes, products of different tensors, chains of affine nodes, outputs that are inputs.
#[allow(dead_code)] // not everything that tests share is needed here
mod common;

use assay_prover::sumcheck::{ProveError, Prover};
use assay_verifier::circuit::{AxisMap, CheckedCircuit, Circuit, Expr, Limits, Node, Op, Pass, Port};
use assay_verifier::circuit::{Range, Table, Term, View, Weight};
use assay_verifier::key::{CheckedKey, KeyError};
use assay_verifier::statement::Statement;
use assay_verifier::sumcheck::verify;
use common::{Numbers, inputs_of, weights_of};
use proptest::prelude::*;

/// What a circuit may be made of.
#[derive(Clone, Copy, Debug, Default)]
struct Without {
    weights: bool,
    rescale: bool,
    lookups: bool,
}

/// Builds a circuit node by node.
struct Builder {
    numbers: Numbers,
    without: Without,
    circuit: Circuit,
}

impl Builder {
    fn new(seed: u64, without: Without) -> Self {
        let mut numbers = Numbers(seed);
        let _ = (numbers.below(2), numbers.below(2), numbers.below(2), numbers.below(2));
        let limb_bits = 4 + numbers.below(7) as u8;
        let circuit = Circuit {
            limb_bits,
            weights: Vec::new(),
            tables: Vec::new(),
            nodes: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        Self { numbers, without, circuit }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.numbers.below(bound)
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    fn shape(&mut self) -> [u32; 2] {
        let mut axis = || if self.numbers.below(4) == 0 { 1 } else { 1 + self.numbers.below(7) as u32 };
        [axis(), axis()]
    }

    /// Axes of a given product, in a random order.
    fn factors(&mut self, product: u32) -> Vec<u32> {
        let mut rest = product;
        let mut axes = Vec::new();
        while rest > 1 && axes.len() < 3 {
            let divisors: Vec<u32> = (2..=rest).filter(|divisor| rest.is_multiple_of(*divisor)).collect();
            let axis = divisors[self.below(divisors.len() as u64) as usize];
            axes.push(axis);
            rest /= axis;
        }
        axes.push(rest);
        if self.below(3) == 0 {
            axes.push(1);
        }
        let at = self.below(axes.len() as u64) as usize;
        axes.rotate_left(at);
        axes
    }

    /// A map that reads mostly inside an axis of the source.
    fn map(&mut self, lengths: &[u32], unused: &[usize]) -> AxisMap {
        let coefficients = (0..lengths.len()).map(|axis| {
            let dense = self.below(3) == 0;
            if unused.contains(&axis) || !dense { 0 } else { self.between(-2, 2) }
        });
        let coefficients: Vec<i64> = coefficients.collect();
        AxisMap::affine(self.between(-1, 3), coefficients)
    }

    /// A view of a node on a source; `inner_free` leaves the result's inner axes alone.
    fn view(&mut self, [rows, inner]: [u32; 2], source: usize, sums: bool, inner_free: bool) -> View {
        let Node { rows: source_rows, inner: source_inner, .. } = self.circuit.nodes[source];
        let kind = self.below(4);
        let row_axes = self.factors(rows);
        if kind == 0 && rows * inner == source_rows * source_inner && !sums {
            // A reshape, or the same shape.
            let axes = if self.below(2) == 0 { vec![rows, inner] } else { vec![rows * inner] };
            if axes.len() == 2 || inner == rows * inner {
                let dims = if axes.len() == 2 { vec![rows, inner] } else { vec![rows * inner] };
                let one_hot = |axis: usize| (0..dims.len()).map(|other| i64::from(other == axis)).collect();
                let maps = (0..dims.len()).map(|axis| AxisMap::affine(0, one_hot(axis))).collect();
                return View { source: source as u32, axes, sum: Vec::new(), dims: dims.clone(), maps };
            }
        }
        let output = kind == 1 && source_inner >= inner && !inner_free;
        let channel = kind == 2 && sums;
        let mut axes = row_axes;
        if output {
            axes.push(inner);
        } else {
            axes.extend(self.factors(inner));
        }
        let mut sum = Vec::new();
        if sums {
            let taps = 1 + self.below(4) as u32;
            sum = self.factors(taps);
        }
        let mut last_offset = 0;
        if channel {
            let channels = 1 + self.below(source_inner.into()) as u32;
            last_offset = self.below((source_inner - channels + 1).into()) as i64;
            sum.push(channels);
        } else if output {
            last_offset = self.below((source_inner - inner + 1).into()) as i64;
        }
        let lengths: Vec<u32> = axes.iter().chain(&sum).copied().collect();
        // The axes after the rows' are the inner ones: those that multiply to `inner` from the end.
        let mut unused: Vec<usize> = Vec::new();
        if inner_free {
            let mut product = 1;
            for axis in (0..axes.len()).rev() {
                if product == inner {
                    break;
                }
                product *= axes[axis];
                unused.push(axis);
            }
        }
        let passing = if output { Some(axes.len() - 1) } else { channel.then(|| lengths.len() - 1) };
        let mut dims = if passing.is_some() { self.factors(source_rows) } else { Vec::new() };
        if passing.is_none() {
            dims = self.factors(source_rows * source_inner);
        }
        unused.extend(passing);
        let mut maps: Vec<AxisMap> = (0..dims.len()).map(|_| self.map(&lengths, &unused)).collect();
        if let Some(axis) = passing {
            dims.push(source_inner);
            let coefficients = (0..lengths.len()).map(|other| i64::from(other == axis)).collect();
            maps.push(AxisMap::affine(last_offset, coefficients));
        }
        View { source: source as u32, axes, sum, dims, maps }
    }

    fn source(&mut self) -> usize {
        let nodes = self.circuit.nodes.len() as u64;
        self.below(nodes) as usize
    }

    fn coefficient(&mut self) -> i64 {
        self.between(-3, 3)
    }

    fn weight(&mut self, outputs: u32, summed: u32) -> u32 {
        let same = |spec: &Weight| spec.outputs == outputs && spec.taps * spec.channels == summed;
        if let Some(found) = self.circuit.weights.iter().position(same)
            && self.below(2) == 0
        {
            return found as u32;
        }
        let divisors: Vec<u32> = (1..=summed).filter(|taps| summed.is_multiple_of(*taps)).collect();
        let taps = divisors[self.below(divisors.len() as u64) as usize];
        let bits = 2 + self.below(4) as u8;
        self.circuit.weights.push(Weight { outputs, taps, channels: summed / taps, bits });
        self.circuit.weights.len() as u32 - 1
    }

    fn linear(&mut self, shape: [u32; 2]) -> Term {
        let source = self.source();
        let sums = self.below(2) == 0;
        let inner_free = self.below(4) == 0;
        Term::Linear { coefficient: self.coefficient(), view: self.view(shape, source, sums, inner_free) }
    }

    fn term(&mut self, shape: [u32; 2]) -> Term {
        let kind = self.below(if self.without.weights { 2 } else { 5 });
        match kind {
            0 => self.linear(shape),
            1 => {
                let (left, right) = (self.source(), self.source());
                let free = self.below(4) == 0;
                let left = self.view(shape, left, false, free);
                let right = self.view(shape, right, false, false);
                Term::Product { coefficient: self.coefficient(), left, right }
            }
            2 => Term::Bias { coefficient: self.coefficient(), weight: self.weight(shape[1], 1) },
            _ => {
                let source = self.source();
                let inner_free = self.below(3) > 0;
                let view = self.view(shape, source, true, inner_free);
                let weight = self.weight(shape[1], view.sum_len() as u32);
                Term::Contract { coefficient: self.coefficient(), weight, view }
            }
        }
    }

    fn push(&mut self, [rows, inner]: [u32; 2], op: Op) {
        self.circuit.nodes.push(Node { rows, inner, op });
    }

    fn push_input(&mut self) {
        let shape = self.shape();
        let low = self.between(-9, 1);
        let high = low + self.below(12) as i64;
        let node = self.circuit.nodes.len() as u32;
        self.push(shape, Op::Input(Range { low, high }));
        let input = self.port(node, format!("input {node}"));
        self.circuit.inputs.push(input);
    }

    fn port(&mut self, node: u32, name: String) -> Port {
        let Node { rows, inner, .. } = self.circuit.nodes[node as usize];
        let (dims, order) = match self.below(3) {
            0 => (vec![rows, inner], vec![0, 1]),
            1 => (vec![inner, rows], vec![1, 0]),
            _ => (vec![1, rows * inner], vec![1, 0]),
        };
        Port { name, node, dims, order, scale: 0 }
    }

    /// Adds a node if it makes a circuit with the rest.
    fn try_push_node(&mut self) {
        let before = self.circuit.clone();
        let shape = self.shape();
        let constant = self.between(-5, 5);
        match self.below(4) {
            0 if !self.without.lookups => {
                let source = self.source();
                let Node { rows, inner, .. } = self.circuit.nodes[source];
                let low = self.between(-40, -30);
                let values = (0..64).map(|_| self.between(-20, 20) as i32).collect();
                if self.circuit.tables.is_empty() || self.below(2) == 0 {
                    self.circuit.tables.push(Table { low, values });
                }
                let table = self.circuit.tables.len() as u32 - 1;
                self.push([rows, inner], Op::Lookup { source: source as u32, table });
            }
            1 => {
                let terms = (0..1 + self.below(3)).map(|_| self.linear(shape)).collect();
                self.push(shape, Op::Affine(Expr { constant, terms }));
            }
            _ if !self.without.rescale => {
                let terms = (0..1 + self.below(3)).map(|_| self.term(shape)).collect();
                let (shift, bits) = (self.below(8) as u8, 1 + self.below(6) as u8);
                let low = self.between(-(1 << (bits - 1)) - 2, 2);
                self.push(shape, Op::Rescale { expr: Expr { constant, terms }, shift, low, bits });
            }
            _ => {}
        }
        let node = self.circuit.nodes.len() as u32 - 1;
        let mut trial = self.circuit.clone();
        trial.outputs = vec![self.port(node, "trial".into())];
        if CheckedCircuit::new(trial, &Limits::default()).is_err() {
            self.circuit = before;
        }
    }

    fn finish(mut self) -> Circuit {
        for _ in 0..1 + self.below(2) {
            self.push_input();
        }
        for _ in 0..12 {
            self.try_push_node();
        }
        let last = self.circuit.nodes.len() as u32 - 1;
        let any = self.source() as u32;
        for (index, node) in [last, any, 0].into_iter().enumerate() {
            let output = self.port(node, format!("output {index}"));
            self.circuit.outputs.push(output);
        }
        self.circuit
    }
}

/// Proves and verifies a random circuit, and checks that a changed output is refused.
fn check(seed: u64, without: Without) -> Result<(), TestCaseError> {
    let circuit = Builder::new(seed, without).finish();
    let mut numbers = Numbers(seed ^ 77);
    let weights = weights_of(&circuit, &mut numbers);
    let inputs = inputs_of(&circuit, &mut numbers);
    let prover = Prover::new(circuit.clone(), weights).map_err(|error| TestCaseError::fail(format!("{error}")))?;
    let key = prover.prove_range().unwrap();
    let key = CheckedKey::new(&key, &Limits::default()).map_err(|error| TestCaseError::fail(format!("{error}")))?;
    let proof = prover.prove(&inputs, b"").unwrap();
    if let Err(error) = verify(&key, &proof) {
        return Err(TestCaseError::fail(format!("{error}: {circuit:#?}")));
    }
    // The same with one output changed, within its range.
    let mut numbers = Numbers(seed ^ 99);
    let port = numbers.below(proof.statement.outputs.len() as u64) as usize;
    let range = key.circuit().range(circuit.outputs[port].node).unwrap();
    let mut outputs = proof.statement.outputs.clone();
    let cell = numbers.below(outputs[port].len() as u64) as usize;
    let value = &mut outputs[port][cell];
    if range.low < range.high {
        *value = if *value < range.high { *value + 1 } else { range.low };
        let evaluation = prover.evaluate(&inputs).unwrap();
        let witness = assay_prover::witness::Witness::new(key.circuit(), key.layout(), &evaluation);
        let statement = Statement { outputs, ..proof.statement.clone() };
        let proof = prover.argue(statement, &witness, &evaluation).unwrap();
        prop_assert!(verify(&key, &proof).is_err(), "a changed output verifies: {circuit:#?}");
    }
    Ok(())
}

/// `PROPTEST_CASES` asks for more than the tests of every day.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 96 };
    // A seed is not worth shrinking.
    ProptestConfig { cases, max_shrink_iters: 0, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_circuits_prove(seed: u64) {
        check(seed, Without::default())?;
    }

    #[test]
    fn random_circuits_without_something_prove(seed: u64, weights: bool, rescale: bool, lookups: bool) {
        check(seed, Without { weights, rescale, lookups })?;
    }
}

/// The random circuits have views of every kind.
#[test]
fn all_kinds_of_views_occur() {
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for seed in 0..400 {
        let circuit = Builder::new(seed, Without::default()).finish();
        let checked = CheckedCircuit::new(circuit.clone(), &Limits::default()).unwrap();
        for (id, node) in circuit.nodes.iter().enumerate() {
            let Some(expr) = node.op.expr() else { continue };
            for (index, term) in expr.terms.iter().enumerate() {
                let kind = match term {
                    Term::Linear { .. } => "linear",
                    Term::Contract { .. } => "contract",
                    Term::Bias { .. } => "bias",
                    Term::Product { .. } => "product",
                    Term::Select { .. } => "select",
                };
                for gather in checked.expressions(id)[0].gathers(index) {
                    let pass = match gather.pass {
                        Pass::None => "none",
                        Pass::Output { .. } => "output",
                        Pass::Channel { .. } => "channel",
                    };
                    let inner = if gather.inner == 1 { "free" } else { "used" };
                    *seen.entry(format!("{kind}, {pass}, inner {inner}")).or_default() += 1;
                }
            }
        }
    }
    let expected = [
        "linear, none, inner free",
        "linear, none, inner used",
        "linear, output, inner free",
        "linear, channel, inner free",
        "linear, channel, inner used",
        "contract, none, inner free",
        "contract, none, inner used",
        "contract, output, inner free",
        "contract, channel, inner free",
        "contract, channel, inner used",
        "product, none, inner free",
        "product, none, inner used",
        "product, output, inner free",
    ];
    for kind in expected {
        let count = seen.get(kind).copied().unwrap_or_default();
        assert!(count >= 10, "{kind}: {count} of {seen:#?}");
    }
}

/// A circuit that commits nothing: outputs are inputs, or sums of them.
#[test]
fn nothing_to_commit() {
    for seed in 0..20 {
        check(seed, Without { weights: true, rescale: true, lookups: true }).unwrap();
    }
}

/// Errors are values here too: what is not a circuit has no prover.
#[test]
fn no_prover_without_a_circuit() {
    let mut circuit = Builder::new(3, Without::default()).finish();
    circuit.outputs.clear();
    let weights = weights_of(&circuit, &mut Numbers(1));
    assert!(matches!(Prover::new(circuit, weights), Err(ProveError::Key(KeyError::Circuit(_)))));
}
