//! Exact evaluation of expressions.
use assay_verifier::circuit::{CheckedCircuit, Expression, Gather, Indices, Node, Pass, Term, View, Weight};
use rayon::prelude::*;

use super::Weights;

/// What expressions refer to.
pub struct Scope<'a> {
    pub circuit: &'a CheckedCircuit,
    pub weights: &'a Weights,
    /// Cells of the nodes so far.
    pub nodes: &'a [Vec<i64>],
}

impl Scope<'_> {
    /// The value of the first terms of an expression in every cell.
    pub fn expression(&self, expression: &Expression, terms: usize, node: &Node) -> Vec<i64> {
        let Self { circuit, weights, nodes } = self;
        let expr = &expression.expr;
        let inner = node.inner as usize;
        let mut cells = vec![expr.constant; node.len() as usize];
        for (index, term) in expr.terms.iter().enumerate().take(terms) {
            let gathers = expression.gathers(index);
            cells.par_chunks_mut(inner).enumerate().for_each(|(row, cells)| match term {
                Term::Linear { coefficient, view } => {
                    linear(&gathers[0], *coefficient, self.source(view), row, cells);
                }
                Term::Contract { coefficient, weight, view } => {
                    let spec = &circuit.circuit().weights[*weight as usize];
                    let weights = &weights[*weight as usize];
                    contract(&gathers[0], *coefficient, spec, weights, self.source(view), row, cells);
                }
                Term::Bias { coefficient, weight } => {
                    for (cell, &bias) in cells.iter_mut().zip(&weights[*weight as usize]) {
                        *cell += coefficient * i64::from(bias);
                    }
                }
                Term::Select { coefficient, weight, indices } => {
                    let index = match indices {
                        Indices::Constant(indices) => indices[row] as usize,
                        Indices::Input(input) => nodes[*input as usize][row] as usize,
                    };
                    let chosen = &weights[*weight as usize][index * inner..(index + 1) * inner];
                    for (cell, &value) in cells.iter_mut().zip(chosen) {
                        *cell += coefficient * i64::from(value);
                    }
                }
                Term::Product { coefficient, left, right } => {
                    let factors = [(&gathers[0], self.source(left)), (&gathers[1], self.source(right))];
                    product(factors, *coefficient, row, cells);
                }
            });
        }
        cells
    }

    /// The cells that a view without summed axes reads.
    pub fn cells(&self, gather: &Gather, view: &View, node: &Node) -> Vec<i64> {
        let source = self.source(view);
        let inner = node.inner as usize;
        (0..node.len() as usize)
            .map(|cell| {
                let (row, o) = (cell / inner, cell % inner);
                let free = if gather.inner == 1 { 0 } else { o };
                gather.taps(row, free).flatten().map(|place| source.at(gather, place, o)).sum()
            })
            .collect()
    }

    fn source(&self, view: &View) -> Source<'_> {
        let inner = self.circuit.circuit().nodes[view.source as usize].inner as usize;
        Source { cells: &self.nodes[view.source as usize], inner }
    }
}

/// A tensor that a view reads.
#[derive(Clone, Copy)]
struct Source<'a> {
    cells: &'a [i64],
    inner: usize,
}

impl Source<'_> {
    /// The cell at a gathered place.
    fn at(&self, gather: &Gather, place: usize, passing: usize) -> i64 {
        match gather.pass {
            Pass::None => self.cells[place],
            Pass::Output { offset } | Pass::Channel { offset } => self.cells[place * self.inner + offset + passing],
        }
    }

    /// All cells that are read for one cell of the result, zeros for padding.
    fn read(&self, gather: &Gather, row: usize, o: usize, cells: &mut Vec<i64>) {
        let channels = if matches!(gather.pass, Pass::Channel { .. }) { gather.channels } else { 1 };
        let free = if gather.inner == 1 { 0 } else { o };
        cells.clear();
        for place in gather.taps(row, free) {
            for channel in 0..channels {
                let passing = if matches!(gather.pass, Pass::Output { .. }) { o } else { channel };
                cells.push(place.map_or(0, |place| self.at(gather, place, passing)));
            }
        }
    }
}

fn product(factors: [(&Gather, Source<'_>); 2], coefficient: i64, row: usize, cells: &mut [i64]) {
    let mut read = [Vec::new(), Vec::new()];
    for (o, cell) in cells.iter_mut().enumerate() {
        for ((gather, source), read) in factors.iter().zip(&mut read) {
            // What all cells of a row read alike is read once.
            if o == 0 || gather.uses_inner() {
                source.read(gather, row, o, read);
            }
        }
        *cell += coefficient * read[0].iter().zip(&read[1]).map(|(a, b)| a * b).sum::<i64>();
    }
}

fn linear(gather: &Gather, coefficient: i64, source: Source<'_>, row: usize, cells: &mut [i64]) {
    let channels = if matches!(gather.pass, Pass::Channel { .. }) { gather.channels } else { 1 };
    for (o, cell) in cells.iter_mut().enumerate() {
        let free = if gather.inner == 1 { 0 } else { o };
        let mut sum = 0;
        for place in gather.taps(row, free).flatten() {
            for channel in 0..channels {
                let passing = if matches!(gather.pass, Pass::Output { .. }) { o } else { channel };
                sum += source.at(gather, place, passing);
            }
        }
        *cell += coefficient * sum;
    }
}

fn contract(
    gather: &Gather,
    coefficient: i64,
    spec: &Weight,
    weights: &[i16],
    source: Source<'_>,
    row: usize,
    cells: &mut [i64],
) {
    let summed = (spec.taps * spec.channels) as usize;
    let channels = if matches!(gather.pass, Pass::Channel { .. }) { gather.channels } else { 1 };
    if !gather.uses_inner() {
        // All outputs read the same cells: gather them once.
        let mut read = Vec::with_capacity(summed);
        for place in gather.taps(row, 0) {
            read.extend((0..channels).map(|channel| place.map_or(0, |place| source.at(gather, place, channel))));
        }
        for (cell, weights) in cells.iter_mut().zip(weights.chunks_exact(summed)) {
            *cell += coefficient * weights.iter().zip(&read).map(|(&w, &x)| i64::from(w) * x).sum::<i64>();
        }
        return;
    }
    for ((o, cell), weights) in cells.iter_mut().enumerate().zip(weights.chunks_exact(summed)) {
        let free = if gather.inner == 1 { 0 } else { o };
        let mut sum = 0;
        for (place, weights) in gather.taps(row, free).zip(weights.chunks_exact(channels)) {
            let Some(place) = place else { continue };
            for (channel, &weight) in weights.iter().enumerate() {
                let passing = if matches!(gather.pass, Pass::Output { .. }) { o } else { channel };
                sum += i64::from(weight) * source.at(gather, place, passing);
            }
        }
        *cell += coefficient * sum;
    }
}
