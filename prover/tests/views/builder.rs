//! Random circuits with random views.
use assay_verifier::circuit::{AxisMap, CheckedCircuit, Circuit, Expr, Indices, Limits, Node, Op, Port};
use assay_verifier::circuit::{Range, Table, Term, View, Weight};

use crate::common::Numbers;

/// What a circuit may be made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Without {
    pub weights: bool,
    pub rescale: bool,
    pub lookups: bool,
}

/// Builds a circuit node by node.
pub struct Builder {
    numbers: Numbers,
    without: Without,
    circuit: Circuit,
}

impl Builder {
    pub fn new(seed: u64, without: Without) -> Self {
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
        let mut map = AxisMap::affine(self.between(-1, 3), coefficients);
        if self.below(6) == 0 {
            map.table = (0..1 + self.below(6)).map(|_| self.below(5) as u32).collect();
        }
        map
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

    /// A product of two views with the same axes, each of which leaves some of them alone.
    fn product(&mut self, [rows, inner]: [u32; 2]) -> Term {
        let mut axes = self.factors(rows);
        let whole = self.below(2) == 0;
        axes.extend(if whole { vec![inner] } else { self.factors(inner) });
        let taps = 1 + self.below(4) as u32;
        let mut sum = if self.below(2) == 0 { self.factors(taps) } else { Vec::new() };
        let sources = [self.source(), self.source()];
        let narrowest = sources.map(|source| self.circuit.nodes[source].inner).into_iter().min().unwrap_or(1);
        let channels = 1 + self.below(narrowest.into()) as u32;
        sum.extend((self.below(2) == 0).then_some(channels));
        let lengths: Vec<u32> = axes.iter().chain(&sum).copied().collect();
        let [left, right] = sources.map(|source| {
            let Node { rows, inner: source_inner, .. } = self.circuit.nodes[source];
            // The axis that runs along the source's inner one, if any.
            let output = (whole && inner <= source_inner).then_some(axes.len() - 1);
            let channel = (!sum.is_empty() && sum[sum.len() - 1] <= source_inner).then_some(lengths.len() - 1);
            let passing = [None, output, channel][self.below(3) as usize];
            let mut unused: Vec<usize> = (0..axes.len()).filter(|_| self.below(2) == 0).collect();
            unused.extend(passing);
            let mut dims = self.factors(if passing.is_some() { rows } else { rows * source_inner });
            let mut maps: Vec<AxisMap> = (0..dims.len()).map(|_| self.map(&lengths, &unused)).collect();
            if let Some(axis) = passing {
                dims.push(source_inner);
                let offset = self.below((source_inner - lengths[axis] + 1).into()) as i64;
                maps.push(AxisMap::affine(offset, (0..lengths.len()).map(|other| i64::from(other == axis)).collect()));
            }
            View { source: source as u32, axes: axes.clone(), sum: sum.clone(), dims, maps }
        });
        Term::Product { coefficient: self.coefficient(), left, right }
    }

    /// A row of a weight for each row, by the description or by an input.
    fn selection(&mut self, [rows, inner]: [u32; 2]) -> Term {
        let outputs = 1 + self.below(9) as u32;
        let bits = 2 + self.below(4) as u8;
        self.circuit.weights.push(Weight { outputs, taps: 1, channels: inner, bits });
        let fits = |node: &Node| match node.op {
            Op::Input(Range { low, high }) => low >= 0 && high < outputs.into() && node.rows * node.inner == rows,
            _ => false,
        };
        let indices = match self.circuit.nodes.iter().position(fits) {
            Some(input) => Indices::Input(input as u32),
            None => Indices::Constant((0..rows).map(|_| self.below(outputs.into()) as u32).collect()),
        };
        Term::Select { coefficient: self.coefficient(), weight: self.circuit.weights.len() as u32 - 1, indices }
    }

    /// A rescaled tensor of positive values, of the given shape or one for each row.
    fn positive(&mut self, [rows, inner]: [u32; 2]) -> View {
        let inner_own = if self.below(2) == 0 { 1 } else { inner };
        let term = self.term([rows, inner_own]);
        let bits = 1 + self.below(7) as u8;
        let expr = Expr { constant: self.between(0, 9), terms: vec![term] };
        let (shift, low) = (self.below(4) as u8, self.between(1, 3));
        self.push([rows, inner_own], Op::Rescale { expr, shift, low, bits });
        let mut view = View::identity(self.circuit.nodes.len() as u32 - 1, rows, inner);
        if inner_own == 1 {
            view.dims[1] = 1;
            view.maps[1] = AxisMap::affine(0, vec![0, 0]);
        }
        view
    }

    fn quotient(&mut self, shape: [u32; 2]) {
        let denominator = self.positive(shape);
        let terms = (0..1 + self.below(3)).map(|_| self.term(shape)).collect();
        let numerator = Expr { constant: self.between(-99, 99), terms };
        self.push(shape, Op::Quotient { numerator, denominator });
    }

    fn root(&mut self, shape: [u32; 2]) {
        let view = self.positive(shape);
        let terms = vec![Term::Linear { coefficient: self.between(1, 9), view: view.clone() }];
        let mut expr = Expr { constant: self.between(0, 9), terms };
        if self.below(2) == 0 {
            expr.terms.push(Term::Product { coefficient: 1, left: view.clone(), right: view });
        }
        self.push(shape, Op::Root(expr));
    }

    fn maximum(&mut self) {
        let source = self.source();
        let Node { rows, inner, .. } = self.circuit.nodes[source];
        let windows: Vec<u32> = (1..=rows).filter(|window| rows.is_multiple_of(*window)).collect();
        let window = windows[self.below(windows.len() as u64) as usize];
        let inner = if self.below(2) == 0 { 1 } else { inner };
        self.push([rows / window, inner], Op::Max { source: source as u32 });
    }

    fn term(&mut self, shape: [u32; 2]) -> Term {
        let kind = self.below(if self.without.weights { 2 } else { 6 });
        match kind {
            0 => self.linear(shape),
            1 => self.product(shape),
            5 => self.selection(shape),
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
        match self.below(8) {
            5 if !self.without.rescale => self.quotient(shape),
            6 if !self.without.rescale => self.root(shape),
            7 if !self.without.rescale => self.maximum(),
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

    /// The circuit.
    pub fn finish(mut self) -> Circuit {
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
