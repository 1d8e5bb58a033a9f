//! Columns of the second phase: what follows from the first phase and the challenges.
use assay_verifier::circuit::CheckedCircuit;
use assay_verifier::halo2::curve::Fr;
use assay_verifier::halo2::shape::{SLOTS, Shape};
use halo2_proofs::arithmetic::Field;
use halo2_proofs::halo2curves::ff::BatchInvert;
use rayon::prelude::*;

use super::First;
use crate::halo2::copies::rows_of;
use crate::halo2::field;
use crate::halo2::layout::{Layout, Line, Place};
use crate::halo2::program::{Block, Kind, Program, Value};
use crate::halo2::tables::{Table, slots};

/// What the verifier draws after the first phase.
#[derive(Clone, Copy, Debug)]
pub struct Challenges {
    /// Weights equations.
    pub beta: Fr,
    /// Joins the columns of a table.
    pub eta: Fr,
    /// What fractions are taken at.
    pub theta: Fr,
}

/// All columns of the second phase.
#[derive(Clone, Debug)]
pub struct Second {
    /// Sums of equations.
    pub equation: Vec<Fr>,
    /// Multipliers and powers.
    pub power: Vec<Fr>,
    /// Squares of the multipliers of runs.
    pub squared: Vec<Fr>,
    /// Sums of runs, first factors.
    pub left: Vec<Fr>,
    /// Sums of vectors, second factors.
    pub right: Vec<Fr>,
    /// Sums of products.
    pub dot: Vec<Fr>,
    /// Sums of fractions.
    pub sums: Vec<Vec<Fr>>,
}

impl Challenges {
    /// In the order of the constraint system.
    pub fn new(drawn: &[Fr]) -> Self {
        Self { beta: drawn[0], eta: drawn[1], theta: drawn[2] }
    }
}

/// What the second phase is made from.
struct Maker<'a> {
    checked: &'a CheckedCircuit,
    program: &'a Program,
    layout: &'a Layout,
    first: &'a First,
    drawn: Challenges,
    /// Powers of `beta` up to the largest width.
    second: Second,
}

impl Second {
    /// What follows from a first phase.
    pub fn new(checked: &CheckedCircuit, program: &Program, layout: &Layout, first: &First, drawn: Challenges) -> Self {
        let column = || vec![Fr::ZERO; layout.rows + 1];
        let second = Self {
            equation: column(),
            power: column(),
            squared: column(),
            left: column(),
            right: column(),
            dot: column(),
            sums: Vec::new(),
        };
        let mut maker = Maker { checked, program, layout, first, drawn, second };
        maker.powers();
        maker.equations();
        maker.runs();
        maker.vectors();
        maker.chains();
        maker.members();
        maker.sums();
        maker.second
    }
}

impl Second {
    /// The columns in the order of the constraint system.
    pub fn columns(self, shape: &Shape) -> Vec<Vec<Fr>> {
        let Self { equation, power, squared, left, right, dot, sums } = self;
        let squared = Some(squared).filter(|_| shape.squares());
        let columns = [equation, power].into_iter().chain(squared).chain([left, right, dot]);
        columns.chain(sums).collect()
    }
}

impl Maker<'_> {
    /// A value wherever it lies.
    fn value(&self, value: Value) -> Fr {
        self.at(self.layout.place(self.program, value))
    }

    fn at(&self, place: Place) -> Fr {
        match place.line {
            Line::Equation => self.second.equation[place.row],
            Line::Power => self.second.power[place.row],
            Line::Left => self.second.left[place.row],
            Line::Right => self.second.right[place.row],
            Line::Dot => self.second.dot[place.row],
            _ => field(self.first.at(self.layout, place)),
        }
    }

    fn powers(&mut self) {
        for (&exponent, &first) in &self.layout.powers {
            let bits = crate::halo2::layout::power_len(exponent) - 1;
            let mut power = Fr::ONE;
            self.second.power[first] = power;
            for bit in 0..bits {
                power = power.square();
                if exponent >> (bits - 1 - bit) & 1 == 1 {
                    power *= self.drawn.beta;
                }
                self.second.power[first + 1 + bit] = power;
            }
        }
    }

    fn equations(&mut self) {
        let lanes = self.first.lanes.len();
        for (block, &first) in self.program.blocks.iter().zip(&self.layout.blocks) {
            let Some(accumulator) = accumulators(block, self.layout.shape.limb_bits) else { continue };
            let mut sum = Fr::ZERO;
            for row in first..first + block.len.div_ceil(lanes) {
                for lane in &self.first.lanes {
                    sum = sum * self.drawn.beta + accumulator(lane, row);
                }
                self.second.equation[row] = sum;
            }
        }
    }

    fn runs(&mut self) {
        for (run, &first) in self.program.runs.iter().zip(&self.layout.runs) {
            let multiplier = self.at(self.layout.power(run.exponent));
            let mut sum = Fr::ZERO;
            let width = if run.pairs { 2 } else { 1 };
            for row in first..first + run.rows(&self.layout.shape) {
                for columns in self.first.reads.chunks_exact(width) {
                    sum = sum * multiplier + columns.iter().map(|column| field(column[row])).product::<Fr>();
                }
                self.second.power[row] = multiplier;
                self.second.squared[row] = multiplier.square();
                self.second.left[row] = sum;
            }
        }
    }

    fn vectors(&mut self) {
        for id in 0..self.program.vectors.len() {
            let mut sum = Fr::ZERO;
            for row in self.layout.vectors[id]..=self.layout.vector_end(id) {
                for column in &self.first.weights {
                    sum = sum * self.drawn.beta + field(column[row]);
                }
                self.second.right[row] = sum;
            }
        }
    }

    fn chains(&mut self) {
        for (chain, &first) in self.program.chains.iter().zip(&self.layout.chains) {
            let mut sum = Fr::ZERO;
            for (product, row) in chain.products.iter().zip(first..) {
                let [left, right] = [product.left, product.right].map(|value| self.value(value));
                if row > first {
                    let multiplier = self.at(self.layout.power(product.step));
                    self.second.power[row] = multiplier;
                    sum *= multiplier;
                }
                sum += field(product.coefficient) * left * right;
                self.second.left[row] = left;
                self.second.right[row] = right;
                self.second.dot[row] = sum;
            }
        }
    }

    fn members(&mut self) {
        for ((&weight, members), &first) in self.program.members.iter().zip(&self.layout.members) {
            let rows = rows_of(self.program, self.checked.circuit(), weight);
            let sums = members.selected.iter().map(|&(_, sum)| sum).chain(rows.into_iter().map(|(_, vector)| vector));
            let mut total = Fr::ZERO;
            for (sum, row) in sums.zip(first..) {
                let left = self.value(sum);
                let [index, numerator] = [0, 1].map(|column: usize| field(self.first.reads[column][row]));
                let denominator = self.drawn.theta + index + self.drawn.eta * left;
                // Zero only with the probability of guessing the challenge.
                let right = numerator * denominator.invert().unwrap_or(Fr::ZERO);
                total += right;
                self.second.left[row] = left;
                self.second.right[row] = right;
                self.second.dot[row] = total;
            }
        }
    }

    /// The running sums of the lookups.
    fn sums(&mut self) {
        let Challenges { eta, theta, .. } = self.drawn;
        let rows = self.layout.rows;
        let limb_bits = self.layout.shape.limb_bits;
        let tags = |tables: [Table; SLOTS]| tables.map(|table| self.layout.tables.tag(table) as u64);
        let mut row_tags = vec![[0u64; SLOTS]; rows];
        for (block, &first) in self.program.blocks.iter().zip(&self.layout.blocks) {
            let len = block.len.div_ceil(self.first.lanes.len());
            row_tags[first..first + len].fill(tags(slots(&block.kind, limb_bits)));
        }
        let tag_weight = eta.square();
        // Denominators and numerators, column by column.
        let mut fractions: Vec<(Vec<Fr>, Option<&Vec<i64>>)> = Vec::new();
        for lane in &self.first.lanes {
            for (slot, limbs) in lane.limbs.iter().enumerate() {
                let denominator = |row: usize| {
                    let side = if slot == SLOTS - 1 { eta * field(lane.sides[row]) } else { Fr::ZERO };
                    theta + field(limbs[row]) + tag_weight * Fr::from(row_tags[row][slot]) + side
                };
                fractions.push(((0..rows).into_par_iter().map(denominator).collect(), None));
            }
        }
        let mut entries: Vec<Vec<Fr>> = vec![vec![theta; rows]; self.first.counts.len()];
        for (position, (tag, (argument, value))) in self.layout.tables.entries(self.checked.circuit()).enumerate() {
            entries[position / rows][position % rows] +=
                field(argument) + eta * field(value) + tag_weight * Fr::from(tag as u64);
        }
        for (entries, counts) in entries.into_iter().zip(&self.first.counts) {
            fractions.push((entries, Some(counts)));
        }
        fractions.par_iter_mut().for_each(|(denominators, counts)| {
            denominators.iter_mut().batch_invert();
            if let Some(counts) = counts {
                for (inverse, count) in denominators.iter_mut().zip(*counts) {
                    *inverse *= -field(*count);
                }
            }
        });
        self.second.sums = fractions
            .par_chunks(self.layout.shape.fractions_per_sum())
            .map(|share| {
                let mut sum = Fr::ZERO;
                let mut sums = Vec::with_capacity(rows + 1);
                for row in 0..rows {
                    sums.push(sum);
                    sum += share.iter().map(|(fraction, _)| fraction[row]).sum::<Fr>();
                }
                sums.push(sum);
                sums
            })
            .collect();
    }
}

/// The accumulator of a lane's row.
type Accumulator = Box<dyn Fn(&super::Lane, usize) -> Fr>;

/// The accumulator of a row of a block, if it has an equation.
fn accumulators(block: &Block, limb_bits: u8) -> Option<Accumulator> {
    match block.kind {
        Kind::Free | Kind::Function { .. } => None,
        Kind::Plain { constant } => Some(Box::new(move |lane, row| field(lane.values[row]) - field(constant))),
        Kind::Number { low, .. } => Some(Box::new(move |lane, row| field(lane.values[row] - low))),
        Kind::Rescale(rescale) => {
            let base = 1i128 << limb_bits;
            let low = rescale.low_bits(limb_bits);
            let unit = 1i128 << rescale.shift;
            let half = if rescale.shift == 0 { 0 } else { unit / 2 };
            let middle = 1i128 << (rescale.top_bits(limb_bits) - 1);
            Some(Box::new(move |lane, row| {
                let [a, b, c, d] = [0, 1, 2, 3].map(|slot: usize| i128::from(lane.limbs[slot][row]));
                let (remainder, result) = if rescale.wide { (0, a + base * (b + base * c)) } else { (a + base * b, c) };
                let quotient = i128::from(rescale.low) + result + ((d - middle) << low);
                let value = remainder + unit * quotient - half - i128::from(rescale.constant);
                // Within 2^62 for every witness: see the bounds of the description.
                field(value as i64)
            }))
        }
    }
}
