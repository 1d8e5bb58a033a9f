//! Columns of the first phase: all of them small integers, which commit fast.
use assay_circuits::eval::{Evaluation, Weights};
use assay_verifier::circuit::{CheckedCircuit, Op};
use assay_verifier::halo2::shape::{INSTANCE_ROWS, SLOTS, Visibility};

use crate::halo2::copies::copies;
use crate::halo2::fixed;
use crate::halo2::layout::{Layout, Line, Place};
use crate::halo2::program::{Block, Kind, Program, Source, max_members};
use crate::halo2::tables::{Table, place, slots};

/// One lane's columns.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Limbs.
    pub limbs: [Vec<i64>; SLOTS],
    /// Values.
    pub values: Vec<i64>,
    /// Sides, or values of functions.
    pub sides: Vec<i64>,
}

/// All columns of the first phase.
#[derive(Clone, Debug)]
pub struct First {
    /// Public inputs and outputs.
    pub instance: Vec<i64>,
    /// Lanes.
    pub lanes: Vec<Lane>,
    /// Cells read.
    pub reads: Vec<Vec<i64>>,
    /// Counts of each table's entries.
    pub counts: Vec<Vec<i64>>,
    /// Weights.
    pub weights: Vec<Vec<i64>>,
    /// Private inputs.
    pub inputs: Vec<Vec<i64>>,
}

/// What the witness is made from.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    checked: &'a CheckedCircuit,
    program: &'a Program,
    layout: &'a Layout,
    weights: &'a Weights,
    evaluation: &'a Evaluation,
}

impl First {
    /// The witness of an evaluation.
    pub fn new(
        checked: &CheckedCircuit,
        program: &Program,
        layout: &Layout,
        weights: &Weights,
        evaluation: &Evaluation,
    ) -> Self {
        let scope = Scope { checked, program, layout, weights, evaluation };
        let (shape, rows) = (&layout.shape, layout.rows);
        let column = || vec![0i64; rows];
        let columns = |count: u8| (0..count).map(|_| column()).collect::<Vec<_>>();
        let lane = |_| Lane { limbs: std::array::from_fn(|_| column()), values: column(), sides: column() };
        let mut first = Self {
            instance: Vec::new(),
            lanes: (0..shape.lanes).map(lane).collect(),
            reads: columns(shape.reads),
            counts: columns(shape.tables),
            weights: Vec::new(),
            inputs: columns(shape.inputs),
        };
        first.public(&scope);
        for (id, block) in program.blocks.iter().enumerate() {
            first.block(&scope, id as u32, block);
        }
        first.weights = weight_columns(checked, program, layout, weights);
        first.follow(checked, program, layout);
        first
    }

    /// The columns in the order of the constraint system.
    pub fn columns(&self, visibility: Visibility) -> Vec<&[i64]> {
        let weights = self.weights.iter().filter(|_| visibility.private_weights);
        let lanes = self.lanes.iter().flat_map(|lane| lane.limbs.iter().chain([&lane.values, &lane.sides]));
        let columns = weights.chain(&self.inputs).chain(lanes).chain(&self.reads).chain(&self.counts);
        columns.map(Vec::as_slice).collect()
    }

    /// Public inputs and outputs.
    fn public(&mut self, scope: &Scope<'_>) {
        let circuit = scope.checked.circuit();
        let inputs = circuit.inputs.iter().take(if scope.program.inputs == 0 { 0 } else { circuit.inputs.len() });
        for port in inputs.chain(&circuit.outputs) {
            self.instance.extend(&scope.evaluation.nodes[port.node as usize]);
        }
    }

    fn block(&mut self, scope: &Scope<'_>, id: u32, block: &Block) {
        let values = scope.values(block);
        let limb_bits = scope.layout.shape.limb_bits;
        let lanes = self.lanes.len();
        let pad = block.len.next_multiple_of(lanes) - block.len;
        let first = scope.layout.blocks[id as usize];
        for at in 0..pad + block.len {
            let (lane, row) = (&mut self.lanes[at % lanes], first + at / lanes);
            let index = at.checked_sub(pad);
            let cell = Cell::new(scope, block, index, &values, limb_bits);
            for (limbs, limb) in lane.limbs.iter_mut().zip(cell.limbs) {
                limbs[row] = limb;
            }
            (lane.values[row], lane.sides[row]) = (cell.value, cell.side);
        }
    }

    /// Fills in, anew if need be, whatever follows from the lanes, the weights and the public values: copies and counts.
    pub fn follow(&mut self, checked: &CheckedCircuit, program: &Program, layout: &Layout) {
        self.copy(checked, program, layout);
        self.count_members(checked, program, layout);
        self.count_all(checked, program, layout);
    }

    /// Fills all cells that are copies of cells of this phase.
    fn copy(&mut self, checked: &CheckedCircuit, program: &Program, layout: &Layout) {
        let mut cells: Vec<(Place, Place)> = Vec::new();
        copies(program, layout, checked.circuit(), &mut |from, to| {
            if matches!(to.line, Line::Read(_) | Line::Input(_)) {
                cells.push((from, to));
            }
        });
        for (from, to) in cells {
            let value = self.at(layout, from);
            match to.line {
                Line::Read(column) => self.reads[usize::from(column)][to.row] = value,
                Line::Input(column) => self.inputs[usize::from(column)][to.row] = value,
                _ => {}
            }
        }
    }

    /// A cell of this phase.
    pub fn at(&self, layout: &Layout, place: Place) -> i64 {
        let row = place.row;
        match place.line {
            Line::Instance(column) => self.instance[usize::from(column) * INSTANCE_ROWS + row],
            Line::Constants => *layout.constants.iter().find(|(_, at)| **at == row).expect("constants are laid out").0,
            Line::Value(lane) => self.lanes[usize::from(lane)].values[row],
            Line::Argument(lane) => self.lanes[usize::from(lane)].limbs[SLOTS - 1][row],
            Line::Side(lane) => self.lanes[usize::from(lane)].sides[row],
            Line::Read(column) => self.reads[usize::from(column)][row],
            Line::Input(column) => self.inputs[usize::from(column)][row],
            Line::Equation | Line::Power | Line::Left | Line::Right | Line::Dot => {
                unreachable!("cells of the second phase are not copied to the first")
            }
        }
    }

    /// How often each row of a weight is selected, with its sign changed.
    fn count_members(&mut self, checked: &CheckedCircuit, program: &Program, layout: &Layout) {
        for ((&weight, members), &first) in program.members.iter().zip(&layout.members) {
            let selected = members.selected.len();
            let outputs = checked.circuit().weights[weight as usize].outputs as usize;
            self.reads[1][first + selected..][..outputs].fill(0);
            for row in first..first + selected {
                let index = self.reads[0][row] as usize;
                self.reads[1][first + selected + index] -= 1;
            }
        }
    }

    /// How often each entry is looked up, on rows without content too.
    pub fn count_all(&mut self, checked: &CheckedCircuit, program: &Program, layout: &Layout) {
        for counts in &mut self.counts {
            counts.fill(0);
        }
        let mut tables: Vec<[Table; SLOTS]> = vec![[Table::Range(0); SLOTS]; layout.rows];
        for (block, &first) in program.blocks.iter().zip(&layout.blocks) {
            let slots = slots(&block.kind, layout.shape.limb_bits);
            let len = block.len.div_ceil(layout.shape.lanes.into());
            tables[first..first + len].fill(slots);
        }
        for lane in &self.lanes {
            for (slot, limbs) in lane.limbs.iter().enumerate() {
                for ((&limb, &side), tables) in limbs.iter().zip(&lane.sides).zip(&tables) {
                    let position = layout.tables.position(tables[slot], (limb, side), checked.circuit());
                    let (table, row) = place(&layout.shape, layout.rows, position);
                    self.counts[table][row] += 1;
                }
            }
        }
    }
}

/// The columns of weights.
pub fn weight_columns(
    checked: &CheckedCircuit,
    program: &Program,
    layout: &Layout,
    weights: &Weights,
) -> Vec<Vec<i64>> {
    let mut columns = vec![vec![0i64; layout.rows]; layout.shape.weights.into()];
    for (id, vector) in program.vectors.iter().enumerate() {
        for (column, row, weight) in fixed::cells(layout, checked.circuit(), weights, id, vector) {
            columns[column][row] = weight.into();
        }
    }
    columns
}

/// One cell of a lane.
struct Cell {
    limbs: [i64; SLOTS],
    value: i64,
    side: i64,
}

impl Cell {
    /// A block's cell, or one that fills up its first row.
    fn new(scope: &Scope<'_>, block: &Block, index: Option<usize>, values: &[i64], limb_bits: u8) -> Self {
        let plain = |value| Self { limbs: [0; SLOTS], value, side: 0 };
        let value = index.map(|index| values[index]);
        match &block.kind {
            Kind::Free | Kind::Plain { .. } => match (&block.kind, value) {
                (_, Some(value)) => plain(value),
                // An accumulator of zero.
                (Kind::Plain { constant }, None) => plain(*constant),
                (_, None) => plain(0),
            },
            Kind::Number { low, bits, flagged } => {
                let value = value.unwrap_or_else(|| scope.filler(block, *low));
                // The first of its group that is zero.
                let first = |index: usize| {
                    let start = index.checked_rem(*flagged as usize).map(|place| index - place);
                    start.is_some_and(|start| !values[start..index].contains(&0))
                };
                let flag = value == 0 && index.is_some_and(first);
                Self { limbs: limbs(value - low, *bits, limb_bits), value, side: flag.into() }
            }
            Kind::Rescale(rescale) => {
                let accumulator = index.map_or(rescale.constant, |index| scope.accumulator(block, index));
                let half = if rescale.shift == 0 { 0 } else { 1i64 << (rescale.shift - 1) };
                let rounded = accumulator + half;
                let quotient = (rounded >> rescale.shift) - rescale.low;
                let remainder = rounded & ((1 << rescale.shift) - 1);
                let low = rescale.low_bits(limb_bits);
                let top = (quotient >> low) + (1 << (rescale.top_bits(limb_bits) - 1));
                let [a, b, ..] = limbs(remainder, rescale.shift, limb_bits);
                let [c, d, e, _] = limbs(quotient & ((1 << low) - 1), low, limb_bits);
                let (side, inside) = match quotient >> rescale.bits {
                    0 => (0, quotient),
                    excess if excess < 0 => (1, 0),
                    _ => (2, (1 << rescale.bits) - 1),
                };
                let limbs = if rescale.wide { [c, d, e, top] } else { [a, b, c, top] };
                Self { limbs, value: rescale.low + inside, side }
            }
            Kind::Function { table, .. } => {
                let table = &scope.checked.circuit().tables[*table as usize];
                let argument = index.map_or(table.low, |index| scope.argument(block, index));
                let value = i64::from(table.values[(argument - table.low) as usize]);
                Self { limbs: [0, 0, 0, argument], value: 0, side: value }
            }
        }
    }
}

fn limbs(value: i64, bits: u8, limb_bits: u8) -> [i64; SLOTS] {
    std::array::from_fn(|slot| {
        let below = slot as u8 * limb_bits;
        let width = bits.saturating_sub(below).min(limb_bits);
        if width == 0 { 0 } else { value >> below & ((1 << width) - 1) }
    })
}

impl Scope<'_> {
    fn accumulator(&self, block: &Block, index: usize) -> i64 {
        let Source::Node(node) = block.source else { unreachable!("rescaled blocks are nodes") };
        self.evaluation.accumulators[node as usize][index]
    }

    fn argument(&self, block: &Block, index: usize) -> i64 {
        let Source::Node(node) = block.source else { unreachable!("functions are nodes") };
        let Op::Lookup { source, .. } = self.checked.circuit().nodes[node as usize].op else {
            unreachable!("functions are lookups")
        };
        self.evaluation.nodes[source as usize][index]
    }

    /// The number that fills up the first row of a block: in an equation it is what a rescaled constant leaves, else the least.
    fn filler(&self, block: &Block, low: i64) -> i64 {
        let Source::Remainder(node) = block.source else { return low };
        remainder(self.checked, node, self.checked.expressions(node as usize)[0].expr.constant)
    }

    /// The values of a block's cells.
    fn values(&self, block: &Block) -> Vec<i64> {
        let Evaluation { nodes, accumulators } = self.evaluation;
        match block.source {
            Source::Node(node) => nodes[node as usize].clone(),
            Source::Remainder(node) => {
                let remainder = |&value: &i64| remainder(self.checked, node, value);
                accumulators[node as usize].iter().map(remainder).collect()
            }
            Source::Above(node) => accumulators[node as usize][..block.len].to_vec(),
            Source::Lacking(node) => accumulators[node as usize][block.len..].to_vec(),
            Source::Below { node, high } => nodes[node as usize].iter().map(|value| high - value).collect(),
            Source::BelowLargest(node) => self.below_largest(node),
            Source::Selected { weight, input } => {
                let spec = &self.checked.circuit().weights[weight as usize];
                let channels = spec.channels as usize;
                let row = |index: &i64| &self.weights[weight as usize][*index as usize * channels..][..channels];
                nodes[input as usize].iter().flat_map(|index| row(index).iter().map(|&value| value.into())).collect()
            }
        }
    }

    /// How far the cells of each group of a maximum are below it.
    fn below_largest(&self, node: u32) -> Vec<i64> {
        let circuit = self.checked.circuit();
        let Op::Max { source } = circuit.nodes[node as usize].op else { unreachable!("of maxima") };
        let maximum = self.checked.maximum(node as usize).expect("maxima have facts");
        let (inner, largest) = (circuit.nodes[source as usize].inner, &self.evaluation.nodes[node as usize]);
        let members = max_members(maximum, inner as usize, largest.len());
        let cells = &self.evaluation.nodes[source as usize];
        let below = |(group, largest): (usize, &i64)| {
            let largest = *largest;
            members.iter().map(move |member| largest - cells[member[group]])
        };
        largest.iter().enumerate().flat_map(below).collect()
    }
}

/// What is shifted out of an accumulator of a rescaled node.
fn remainder(checked: &CheckedCircuit, node: u32, accumulator: i64) -> i64 {
    let Op::Rescale { shift, .. } = checked.circuit().nodes[node as usize].op else {
        unreachable!("of rescaled nodes")
    };
    let half = if shift == 0 { 0 } else { 1i64 << (shift - 1) };
    (accumulator + half) & ((1 << shift) - 1)
}
