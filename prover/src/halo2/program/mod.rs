//! What the constraint system is to show for a circuit, before rows are assigned.
//!
//! Every relation of the description becomes *blocks* of committed cells (limbs, values) and *chains* of products that must sum to zero.
//! The parts of a product are values of the second phase:
//!
//! - a *run*: `sum_i x_i m^(n-1-i)` over copied cells, or `sum_i x_i y_i m^(n-1-i)` over pairs of them, with a multiplier `m` that is a power
//!   of the challenge
//! - a *vector*: the same sum over one vector of a weight tensor
//! - an *equation*: the same sum over the accumulators of a block
//! - a *chain*: a sum of products, possibly with multipliers between them
//!
//! The proof of a node with result `[P, O]` is one equation, weighted by `beta^(P O - 1 - (p O + o))` for cell `(p, o)`. Each relation and each
//! kind of term has its file.
mod affine;
mod contract;
mod input;
mod linear;
mod lookup;
mod max;
mod number;
mod product;
mod quotient;
mod rescale;
mod root;
mod runs;
mod select;

use std::collections::BTreeMap;

pub use max::members as max_members;

use assay_verifier::circuit::{CheckedCircuit, Expression, Gather, Node, Op, Pass, TableId, Term, View, WeightId};
use assay_verifier::halo2::shape::Visibility;

/// A value that a product, a run or an output takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A cell of a block.
    Cell {
        /// Which block.
        block: u32,
        /// Which of its cells.
        index: u32,
    },
    /// Whether a cell of a block of numbers is flagged as zero.
    Flag {
        /// Which block.
        block: u32,
        /// Which of its cells.
        index: u32,
    },
    /// A public input.
    Input(u32),
    /// A constant.
    Constant(i64),
    /// The sum of a run.
    Run(u32),
    /// The sum of a vector.
    Vector(u32),
    /// The sum of a block's accumulators.
    Equation(u32),
    /// The sum of a chain.
    Chain(u32),
}

/// Cells of one kind on consecutive rows of the lanes.
#[derive(Clone, Debug)]
pub struct Block {
    /// What is committed for each cell.
    pub kind: Kind,
    /// Number of cells.
    pub len: usize,
    /// Where the values come from.
    pub source: Source,
}

/// What is committed for each cell of a block.
#[derive(Clone, Debug)]
pub enum Kind {
    /// The value alone.
    Free,
    /// The value alone; it is its own accumulator plus the constant.
    Plain {
        /// Constant of the expression.
        constant: i64,
    },
    /// A value `low .. low + 2^bits`, in limbs; what it is above `low` is its accumulator.
    Number {
        /// Smallest value.
        low: i64,
        /// Width.
        bits: u8,
        /// Number of cells in each group of which one is flagged as zero; 0 where there are no flags.
        flagged: u32,
    },
    /// A rescaled value.
    Rescale(Rescale),
    /// A function's value; the argument is a copy.
    Function {
        /// The table.
        table: TableId,
        /// The arguments.
        arguments: Vec<Value>,
    },
}

/// Parameters of a rescaled block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rescale {
    /// Bits shifted out.
    pub shift: u8,
    /// Smallest result.
    pub low: i64,
    /// Width of the result.
    pub bits: u8,
    /// Width of the excesses.
    pub excess_bits: u8,
    /// Constant of the expression.
    pub constant: i64,
    /// Whether the remainder is a number of its own.
    pub wide: bool,
}

/// Where a block's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A node's cells.
    Node(u32),
    /// The remainder of a wide rescaled node.
    Remainder(u32),
    /// The first half of a bracket's accumulators.
    Above(u32),
    /// The second half of a bracket's accumulators.
    Lacking(u32),
    /// What a private input lacks to its largest value.
    Below {
        /// The node.
        node: u32,
        /// Largest value.
        high: i64,
    },
    /// How far the cells of each group are below the largest, group by group.
    BelowLargest(u32),
    /// The rows of a weight that an input selects.
    Selected {
        /// The weight.
        weight: WeightId,
        /// The input.
        input: u32,
    },
}

/// `sum_i cells[i] beta^(exponent (n-1-i))`, or `sum_i cells[2 i] cells[2 i + 1] beta^(exponent (n-1-i))`.
#[derive(Clone, Debug)]
pub struct Run {
    /// The multiplier's exponent.
    pub exponent: u32,
    /// The cells.
    pub cells: Vec<Value>,
    /// Whether they are multiplied in pairs.
    pub pairs: bool,
}

/// Which values of a weight tensor form a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Take {
    /// All outputs of one summed cell.
    Outputs(u32),
    /// All channels of one output.
    Row(u32),
    /// One value, by its position.
    One(u32),
}

/// A vector of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vector {
    /// The tensor.
    pub weight: WeightId,
    /// Which of its values.
    pub take: Take,
}

/// One product of a chain.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// Coefficient.
    pub coefficient: i64,
    /// First factor.
    pub left: Value,
    /// Second factor.
    pub right: Value,
    /// The sum before is multiplied by `beta` to this power.
    pub step: u32,
}

/// A sum of products.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// The products.
    pub products: Vec<Product>,
    /// Whether the sum must be zero.
    pub zero: bool,
}

/// Rows of a weight that inputs select.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// For each selection the index and the sum of the selected row.
    pub selected: Vec<(Value, Value)>,
}

/// Where a node's cells are.
#[derive(Clone, Debug)]
enum Cells {
    Block(u32),
    Inputs(u32),
    Alias(Vec<Value>),
}

/// Everything that is to be shown.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Blocks of the lanes.
    pub blocks: Vec<Block>,
    /// Runs.
    pub runs: Vec<Run>,
    /// Vectors of weights.
    pub vectors: Vec<Vector>,
    /// Chains, each after those that it refers to.
    pub chains: Vec<Chain>,
    /// Selected rows by weight.
    pub members: BTreeMap<WeightId, Members>,
    /// Cells that equal the private inputs, in order.
    pub private: Vec<Value>,
    /// Number of public inputs.
    pub inputs: usize,
    /// Cells that equal the outputs, in order.
    pub outputs: Vec<Value>,
}

/// Why there is no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// A weight is used in two ways, and hidden.
    #[error("weight {0} is used in two ways, so that its columns would hold it twice: it cannot be private")]
    TwoWays(WeightId),
    /// Limbs are too narrow for a bracket or remainder.
    #[error("node {node}: limbs of {limb_bits} bits are too narrow")]
    Limbs {
        /// The node.
        node: usize,
        /// Width of the limbs.
        limb_bits: u8,
    },
    /// No shape holds the circuit.
    #[error("no number of rows and columns within the limits holds the circuit")]
    Shape,
    /// More equations of one node than exponents.
    #[error("node {0} has too many cells")]
    Cells(usize),
}

/// Makes a program node by node.
struct Builder<'a> {
    checked: &'a CheckedCircuit,
    limb_bits: u8,
    visibility: Visibility,
    program: Program,
    nodes: Vec<Cells>,
    vectors: BTreeMap<Vector, u32>,
    ones: BTreeMap<(usize, u32), Value>,
}

impl Program {
    /// What is to be shown for a circuit, with limbs of a given width.
    ///
    /// # Errors
    /// The circuit cannot be shown with such limbs or such visibility.
    pub fn new(checked: &CheckedCircuit, limb_bits: u8, visibility: Visibility) -> Result<Self, ProgramError> {
        let mut builder = Builder {
            checked,
            limb_bits,
            visibility,
            program: Self::default(),
            nodes: Vec::new(),
            vectors: BTreeMap::new(),
            ones: BTreeMap::new(),
        };
        builder.inputs();
        for id in 0..checked.circuit().nodes.len() {
            builder.node(id)?;
        }
        builder.outputs();
        builder.share_excess();
        builder.check_private_weights()?;
        Ok(builder.program)
    }
}

impl Builder<'_> {
    fn node(&mut self, id: usize) -> Result<(), ProgramError> {
        let node = &self.checked.circuit().nodes[id];
        if node.len() > u64::from(u32::MAX / 2) {
            return Err(ProgramError::Cells(id));
        }
        let cells = match &node.op {
            Op::Input(range) => self.input(id, *range)?,
            Op::Affine(_) => self.affine(id),
            Op::Rescale { shift, low, bits, .. } => self.rescale(id, *shift, *low, *bits)?,
            Op::Lookup { source, table } => self.lookup(id, *source, *table),
            Op::Quotient { denominator, .. } => self.quotient(id, denominator)?,
            Op::Root(_) => self.root(id)?,
            Op::Max { source } => self.max(id, *source)?,
        };
        self.nodes.push(cells);
        Ok(())
    }

    fn outputs(&mut self) {
        for port in &self.checked.circuit().outputs {
            let len = self.checked.circuit().nodes[port.node as usize].len() as usize;
            let values: Vec<Value> = (0..len).map(|index| self.cell(port.node, index)).collect();
            let values = if values.iter().any(|value| matches!(value, Value::Input(_))) {
                self.committed(port.node, values)
            } else {
                values
            };
            self.program.outputs.extend(values);
        }
    }

    /// Commits to cells that are public inputs: a public value is copied to a committed one, not to another public one.
    fn committed(&mut self, node: u32, values: Vec<Value>) -> Vec<Value> {
        let len = values.len();
        let block = self.block(Kind::Free, len, Source::Node(node));
        let [committed, values] = [self.run_of(block, 1), self.run(1, values)];
        self.demand(vec![plus(1, committed), plus(-1, values)]);
        (0..len as u32).map(|index| Value::Cell { block, index }).collect()
    }

    fn check_private_weights(&self) -> Result<(), ProgramError> {
        let mut ways: BTreeMap<WeightId, std::mem::Discriminant<Take>> = BTreeMap::new();
        for vector in self.program.vectors.iter().filter(|_| self.visibility.private_weights) {
            let way = std::mem::discriminant(&vector.take);
            if *ways.entry(vector.weight).or_insert(way) != way {
                return Err(ProgramError::TwoWays(vector.weight));
            }
        }
        Ok(())
    }

    fn block(&mut self, kind: Kind, len: usize, source: Source) -> u32 {
        self.program.blocks.push(Block { kind, len, source });
        self.program.blocks.len() as u32 - 1
    }

    /// A node's cell.
    fn cell(&self, node: u32, index: usize) -> Value {
        match &self.nodes[node as usize] {
            Cells::Block(block) => Value::Cell { block: *block, index: index as u32 },
            Cells::Inputs(first) => Value::Input(first + index as u32),
            Cells::Alias(values) => values[index],
        }
    }

    fn vector(&mut self, weight: WeightId, take: Take) -> Value {
        let vector = Vector { weight, take };
        let next = self.program.vectors.len() as u32;
        let id = *self.vectors.entry(vector).or_insert(next);
        if id == next {
            self.program.vectors.push(vector);
        }
        Value::Vector(id)
    }

    fn chain(&mut self, products: Vec<Product>) -> Value {
        if products.is_empty() {
            return Value::Constant(0);
        }
        self.program.chains.push(Chain { products, zero: false });
        Value::Chain(self.program.chains.len() as u32 - 1)
    }

    /// Demands that products sum to zero.
    fn demand(&mut self, products: Vec<Product>) {
        self.program.chains.push(Chain { products, zero: true });
    }

    /// Demands that `sum - first terms of the expression = 0`; the expression's constant is in the sum.
    fn demand_expression(&mut self, id: usize, expression: &Expression, terms: usize, sum: Vec<Product>) {
        let node = &self.checked.circuit().nodes[id];
        let mut products = sum;
        for (index, term) in expression.expr.terms.iter().enumerate().take(terms) {
            self.term(node, expression, index, term, &mut products);
        }
        self.demand(products);
    }

    /// Subtracts a term.
    fn term(&mut self, node: &Node, expression: &Expression, index: usize, term: &Term, products: &mut Vec<Product>) {
        let gathers = expression.gathers(index);
        match term {
            Term::Linear { coefficient, view } => self.linear(node, &gathers[0], view, -coefficient, products),
            Term::Contract { coefficient, weight, view } => {
                self.contract(node, &gathers[0], view, *weight, -coefficient, products);
            }
            Term::Bias { coefficient, weight } => {
                let left = self.ones(node.rows as usize, node.inner);
                let right = self.vector(*weight, Take::Outputs(0));
                products.push(Product { coefficient: -coefficient, left, right, step: 0 });
            }
            Term::Select { coefficient, weight, indices } => {
                self.select(node, *weight, indices, -coefficient, products);
            }
            Term::Product { coefficient, left, right } => {
                let pairing = expression.pairing(index).expect("products of checked circuits have a pairing");
                self.product(node, [(&gathers[0], left), (&gathers[1], right)], pairing, -coefficient, products);
            }
        }
    }

    /// All cells that a view reads for one cell of the result.
    fn read(&self, gather: &Gather, view: &View, row: usize, o: usize) -> Vec<Value> {
        let inner = self.checked.circuit().nodes[view.source as usize].inner as usize;
        let channels = if matches!(gather.pass, Pass::Channel { .. }) { gather.channels } else { 1 };
        let free = if gather.inner == 1 { 0 } else { o };
        let mut values = Vec::with_capacity(gather.taps * channels);
        for place in gather.taps(row, free) {
            for channel in 0..channels {
                values.push(match (place, gather.pass) {
                    (None, _) => Value::Constant(0),
                    (Some(place), Pass::None) => self.cell(view.source, place),
                    (Some(place), Pass::Output { offset }) => self.cell(view.source, place * inner + offset + o),
                    (Some(place), Pass::Channel { offset }) => self.cell(view.source, place * inner + offset + channel),
                });
            }
        }
        values
    }
}

/// A summand by itself.
fn plus(coefficient: i64, value: Value) -> Product {
    Product { coefficient, left: value, right: Value::Constant(1), step: 0 }
}
