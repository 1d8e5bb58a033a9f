//! The constraint system: columns and gates, configured from a circuit description's features and a shape.
//!
//! Each file is one part. All parts work on rows that fixed columns switch on, and no gate knows a model: what is computed lies
//! in the fixed columns and in the copies between cells.
//!
//! | part | on a row | file |
//! |---|---|---|
//! | lane | a value cut into limbs that are looked up: a rescaled cell, a number in a range, a function's argument and value | `lane` |
//! | equation | the running sum of all accumulators of a node, weighted by powers of a challenge | `equation` |
//! | lookup | running sums of fractions: every limb is in its table | `lookup` |
//! | reads | the running sum of copied cells, weighted by powers of a multiplier | `reads` |
//! | pairs | the same of products of two | `pairs` |
//! | weights | the running sum of a weight vector, weighted by powers of the challenge | `weights` |
//! | dot | the running sum of products of two sums | `dot` |
//! | power | powers of the challenge by squaring | `power` |
//! | member | fractions of selected rows of weights | `member` |
//!
//! # Soundness
//! Columns of the first phase are committed before the challenges are drawn. A node with cells `i = 0..N` is proven by one equation,
//! `sum_i beta^(N-1-i) (accumulator_i - expression_i) = 0`: a polynomial in `beta` whose coefficients are fixed by the first phase,
//! so that it is zero with probability at most `N / 2^253` unless every coefficient is. Everything in the second phase follows from the
//! first phase and the challenges by the gates.
mod dot;
mod equation;
mod lane;
mod lookup;
mod member;
mod pairs;
mod power;
mod reads;
mod weights;
pub mod widths;

use alloc::vec::Vec;
use halo2_proofs::arithmetic::Field;
use halo2_proofs::plonk::{
    Advice, Any, Challenge, Column, ConstraintSystem, Expression, FirstPhase, Fixed, Instance, SecondPhase,
    VirtualCells,
};
use halo2_proofs::poly::Rotation;

use super::curve::Fr;
use super::shape::{Features, SLOTS, Shape, Visibility};

/// A polynomial in columns and challenges.
pub type Poly = Expression<Fr>;

/// One lane.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Limbs, looked up in the tables that the tags of their slots name.
    pub limbs: [Column<Advice>; SLOTS],
    /// The cell's value.
    pub value: Column<Advice>,
    /// The last slot's function value: on which side a rescaled value saturates, or the value of a function.
    pub side: Column<Advice>,
}

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Which table an entry belongs to.
    pub tag: Column<Fixed>,
    /// Arguments.
    pub argument: Column<Fixed>,
    /// Values.
    pub value: Column<Fixed>,
    /// How often each entry is looked up.
    pub count: Column<Advice>,
}

/// Columns of weights.
#[derive(Clone, Debug)]
pub enum WeightColumns {
    /// In the key.
    Public(Vec<Column<Fixed>>),
    /// Committed in the key.
    Private {
        /// The columns.
        columns: Vec<Column<Advice>>,
        /// For each number of cells that fill up the first row of a vector the column that is 1 on such rows.
        pads: Vec<(usize, Column<Fixed>)>,
    },
}

/// Fixed columns that are the same for all lanes.
#[derive(Clone, Copy, Debug)]
pub struct LaneRows {
    /// Table of each slot.
    pub tags: [Column<Fixed>; SLOTS],
    /// 1 on rows of rescaled cells whose remainder is in the first two limbs.
    pub rescale: Column<Fixed>,
    /// 1 on rows of rescaled cells whose remainder is a number of its own, if there are any.
    pub wide: Option<Column<Fixed>>,
    /// 1 on rows of numbers, if there are any.
    pub number: Option<Column<Fixed>>,
    /// 1 on rows whose value is its accumulator, if there are any.
    pub plain: Option<Column<Fixed>>,
    /// `2^shift`.
    pub unit: Column<Fixed>,
    /// `2^shift` times the weight of the last limb.
    pub top: Column<Fixed>,
    /// The constant of the accumulator.
    pub constant: Column<Fixed>,
    /// The last limb's offset times its weight.
    pub offset: Column<Fixed>,
    /// Smallest value of the cell.
    pub low: Column<Fixed>,
    /// `2^shift` times the largest value above the smallest.
    pub span: Column<Fixed>,
    /// 1 where the equation's sum goes on.
    pub next: Column<Fixed>,
}

/// Fixed columns of the machines.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// 1 on all rows that can be used.
    pub active: Column<Fixed>,
    /// 1 on the first row, 2 on the row after the last one that can be used for lookups.
    pub ends: Column<Fixed>,
    /// 1 on rows that read cells.
    pub read: Column<Fixed>,
    /// 1 where the sum of reads goes on.
    pub read_next: Column<Fixed>,
    /// 1 on rows where a sum of weights begins, 2 where it goes on.
    pub weight: Column<Fixed>,
    /// 1 on rows where a sum of products begins, 2 where it goes on.
    pub dot: Column<Fixed>,
    /// The coefficient of a product.
    pub coefficient: Column<Fixed>,
    /// 1 where a power is the square of the last one, 2 where it is that times the challenge.
    pub square: Column<Fixed>,
    /// Constants.
    pub constants: Column<Fixed>,
}

/// Fixed columns of products of cells that are read.
#[derive(Clone, Copy, Debug)]
pub struct PairRows {
    /// 1 on their rows.
    pub pair: Column<Fixed>,
    /// 1 where the sum goes on.
    pub next: Column<Fixed>,
}

/// Fixed columns of selected rows of weights.
#[derive(Clone, Copy, Debug)]
pub struct MemberRows {
    /// 1 on their rows.
    pub member: Column<Fixed>,
    /// 1 where the sum of fractions goes on.
    pub next: Column<Fixed>,
}

/// All columns and challenges.
#[derive(Clone, Debug)]
pub struct Columns {
    /// The shape that they are of.
    pub shape: Shape,
    /// Inputs, if public, then outputs, column by column.
    pub instances: Vec<Column<Instance>>,
    /// Lanes.
    pub lanes: Vec<Lane>,
    /// Their fixed columns.
    pub rows: LaneRows,
    /// Tables.
    pub tables: Vec<Table>,
    /// Cells read.
    pub reads: Vec<Column<Advice>>,
    /// Weights.
    pub weights: WeightColumns,
    /// Private inputs.
    pub inputs: Vec<Column<Advice>>,
    /// Fixed columns of the machines.
    pub machine: Machine,
    /// Fixed columns of products of cells, if there are any.
    pub pairs: Option<PairRows>,
    /// Fixed columns of selections, if there are any.
    pub members: Option<MemberRows>,
    /// Running sum of equations.
    pub equation: Column<Advice>,
    /// Multipliers and powers.
    pub power: Column<Advice>,
    /// Squares of the reads' multipliers, where they keep the degree low.
    pub squared: Option<Column<Advice>>,
    /// Running sum of reads; first factor of products.
    pub left: Column<Advice>,
    /// Running sum of weights; second factor of products.
    pub right: Column<Advice>,
    /// Running sum of products.
    pub dot: Column<Advice>,
    /// Running sums of lookups.
    pub sums: Vec<Column<Advice>>,
    /// Weights equations, and cells in them.
    pub beta: Challenge,
    /// Joins the columns of a table.
    pub eta: Challenge,
    /// What fractions are taken at.
    pub theta: Challenge,
}

impl Columns {
    /// Allocates all columns and creates all gates.
    pub fn configure(
        meta: &mut ConstraintSystem<Fr>,
        shape: Shape,
        features: Features,
        visibility: Visibility,
    ) -> Self {
        // Without this the library takes its highest degree from the environment.
        meta.set_minimum_degree(shape.degree.into());
        let columns = Self::allocate(meta, shape, features, visibility);
        columns.enable_copies(meta, features);
        lane::configure(meta, &columns);
        equation::configure(meta, &columns);
        lookup::configure(meta, &columns);
        reads::configure(meta, &columns);
        pairs::configure(meta, &columns);
        weights::configure(meta, &columns);
        dot::configure(meta, &columns);
        power::configure(meta, &columns);
        member::configure(meta, &columns);
        columns
    }

    fn allocate(meta: &mut ConstraintSystem<Fr>, shape: Shape, features: Features, visibility: Visibility) -> Self {
        let instances = (0..features.instances).map(|_| meta.instance_column()).collect();
        let advice = |meta: &mut ConstraintSystem<Fr>, count: usize| -> Vec<Column<Advice>> {
            (0..count).map(|_| meta.advice_column_in(FirstPhase)).collect()
        };
        // Private weights and inputs come first, so that their commitments are the first messages.
        let weights = if visibility.private_weights {
            let columns = advice(meta, shape.weights.into());
            let used = (1..shape.weights)
                .filter(|&pad| features.pads.checked_shr(pad.into()).is_some_and(|bits| bits & 1 == 1));
            let pads = used.map(|pad| (usize::from(pad), meta.fixed_column())).collect();
            WeightColumns::Private { columns, pads }
        } else {
            WeightColumns::Public((0..shape.weights).map(|_| meta.fixed_column()).collect())
        };
        let inputs = advice(meta, shape.inputs.into());
        let lanes = (0..shape.lanes)
            .map(|_| Lane {
                limbs: core::array::from_fn(|_| meta.advice_column_in(FirstPhase)),
                value: meta.advice_column_in(FirstPhase),
                side: meta.advice_column_in(FirstPhase),
            })
            .collect();
        let reads = advice(meta, shape.reads.into());
        let tables = (0..shape.tables)
            .map(|_| Table {
                tag: meta.fixed_column(),
                argument: meta.fixed_column(),
                value: meta.fixed_column(),
                count: meta.advice_column_in(FirstPhase),
            })
            .collect();
        let rows = LaneRows {
            tags: core::array::from_fn(|_| meta.fixed_column()),
            rescale: meta.fixed_column(),
            wide: features.wide.then(|| meta.fixed_column()),
            number: features.numbers.then(|| meta.fixed_column()),
            plain: features.plain.then(|| meta.fixed_column()),
            unit: meta.fixed_column(),
            top: meta.fixed_column(),
            constant: meta.fixed_column(),
            offset: meta.fixed_column(),
            low: meta.fixed_column(),
            span: meta.fixed_column(),
            next: meta.fixed_column(),
        };
        let machine = Machine {
            active: meta.fixed_column(),
            ends: meta.fixed_column(),
            read: meta.fixed_column(),
            read_next: meta.fixed_column(),
            weight: meta.fixed_column(),
            dot: meta.fixed_column(),
            coefficient: meta.fixed_column(),
            square: meta.fixed_column(),
            constants: meta.fixed_column(),
        };
        let pairs = features.pairs.then(|| PairRows { pair: meta.fixed_column(), next: meta.fixed_column() });
        let members = features.members.then(|| MemberRows { member: meta.fixed_column(), next: meta.fixed_column() });
        Self {
            shape,
            instances,
            lanes,
            rows,
            tables,
            reads,
            weights,
            inputs,
            machine,
            pairs,
            members,
            equation: meta.advice_column_in(SecondPhase),
            power: meta.advice_column_in(SecondPhase),
            squared: shape.squares().then(|| meta.advice_column_in(SecondPhase)),
            left: meta.advice_column_in(SecondPhase),
            right: meta.advice_column_in(SecondPhase),
            dot: meta.advice_column_in(SecondPhase),
            sums: (0..shape.sums()).map(|_| meta.advice_column_in(SecondPhase)).collect(),
            beta: meta.challenge_usable_after(FirstPhase),
            eta: meta.challenge_usable_after(FirstPhase),
            theta: meta.challenge_usable_after(FirstPhase),
        }
    }

    /// Lets cells be copied between the columns that take part in copies.
    fn enable_copies(&self, meta: &mut ConstraintSystem<Fr>, features: Features) {
        for column in self.copied(features) {
            meta.enable_equality(column);
        }
    }

    /// The columns whose cells are copied.
    pub fn copied(&self, features: Features) -> Vec<Column<Any>> {
        let mut copied: Vec<Column<Any>> = self.instances.iter().map(|&column| column.into()).collect();
        copied.push(self.machine.constants.into());
        for lane in &self.lanes {
            copied.push(lane.value.into());
            if features.functions {
                let [.., argument] = lane.limbs;
                copied.push(argument.into());
            }
            if features.functions || features.flags {
                copied.push(lane.side.into());
            }
        }
        copied.extend(self.reads.iter().chain(&self.inputs).map(|&column| Column::<Any>::from(column)));
        copied.extend([self.equation, self.power, self.left, self.right, self.dot].map(Column::<Any>::from));
        copied
    }
}

/// A column's cell on the row itself.
fn fixed(cells: &mut VirtualCells<'_, Fr>, column: Column<Fixed>) -> Poly {
    cells.query_fixed(column, Rotation::cur())
}

/// A column's cell on the row itself.
fn here(cells: &mut VirtualCells<'_, Fr>, column: Column<Advice>) -> Poly {
    cells.query_advice(column, Rotation::cur())
}

/// A column's cell on the row before.
fn before(cells: &mut VirtualCells<'_, Fr>, column: Column<Advice>) -> Poly {
    cells.query_advice(column, Rotation::prev())
}

/// A column's cell on the row after.
fn after(cells: &mut VirtualCells<'_, Fr>, column: Column<Advice>) -> Poly {
    cells.query_advice(column, Rotation::next())
}

/// Selectors of rows that are marked 1 and of those that are marked 2.
fn marked(cells: &mut VirtualCells<'_, Fr>, column: Column<Fixed>) -> [Poly; 2] {
    let mark = fixed(cells, column);
    let half = Fr::from(2).invert().unwrap_or(Fr::ZERO);
    [mark.clone() * (number(2) - mark.clone()), mark.clone() * (mark - number(1)) * half]
}

/// A challenge.
fn challenge(cells: &mut VirtualCells<'_, Fr>, challenge: Challenge) -> Poly {
    cells.query_challenge(challenge)
}

/// A number that is written down.
fn number(value: u64) -> Poly {
    Expression::Constant(Fr::from(value))
}

/// A power.
fn power(base: &Poly, exponent: usize) -> Poly {
    (1..exponent).fold(if exponent == 0 { number(1) } else { base.clone() }, |all, _| all * base.clone())
}

/// `sum_i values[i] point^(n-1-i)`, by Horner's rule.
fn horner(point: &Poly, values: impl IntoIterator<Item = Poly>) -> Poly {
    values.into_iter().reduce(|sum, value| sum * point.clone() + value).unwrap_or(number(0))
}
