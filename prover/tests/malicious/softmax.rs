//! Is there a second softmax? It is made of a maximum, a table, a sum that is rescaled and a quotient. Each is given other
//! values in turn, with everything else made to fit: whatever would give another output is refused.
use assay_circuits::eval::Evaluation;
use assay_verifier::sumcheck::Step;

use crate::common::attention::{BELOW, EXPONENTIALS, LARGEST, SCORES, SOFTMAX, SUMS};
use crate::setting::{Setting, changed};

fn refused(setting: &Setting, name: &str, evaluation: &Evaluation, step: Step) {
    assert_ne!(evaluation.nodes[SOFTMAX], setting.evaluation.nodes[SOFTMAX], "{name}: the same output");
    let mut witness = setting.witness(evaluation);
    setting.refused(name, &witness, evaluation, step);
    setting.recount(&mut witness, evaluation);
    setting.refused(name, &witness, evaluation, step);
}

/// The softmax does not change when all scores of a row are shifted, so the maximum looks like a free choice.
#[test]
fn another_shift() {
    let setting = Setting::attention();
    let cells = &setting.evaluation.nodes[LARGEST];
    let range = setting.key.circuit().range(LARGEST as u32).unwrap();
    let mut tried = 0;
    for row in 0..cells.len() {
        for shift in [-20, -8, 8, 20, 40] {
            let value = cells[row] + shift;
            let evaluation = setting.with_cells(LARGEST, changed(cells, row, value.clamp(range.low, range.high)));
            if evaluation.nodes[SOFTMAX] != setting.evaluation.nodes[SOFTMAX] {
                refused(&setting, "another maximum", &evaluation, Step::LookupSum);
                tried += 1;
            }
        }
    }
    assert!(tried >= 20, "only {tried} shifts give another output");
}

#[test]
fn other_parts() {
    let setting = Setting::attention();
    let cell_of = |node: usize| setting.evaluation.nodes[node].len() / 2;
    for step in [-8, 8] {
        // The difference alone: scores and maximum say another one.
        let cells = &setting.evaluation.nodes[BELOW];
        let cell = (0..cells.len()).find(|&cell| (-40..-8).contains(&cells[cell])).unwrap();
        let evaluation = setting.with_cells(BELOW, changed(cells, cell, cells[cell] + step));
        refused(&setting, "another difference", &evaluation, Step::Stack);
        // An exponential that is not in the table.
        let cells = &setting.evaluation.nodes[EXPONENTIALS];
        let evaluation = setting.with_cells(EXPONENTIALS, changed(cells, cell, cells[cell] + step));
        refused(&setting, "another exponential", &evaluation, Step::LookupSum);
    }
    // The exponentials of a row, all scaled: a softmax would not change, but for rounding.
    let cells = &setting.evaluation.nodes[EXPONENTIALS];
    let scaled = cells.iter().enumerate().map(|(cell, &value)| if cell < 4 { value / 2 + 1 } else { value }).collect();
    refused(&setting, "exponentials scaled", &setting.with_cells(EXPONENTIALS, scaled), Step::LookupSum);

    // Another sum: first alone, then with an accumulator that has it.
    let (cells, row) = (&setting.evaluation.nodes[SUMS], cell_of(SUMS));
    for value in [cells[row] - 30, cells[row] + 30, 1, 1024] {
        let mut evaluation = setting.with_cells(SUMS, changed(cells, row, value));
        refused(&setting, "another sum", &evaluation, Step::Stack);
        evaluation.accumulators[SUMS][row] = value;
        refused(&setting, "another accumulator", &evaluation, Step::Stack);
    }

    // Parts moved from one word to another, the sum of the row unchanged.
    let cells = &setting.evaluation.nodes[SOFTMAX];
    let pair = |cell: &usize| cell % 4 < 3 && cells[*cell] > 0 && cells[cell + 1] > 0;
    let cell = (0..cells.len()).find(pair).unwrap();
    let [more, less] =
        [(cell, 1), (cell + 1, -1)].map(|(at, step)| setting.with_bracket(SOFTMAX, at, cells[at] + step));
    let moved = changed(&more.nodes[SOFTMAX], cell + 1, less.nodes[SOFTMAX][cell + 1]);
    let mut evaluation = setting.with_cells(SOFTMAX, moved);
    for (at, part) in [(cell, &more), (cell + 1, &less)] {
        for at in [at, cells.len() + at] {
            evaluation.accumulators[SOFTMAX][at] = part.accumulators[SOFTMAX][at];
        }
    }
    refused(&setting, "parts moved", &evaluation, Step::LookupSum);
}

/// The softmax of other scores, exactly as it should be for them.
#[test]
fn other_scores() {
    let setting = Setting::attention();
    let cells = &setting.evaluation.nodes[SCORES];
    let mut swapped = cells.clone();
    let other = (1..4).find(|&key| cells[key] != cells[0]).unwrap();
    swapped.swap(0, other);
    refused(&setting, "scores exchanged", &setting.with_cells(SCORES, swapped), Step::Stack);
    let shifted: Vec<i64> = cells.iter().enumerate().map(|(at, &cell)| (cell + at as i64 % 3 * 9).min(127)).collect();
    let mut evaluation = setting.with_cells(SCORES, shifted);
    refused(&setting, "scores shifted", &evaluation, Step::Stack);
    let scale = |(at, accumulator): (usize, &mut i64)| {
        *accumulator += (evaluation.nodes[SCORES][at] - cells[at]) << 4;
    };
    let mut accumulators = evaluation.accumulators[SCORES].clone();
    accumulators.iter_mut().enumerate().for_each(scale);
    evaluation.accumulators[SCORES] = accumulators;
    refused(&setting, "accumulators shifted", &evaluation, Step::Stack);
}
