//! Which cells equal which.
use assay_verifier::circuit::Circuit;

use super::layout::{Layout, Line, Place};
use super::program::{Kind, Program, Value};

/// Calls `copy(from, to)` for all copies. `to` is a cell that is nothing but a copy, except for private inputs, outputs and sums that must be
/// zero, which are `from` in their own right.
pub fn copies(program: &Program, layout: &Layout, circuit: &Circuit, copy: &mut impl FnMut(Place, Place)) {
    let at = |line, row| Place { line, row };
    let value = |value| layout.place(program, value);
    let zero = value(Value::Constant(0));
    let one = value(Value::Constant(1));
    for row in layout.powers.values() {
        copy(one, at(Line::Power, *row));
    }
    for (block, id) in program.blocks.iter().zip(0u32..) {
        if let Kind::Function { arguments, .. } = &block.kind {
            for (index, &argument) in arguments.iter().enumerate() {
                let (lane, row) = layout.cell(program, id, index);
                copy(value(argument), at(Line::Argument(lane as u8), row));
            }
        }
    }
    for (run, &first) in program.runs.iter().zip(&layout.runs) {
        let reads = run.width(&layout.shape);
        let pad = run.cells.len().next_multiple_of(reads) - run.cells.len();
        for i in 0..pad {
            copy(zero, at(Line::Read(i as u8), first));
        }
        for (&cell, i) in run.cells.iter().zip(pad..) {
            copy(value(cell), at(Line::Read((i % reads) as u8), first + i / reads));
        }
        for row in 0..run.rows(&layout.shape) {
            copy(layout.power(run.exponent), at(Line::Power, first + row));
        }
    }
    for (chain, &first) in program.chains.iter().zip(&layout.chains) {
        for (product, row) in chain.products.iter().zip(first..) {
            copy(value(product.left), at(Line::Left, row));
            copy(value(product.right), at(Line::Right, row));
            if row > first {
                copy(layout.power(product.step), at(Line::Power, row));
            }
        }
        if chain.zero {
            copy(at(Line::Dot, first + chain.products.len() - 1), zero);
        }
    }
    for ((&weight, members), &first) in program.members.iter().zip(&layout.members) {
        let mut row = first;
        for &(index, sum) in &members.selected {
            copy(value(index), at(Line::Read(0), row));
            copy(one, at(Line::Read(1), row));
            copy(value(sum), at(Line::Left, row));
            row += 1;
        }
        for (output, vector) in rows_of(program, circuit, weight) {
            copy(value(Value::Constant(output)), at(Line::Read(0), row));
            copy(value(vector), at(Line::Left, row));
            row += 1;
        }
        copy(at(Line::Dot, row - 1), zero);
    }
    for (index, &cell) in program.private.iter().enumerate() {
        copy(value(cell), input_place(layout, index));
    }
    for (index, &output) in program.outputs.iter().enumerate() {
        copy(value(output), layout.output(program, index));
    }
}

/// Where a private input is committed.
pub fn input_place(layout: &Layout, index: usize) -> Place {
    Place { line: Line::Input((index / layout.heights.inputs) as u8), row: index % layout.heights.inputs }
}

/// The rows of a weight with their vectors.
pub fn rows_of(program: &Program, circuit: &Circuit, weight: u32) -> Vec<(i64, Value)> {
    use super::program::{Take, Vector};
    let outputs = circuit.weights[weight as usize].outputs;
    let mut ids = vec![0; outputs as usize];
    for (vector, id) in program.vectors.iter().zip(0u32..) {
        if let Vector { weight: of, take: Take::Row(row) } = *vector
            && of == weight
        {
            ids[row as usize] = id;
        }
    }
    ids.into_iter().zip(0..).map(|(id, output)| (output, Value::Vector(id))).collect()
}
