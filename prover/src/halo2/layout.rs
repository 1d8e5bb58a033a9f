//! Which rows everything lies on.
use std::collections::{BTreeMap, BTreeSet};

use assay_verifier::circuit::{Circuit, Weight};
use assay_verifier::halo2::shape::{INSTANCE_ROWS, RESERVED, Shape};

use super::program::{Program, Run, Take, Value, Vector};
use super::tables::Tables;

/// A column that takes part in copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// Public values.
    Instance(u8),
    /// Constants.
    Constants,
    /// A lane's values.
    Value(u8),
    /// A lane's last limbs.
    Argument(u8),
    /// A lane's sides.
    Side(u8),
    /// Cells read.
    Read(u8),
    /// Private inputs.
    Input(u8),
    /// Sums of equations.
    Equation,
    /// Powers.
    Power,
    /// Sums of runs, first factors.
    Left,
    /// Sums of vectors, second factors.
    Right,
    /// Sums of chains.
    Dot,
}

/// A cell that takes part in copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Its column.
    pub line: Line,
    /// Its row.
    pub row: usize,
}

/// Rows that a program takes in a shape, by what has to lie below one another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heights {
    /// Blocks.
    pub lanes: usize,
    /// Runs.
    pub reads: usize,
    /// Powers, below the runs.
    pub powers: usize,
    /// Vectors.
    pub weights: usize,
    /// Products and selected rows, below runs, powers and vectors.
    pub dots: usize,
    /// Constants.
    pub constants: usize,
    /// Entries of each table.
    pub tables: usize,
    /// Public values.
    pub instance: usize,
    /// Private inputs in each of their columns.
    pub inputs: usize,
}

impl Heights {
    /// The least number of rows.
    pub fn rows(&self) -> usize {
        let machine = (self.reads + self.powers).max(self.weights) + self.dots;
        [self.lanes, machine, self.constants, self.tables, self.instance, self.inputs].into_iter().max().unwrap_or(0)
    }
}

/// Where everything of a program lies.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The shape.
    pub shape: Shape,
    /// Rows that may hold content.
    pub rows: usize,
    /// First row of each block.
    pub blocks: Vec<usize>,
    /// First row of each run.
    pub runs: Vec<usize>,
    /// First row of each vector.
    pub vectors: Vec<usize>,
    /// First row and exponent of each power.
    pub powers: BTreeMap<u32, usize>,
    /// First row of each chain.
    pub chains: Vec<usize>,
    /// First row of each weight's selected rows.
    pub members: Vec<usize>,
    /// Row of each constant.
    pub constants: BTreeMap<i64, usize>,
    /// The tables.
    pub tables: Tables,
    /// What it takes.
    pub heights: Heights,
}

/// Where a public value is, by its position among all.
fn instance(position: usize) -> Place {
    Place { line: Line::Instance((position / INSTANCE_ROWS) as u8), row: position % INSTANCE_ROWS }
}

impl Run {
    /// Cells that a row reads.
    pub fn width(&self, shape: &Shape) -> usize {
        let reads = usize::from(shape.reads);
        if self.pairs { reads & !1 } else { reads }
    }

    /// Number of rows.
    pub fn rows(&self, shape: &Shape) -> usize {
        self.cells.len().div_ceil(self.width(shape))
    }
}

/// Number of weights in a vector.
pub fn vector_len(weight: &Weight, vector: &Vector) -> usize {
    match vector.take {
        Take::Outputs(_) => weight.outputs as usize,
        Take::Row(_) => weight.channels as usize,
        Take::One(_) => 1,
    }
}

/// Rows of a power: a one, and one for each bit of the exponent.
pub fn power_len(exponent: u32) -> usize {
    1 + (u32::BITS - exponent.leading_zeros()) as usize
}

/// Exponents of all multipliers but one.
fn exponents(program: &Program) -> BTreeSet<u32> {
    let runs = program.runs.iter().map(|run| run.exponent);
    let steps = program.chains.iter().flat_map(|chain| chain.products.iter().skip(1).map(|product| product.step));
    runs.chain(steps).filter(|&exponent| exponent != 0).collect()
}

/// Constants that are copied.
fn constants(program: &Program) -> BTreeMap<i64, usize> {
    let mut all = BTreeSet::from([0, 1]);
    let mut note = |value: &Value| {
        if let Value::Constant(constant) = value {
            all.insert(*constant);
        }
    };
    program.runs.iter().flat_map(|run| &run.cells).for_each(&mut note);
    program.outputs.iter().for_each(&mut note);
    for block in &program.blocks {
        if let super::program::Kind::Function { arguments, .. } = &block.kind {
            arguments.iter().for_each(&mut note);
        }
    }
    for product in program.chains.iter().flat_map(|chain| &chain.products) {
        note(&product.left);
        note(&product.right);
    }
    all.into_iter().zip(0..).collect()
}

impl Layout {
    /// Lays a program out.
    pub fn new(program: &Program, circuit: &Circuit, shape: Shape) -> Self {
        let tables = Tables::new(program, circuit, shape.limb_bits);
        let rows = (1usize << shape.k) - RESERVED;
        let mut heights = Heights::default();
        let stack = |height: &mut usize, len: usize| {
            let start = *height;
            *height += len;
            start
        };
        let lanes = usize::from(shape.lanes);
        let blocks = program.blocks.iter().map(|block| stack(&mut heights.lanes, block.len.div_ceil(lanes))).collect();
        let runs = program.runs.iter().map(|run| stack(&mut heights.reads, run.rows(&shape))).collect();
        let columns = usize::from(shape.weights).max(1);
        let vectors = program
            .vectors
            .iter()
            .map(|vector| {
                let len = vector_len(&circuit.weights[vector.weight as usize], vector);
                stack(&mut heights.weights, len.div_ceil(columns))
            })
            .collect();
        let powers = exponents(program)
            .into_iter()
            .map(|exponent| (exponent, heights.reads + stack(&mut heights.powers, power_len(exponent))))
            .collect();
        let first = (heights.reads + heights.powers).max(heights.weights);
        let chains =
            program.chains.iter().map(|chain| first + stack(&mut heights.dots, chain.products.len())).collect();
        let mut constants = constants(program);
        let members = program
            .members
            .iter()
            .map(|(&weight, members)| {
                let outputs = circuit.weights[weight as usize].outputs;
                for output in 0..i64::from(outputs) {
                    let next = constants.len();
                    constants.entry(output).or_insert(next);
                }
                first + stack(&mut heights.dots, members.selected.len() + outputs as usize)
            })
            .collect();
        heights.constants = constants.len();
        heights.tables = tables.len.div_ceil(shape.tables.into());
        heights.instance = (program.inputs + program.outputs.len()).min(INSTANCE_ROWS);
        heights.inputs = program.private.len().div_ceil(usize::from(shape.inputs).max(1));
        Self { shape, rows, blocks, runs, vectors, powers, chains, members, constants, tables, heights }
    }

    /// Lane and row of a block's cell. Cells fill rows from the end, so that the first row may begin with unused ones.
    pub fn cell(&self, program: &Program, block: u32, index: usize) -> (usize, usize) {
        let lanes = usize::from(self.shape.lanes);
        let len = program.blocks[block as usize].len;
        let at = index + len.next_multiple_of(lanes) - len;
        (at % lanes, self.blocks[block as usize] + at / lanes)
    }

    /// Where a value is copied from.
    pub fn place(&self, program: &Program, value: Value) -> Place {
        let (line, row) = match value {
            Value::Cell { block, index } => {
                let (lane, row) = self.cell(program, block, index as usize);
                let function = matches!(program.blocks[block as usize].kind, super::program::Kind::Function { .. });
                (if function { Line::Side(lane as u8) } else { Line::Value(lane as u8) }, row)
            }
            Value::Flag { block, index } => {
                let (lane, row) = self.cell(program, block, index as usize);
                (Line::Side(lane as u8), row)
            }
            Value::Input(index) => return instance(index as usize),
            Value::Constant(constant) => (Line::Constants, self.constants[&constant]),
            Value::Run(run) => (Line::Left, self.run_end(program, run as usize)),
            Value::Vector(vector) => (Line::Right, self.vector_end(vector as usize)),
            Value::Equation(block) => {
                let len = program.blocks[block as usize].len.div_ceil(self.shape.lanes.into());
                (Line::Equation, self.blocks[block as usize] + len - 1)
            }
            Value::Chain(chain) => {
                let len = program.chains[chain as usize].products.len();
                (Line::Dot, self.chains[chain as usize] + len - 1)
            }
        };
        Place { line, row }
    }

    /// Where a power is copied from.
    pub fn power(&self, exponent: u32) -> Place {
        match self.powers.get(&exponent) {
            None => Place { line: Line::Constants, row: self.constants[&1] },
            Some(row) => Place { line: Line::Power, row: row + power_len(exponent) - 1 },
        }
    }

    /// Where a public output is, by its position.
    pub fn output(&self, program: &Program, index: usize) -> Place {
        instance(program.inputs + index)
    }

    fn run_end(&self, program: &Program, run: usize) -> usize {
        self.runs[run] + program.runs[run].rows(&self.shape) - 1
    }

    /// The last row of a vector.
    pub fn vector_end(&self, vector: usize) -> usize {
        self.vectors.get(vector + 1).copied().unwrap_or(self.heights.weights) - 1
    }
}
