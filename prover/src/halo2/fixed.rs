//! The fixed columns. All but public weights follow from the description and the shape.
use assay_circuits::eval::Weights;
use assay_verifier::circuit::Circuit;
use assay_verifier::halo2::config::{Columns, WeightColumns};
use assay_verifier::halo2::curve::Fr;
use halo2_proofs::plonk::{Column, Fixed};

use super::field;
use super::layout::{Layout, power_len, vector_len};
use super::program::{Block, Kind, Program, Take, Vector};
use super::tables::{place, slots};

/// Writes all fixed cells that are not zero.
pub struct Filler<'a, S> {
    /// Everything that is to be shown.
    pub program: &'a Program,
    /// Where.
    pub layout: &'a Layout,
    /// Of what.
    pub circuit: &'a Circuit,
    /// The columns.
    pub columns: &'a Columns,
    /// Takes a cell.
    pub set: S,
}

impl<S: FnMut(Column<Fixed>, usize, Fr)> Filler<'_, S> {
    /// Writes all cells; weights where they are public.
    pub fn fill(&mut self, weights: &Weights) {
        self.rows();
        self.tables();
        self.runs();
        self.vectors(weights);
        self.powers();
        self.chains();
        self.members();
        for (&constant, &row) in &self.layout.constants {
            (self.set)(self.columns.machine.constants, row, field(constant));
        }
        for (block, &row) in self.program.blocks.iter().zip(&self.layout.blocks) {
            self.block(block, row);
        }
    }

    fn one(&mut self, column: Column<Fixed>, row: usize) {
        (self.set)(column, row, Fr::one());
    }

    /// Marks a row 1, or 2.
    fn mark(&mut self, column: Column<Fixed>, row: usize, second: bool) {
        (self.set)(column, row, Fr::from(1 + u64::from(second)));
    }

    fn rows(&mut self) {
        for row in 0..self.layout.rows {
            self.one(self.columns.machine.active, row);
        }
        self.one(self.columns.machine.ends, 0);
        (self.set)(self.columns.machine.ends, self.layout.rows, Fr::from(2));
    }

    fn tables(&mut self) {
        for (position, (tag, (argument, value))) in self.layout.tables.entries(self.circuit).enumerate() {
            let (table, row) = place(&self.layout.shape, self.layout.rows, position);
            let table = self.columns.tables[table];
            (self.set)(table.tag, row, Fr::from(tag as u64));
            (self.set)(table.argument, row, field(argument));
            (self.set)(table.value, row, field(value));
        }
    }

    fn runs(&mut self) {
        let machine = self.columns.machine;
        for (run, &first) in self.program.runs.iter().zip(&self.layout.runs) {
            let (begins, goes_on) = match self.columns.pairs {
                Some(pairs) if run.pairs => (pairs.pair, pairs.next),
                _ => (machine.read, machine.read_next),
            };
            for row in first..first + run.rows(&self.layout.shape) {
                self.one(begins, row);
                if row > first {
                    self.one(goes_on, row);
                }
            }
        }
    }

    fn vectors(&mut self, weights: &Weights) {
        let machine = self.columns.machine;
        for (id, vector) in self.program.vectors.iter().enumerate() {
            for row in self.layout.vectors[id]..=self.layout.vector_end(id) {
                self.mark(machine.weight, row, row > self.layout.vectors[id]);
            }
            match &self.columns.weights {
                WeightColumns::Public(columns) => {
                    for (column, row, weight) in cells(self.layout, self.circuit, weights, id, vector) {
                        (self.set)(columns[column], row, field(weight.into()));
                    }
                }
                WeightColumns::Private { columns, pads } => {
                    let len = vector_len(&self.circuit.weights[vector.weight as usize], vector);
                    let pad = len.next_multiple_of(columns.len()) - len;
                    if let Some(&(_, rows)) = pads.iter().find(|(size, _)| *size == pad) {
                        self.one(rows, self.layout.vectors[id]);
                    } else {
                        assert_eq!(pad, 0, "the constraint system knows the padding of all vectors");
                    }
                }
            }
        }
    }

    fn powers(&mut self) {
        let machine = self.columns.machine;
        for (&exponent, &first) in &self.layout.powers {
            let bits = power_len(exponent) - 1;
            for bit in 0..bits {
                let times = exponent >> (bits - 1 - bit) & 1 == 1;
                self.mark(machine.square, first + 1 + bit, times);
            }
        }
    }

    fn chains(&mut self) {
        let machine = self.columns.machine;
        for (chain, &first) in self.program.chains.iter().zip(&self.layout.chains) {
            for (product, row) in chain.products.iter().zip(first..) {
                self.mark(machine.dot, row, row > first);
                (self.set)(machine.coefficient, row, field(product.coefficient));
            }
        }
    }

    fn members(&mut self) {
        let Some(rows) = self.columns.members else { return };
        for ((&weight, members), &first) in self.program.members.iter().zip(&self.layout.members) {
            let outputs = self.circuit.weights[weight as usize].outputs as usize;
            for row in first..first + members.selected.len() + outputs {
                self.one(rows.member, row);
                if row > first {
                    self.one(rows.next, row);
                }
            }
        }
    }

    fn block(&mut self, block: &Block, first: usize) {
        let shape = &self.layout.shape;
        let rows = &self.columns.rows;
        let tags = slots(&block.kind, shape.limb_bits).map(|table| Fr::from(self.layout.tables.tag(table) as u64));
        let mut cells: Vec<(Column<Fixed>, Fr)> = rows.tags.into_iter().zip(tags).collect();
        let one = Fr::one();
        let equation = match &block.kind {
            Kind::Free | Kind::Function { .. } => false,
            Kind::Plain { constant } => {
                cells.push((rows.constant, -field(*constant)));
                cells.extend(rows.plain.map(|plain| (plain, one)));
                true
            }
            Kind::Number { low, .. } => {
                cells.extend([(rows.low, field(*low)), (rows.constant, -field(*low))]);
                cells.extend([rows.number, rows.plain].into_iter().flatten().map(|marked| (marked, one)));
                true
            }
            Kind::Rescale(rescale) => {
                let low = rescale.low_bits(shape.limb_bits);
                let unit = Fr::from(1 << rescale.shift);
                let half = if rescale.shift == 0 { Fr::zero() } else { Fr::from(1 << (rescale.shift - 1)) };
                let top = unit * Fr::from(1 << low);
                let offset = top * Fr::from(1 << (rescale.top_bits(shape.limb_bits) - 1));
                let constant = unit * field(rescale.low) - half - offset - field(rescale.constant);
                cells.extend([
                    (rows.wide.filter(|_| rescale.wide).unwrap_or(rows.rescale), one),
                    (rows.unit, unit),
                    (rows.top, top),
                    (rows.offset, offset),
                    (rows.constant, constant),
                    (rows.low, field(rescale.low)),
                    (rows.span, unit * Fr::from((1 << rescale.bits) - 1)),
                ]);
                true
            }
        };
        for row in first..first + block.len.div_ceil(shape.lanes.into()) {
            for &(column, value) in &cells {
                (self.set)(column, row, value);
            }
            if equation && row > first {
                self.one(rows.next, row);
            }
        }
    }
}

/// The cells of a vector of weights: column, row and value.
pub fn cells<'a>(
    layout: &'a Layout,
    circuit: &Circuit,
    weights: &'a Weights,
    id: usize,
    vector: &Vector,
) -> impl Iterator<Item = (usize, usize, i16)> + 'a {
    let weight = &circuit.weights[vector.weight as usize];
    let summed = (weight.taps * weight.channels) as usize;
    let (start, step) = match vector.take {
        Take::Outputs(s) => (s as usize, summed),
        Take::Row(output) => (output as usize * summed, 1),
        Take::One(at) => (at as usize, 1),
    };
    let len = vector_len(weight, vector);
    let columns = usize::from(layout.shape.weights);
    let pad = len.next_multiple_of(columns) - len;
    let values = &weights[vector.weight as usize];
    (0..len).map(move |i| {
        let at = pad + i;
        (at % columns, layout.vectors[id] + at / columns, values[start + i * step])
    })
}
