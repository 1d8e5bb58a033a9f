//! Quotients and roots: neighbours of the right value, and values that are right in the field only.
use assay_circuits::eval::Evaluation;
use assay_prover::witness::Witness;
use assay_verifier::circuit::Op;
use assay_verifier::field::{F, signed};
use assay_verifier::sumcheck::Step;
use assay_verifier::sumcheck::layout::{Block, NodeColumns};
use p3_field::{Field, PrimeCharacteristicRing};

use crate::common::attention::{NORM, NORMALISED, SOFTMAX};
use crate::setting::{Setting, at, blocks, changed, write_limbs};

/// Nodes that are quotients or roots.
pub const BRACKETS: [usize; 3] = [SOFTMAX, NORM, NORMALISED];

/// Where the witness of a quotient or root lies.
struct Columns {
    low: i64,
    value: Vec<(Block, u32)>,
    lower: [Vec<(Block, u32)>; 2],
}

impl Setting {
    fn bracket(&self, node: usize) -> Columns {
        let NodeColumns::Bracket { value, checks } = &self.key.layout().nodes[node] else { panic!("no bracket") };
        let lower = checks.each_ref().map(|check| blocks(self, &check.lower));
        Columns { low: self.key.circuit().bracket(node).unwrap().low, value: blocks(self, value), lower }
    }

    /// The evaluation in which one cell of a quotient or root has another value, and all follows from it: what is checked
    /// against zero too.
    pub fn with_bracket(&self, node: usize, cell: usize, value: i64) -> Evaluation {
        let cells = &self.evaluation.nodes[node];
        let mut evaluation = self.with_cells(node, changed(cells, cell, value));
        let (honest, values) = (cells[cell], &mut evaluation.accumulators[node]);
        let [above, lacking] = [values[cell], values[cells.len() + cell]];
        let [less, more] = match self.circuit().nodes[node].op {
            Op::Quotient { .. } => [(above + lacking + 1) * (value - honest); 2],
            _ => [value * value - honest * honest, value * (value + 2) - honest * (honest + 2)],
        };
        values[cell] = above - less;
        values[cells.len() + cell] = lacking + more;
        evaluation
    }
}

#[test]
fn neighbours() {
    let setting = Setting::attention();
    for node in BRACKETS {
        let columns = setting.bracket(node);
        let cells = &setting.evaluation.nodes[node];
        let range = setting.key.circuit().range(node as u32).unwrap();
        for cell in [0, cells.len() / 2, cells.len() - 1] {
            for value in [cells[cell] - 1, cells[cell] + 1, cells[cell] - 7, cells[cell] + 7, range.low, range.high] {
                if value == cells[cell] || !range.contains(value) {
                    continue;
                }
                // The remainder is negative, or not below the denominator.
                let evaluation = setting.with_bracket(node, cell, value);
                let mut witness = setting.witness(&evaluation);
                setting.refused("another value", &witness, &evaluation, Step::LookupSum);
                setting.recount(&mut witness, &evaluation);
                setting.refused("another value, counted", &witness, &evaluation, Step::LookupSum);

                // The value alone: what is checked is that of the right one.
                let mut evaluation = evaluation;
                evaluation.accumulators[node] = setting.evaluation.accumulators[node].clone();
                let witness = setting.witness(&evaluation);
                setting.refused("value with the checks of another", &witness, &evaluation, Step::Stack);

                // The witness alone, and the consumers alone.
                let mut witness = setting.witness(&setting.evaluation);
                write_limbs(&columns.value, &mut witness, cell, value - columns.low);
                setting.recount(&mut witness, &setting.evaluation);
                setting.refused("limbs alone", &witness, &setting.evaluation, Step::Stack);
                let mut witness = setting.witness(&evaluation);
                write_limbs(&columns.value, &mut witness, cell, cells[cell] - columns.low);
                setting.recount(&mut witness, &evaluation);
                setting.refused("consumers alone", &witness, &evaluation, Step::Stack);
            }
        }
    }
}

/// Both expressions that are checked stay in range, but are not those of the relation.
#[test]
fn other_checks() {
    let setting = Setting::attention();
    for node in BRACKETS {
        let columns = setting.bracket(node);
        let cells = setting.evaluation.nodes[node].len();
        let honest = &setting.evaluation.accumulators[node];
        let both = (0..cells).find(|&cell| honest[cell] > 0 && honest[cells + cell] > 0).unwrap();
        for (above, lacking) in [(1, -1), (-1, 1), (1, 0), (0, 1)] {
            let mut evaluation = setting.evaluation.clone();
            evaluation.accumulators[node][both] += above;
            evaluation.accumulators[node][cells + both] += lacking;
            let witness = setting.witness(&evaluation);
            setting.refused("another remainder", &witness, &evaluation, Step::Stack);
        }
        // A lower limb of one too many, which the top limb does not take back.
        for lower in &columns.lower {
            let Some((block, _)) = lower.first() else { continue };
            let full = signed((1 << 7) - 1);
            let free = (0..cells).find(|&cell| {
                let witness = setting.witness(&setting.evaluation);
                witness.stack[at(block, cell)] != full
            });
            let mut witness = setting.witness(&setting.evaluation);
            witness.stack[at(block, free.unwrap())] += F::ONE;
            setting.recount(&mut witness, &setting.evaluation);
            setting.refused("lower limb", &witness, &setting.evaluation, Step::Stack);
        }
    }
}

/// What satisfies the relation in the field, but is no small integer.
#[test]
fn right_in_the_field() {
    let setting = Setting::attention();
    let write = |witness: &mut Witness, limbs: &[(Block, u32)], cell: usize, value: F| {
        let ((last, shift), below) = limbs.split_last().unwrap();
        below.iter().for_each(|(block, _)| witness.stack[at(block, cell)] = F::ZERO);
        witness.stack[at(last, cell)] = value * F::from_u64(1 << shift).inverse();
    };
    for node in BRACKETS {
        let columns = setting.bracket(node);
        let cells = &setting.evaluation.nodes[node];
        let honest = &setting.evaluation.accumulators[node];
        let cell = (0..cells.len()).find(|&cell| honest[cell] > 0).unwrap();
        let value = match setting.circuit().nodes[node].op {
            // A remainder of zero: the quotient in the field.
            Op::Quotient { .. } => {
                let denominator = honest[cell] + honest[cells.len() + cell] + 1;
                let mut evaluation = setting.evaluation.clone();
                evaluation.accumulators[node][cell] = 0;
                evaluation.accumulators[node][cells.len() + cell] = denominator - 1;
                let numerator = cells[cell] * denominator + honest[cell];
                let value = signed(numerator) * signed(denominator).inverse();
                let mut witness = setting.witness(&evaluation);
                write(&mut witness, &columns.value, cell, value - signed(columns.low));
                setting.recount(&mut witness, &evaluation);
                setting.refused("field quotient", &witness, &evaluation, Step::LookupSum);
                value
            }
            // The other root.
            _ => signed(-cells[cell]),
        };
        let mut witness = setting.witness(&setting.evaluation);
        write(&mut witness, &columns.value, cell, value - signed(columns.low));
        setting.recount(&mut witness, &setting.evaluation);
        setting.refused("not a small integer", &witness, &setting.evaluation, Step::LookupSum);
    }
    // The negative root with the checks that it has.
    let cells = &setting.evaluation.nodes[NORM];
    let mut evaluation = setting.evaluation.clone();
    evaluation.nodes[NORM][0] = -cells[0];
    evaluation.accumulators[NORM][cells.len()] -= 4 * cells[0];
    let witness = setting.witness(&evaluation);
    setting.refused("negative root", &witness, &evaluation, Step::LookupSum);
}
