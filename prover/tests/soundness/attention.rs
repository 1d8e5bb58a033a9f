//! Keys of circuits with selections, products with sums, quotients, roots, maxima and index tables: every field of these.
use assay_verifier::circuit::{AxisMap, Expr, Indices, View};

use crate::common::attention::{
    EMBEDDED, LARGEST, MIXED, NORM, NORMALISED, PERMUTED, POOLED, SCORES, SOFTMAX, SQUARES, SUMS,
};
use crate::keys::{KeyChange, refused_three_times};
use crate::*;

fn change(name: &'static str, change: impl Fn(&mut Key) + 'static) -> KeyChange {
    (name, Box::new(change))
}

fn quotient(key: &mut Key, node: usize) -> (&mut Expr, &mut View) {
    let Op::Quotient { numerator, denominator } = &mut key.circuit.nodes[node].op else { panic!("no quotient") };
    (numerator, denominator)
}

fn root(key: &mut Key) -> &mut Expr {
    let Op::Root(expr) = &mut key.circuit.nodes[NORM].op else { panic!("no root") };
    expr
}

fn term(key: &mut Key, node: usize, term: usize) -> &mut Term {
    match &mut key.circuit.nodes[node].op {
        Op::Affine(expr) | Op::Rescale { expr, .. } | Op::Quotient { numerator: expr, .. } => &mut expr.terms[term],
        _ => panic!("no expression"),
    }
}

fn select(key: &mut Key, at: usize) -> (&mut i64, &mut u32, &mut Indices) {
    let Term::Select { coefficient, weight, indices } = term(key, EMBEDDED, at) else { panic!("no selection") };
    (coefficient, weight, indices)
}

fn product(key: &mut Key, node: usize) -> (&mut View, &mut View) {
    let Term::Product { left, right, .. } = term(key, node, 0) else { panic!("no product") };
    (left, right)
}

fn linear(key: &mut Key, node: usize) -> (&mut i64, &mut View) {
    let Term::Linear { coefficient, view } = term(key, node, 0) else { panic!("not linear") };
    (coefficient, view)
}

fn index_table(key: &mut Key) -> &mut AxisMap {
    &mut linear(key, PERMUTED).1.maps[1]
}

#[test]
fn fields_of_a_key() {
    let changes = vec![
        change("another position", |key| *select(key, 1).2 = Indices::Constant(vec![5, 0, 6, 3])),
        change("positions by words", |key| *select(key, 1).2 = Indices::Input(0)),
        change("words by the description", |key| *select(key, 0).2 = Indices::Constant(vec![0, 1, 2, 3])),
        change("tables exchanged", |key| {
            *select(key, 0).1 = 1;
            *select(key, 1).1 = 0;
        }),
        change("a selection's coefficient", |key| *select(key, 0).0 = 2),
        change("a summed product's factor", |key| product(key, SCORES).1.source = 2),
        change("a summed product's key", |key| product(key, SCORES).1.maps[0].offset = 1),
        change("a summed product's query", |key| product(key, MIXED).0.maps[1].coefficients = vec![0; 4]),
        change("the cells of a maximum", |key| key.circuit.nodes[POOLED].op = Op::Max { source: MIXED as u32 }),
        change("a numerator's coefficient", |key| *linear(key, SOFTMAX).0 = 255),
        change("a numerator's constant", |key| quotient(key, NORMALISED).0.constant += 1),
        change("a denominator's row", |key| {
            quotient(key, SOFTMAX).1.maps[0] = AxisMap::affine(7, vec![-1, 0]);
        }),
        change("another denominator", |key| {
            let (_, denominator) = quotient(key, NORMALISED);
            denominator.source = SQUARES as u32;
        }),
        change("a least denominator", |key| {
            let Op::Rescale { low, .. } = &mut key.circuit.nodes[SUMS].op else { panic!("not rescaled") };
            *low = 2;
        }),
        change("a radicand's constant", |key| root(key).constant = 2),
        change("a radicand's coefficient", |key| {
            let Term::Linear { coefficient, .. } = &mut root(key).terms[0] else { panic!("not linear") };
            *coefficient = 15;
        }),
        change("a wide rescale's width", |key| {
            let Op::Rescale { bits, .. } = &mut key.circuit.nodes[SQUARES].op else { panic!("not rescaled") };
            *bits = 25;
        }),
        change("an index", |key| index_table(key).table[0] = 4),
        change("an index that reads padding", |key| index_table(key).table[4] = 10),
        change("an index more", |key| index_table(key).table.push(2)),
        change("an index less", |key| shorten(&mut index_table(key).table)),
        change("no table", |key| index_table(key).table.clear()),
        change("a row of a table of exponentials", |key| key.circuit.tables[0].values[250] += 1),
    ];
    refused_three_times(&attention_case(), &changes);
    println!("{} rows", 3 * changes.len());
}

#[test]
fn malformed_keys() {
    let node = |node, reason| Refusal::Key(KeyError::Circuit(CircuitError::Node { node, reason }));
    let selection = "a selection does not fit its weight";
    let quotients = "a quotient of values that are too wide, or a denominator that is not positive";
    let maxima = "a maximum whose groups do not fit the source, or of values that are too wide";
    let rows = [
        row("a position that is not there", node(EMBEDDED, selection), |case| {
            *select(&mut case.key, 1).2 = Indices::Constant(vec![0, 0, 0, 7]);
        }),
        row("a position less", node(EMBEDDED, selection), |case| {
            *select(&mut case.key, 1).2 = Indices::Constant(vec![0, 0, 0]);
        }),
        row("words that are not there", node(EMBEDDED, selection), |case| {
            case.key.circuit.nodes[0].op = Op::Input(Range { low: 0, high: 7 });
        }),
        row("negative words", node(EMBEDDED, selection), |case| {
            case.key.circuit.nodes[0].op = Op::Input(Range { low: -1, high: 6 });
        }),
        row("words of no input", node(EMBEDDED, selection), |case| {
            *select(&mut case.key, 0).2 = Indices::Input(1);
        }),
        row("a denominator of zero", node(SOFTMAX, quotients), |case| {
            let Op::Rescale { low, .. } = &mut case.key.circuit.nodes[SUMS].op else { panic!("not rescaled") };
            *low = 0;
        }),
        row("a denominator in padding", node(SOFTMAX, "a denominator with summed axes or padding"), |case| {
            quotient(&mut case.key, SOFTMAX).1.maps[0].offset = 1;
        }),
        row("a negative radicand", node(NORM, "a root of values that are too wide, or negative"), |case| {
            root(&mut case.key).constant = -1;
        }),
        row("a maximum of another shape", node(POOLED, maxima), |case| {
            case.key.circuit.nodes[POOLED].op = Op::Max { source: SCORES as u32 };
        }),
        row("a maximum of wide values", node(LARGEST, maxima), |case| {
            let Op::Rescale { bits, .. } = &mut case.key.circuit.nodes[SCORES].op else { panic!("not rescaled") };
            *bits = 17;
        }),
        row("factors of other axes", node(SCORES, "a product of views with other axes"), |case| {
            let (left, _) = product(&mut case.key, SCORES);
            left.sum.push(1);
            left.maps.iter_mut().for_each(|map| map.coefficients.push(0));
        }),
        row("too wide a rescale", node(SQUARES, "shift, range or width do not fit the values"), |case| {
            let Op::Rescale { bits, .. } = &mut case.key.circuit.nodes[SQUARES].op else { panic!("not rescaled") };
            *bits = 41;
        }),
    ];
    assert_rows(&attention_case(), &rows);
    println!("{} rows", rows.len());
}

/// Other words in the statement: the proof is bound to them, and to the vocabulary.
#[test]
fn statements() {
    let mut rows = vec![
        row("a word that is not there", port_range("input", 0, 2), |case| case.inputs_mut()[0][2] = 7),
        row("a negative word", port_range("input", 0, 0), |case| case.inputs_mut()[0][0] = -1),
        row("a word that wraps", port_range("input", 0, 1), |case| case.inputs_mut()[0][1] += 1 << 32),
        row("a part above one", port_range("output", 1, 31), |case| {
            case.proof.statement.outputs[1][31] = 51_201;
        }),
    ];
    let case = attention_case();
    for position in 0..4 {
        rows.push(row(format!("word {position}"), step(Step::LookupRound), move |case| {
            let word = &mut case.inputs_mut()[0][position];
            *word = (*word + 1) % 7;
        }));
    }
    for (index, cells) in case.proof.statement.outputs.iter().enumerate() {
        for position in 0..cells.len() {
            rows.push(row(format!("output {index}, cell {position}"), step(Step::LookupRound), move |case| {
                let cell = &mut case.proof.statement.outputs[index][position];
                *cell += if *cell < 100 { 1 } else { -1 };
            }));
        }
    }
    assert_rows(&case, &rows);
    println!("{} rows", rows.len());
}
