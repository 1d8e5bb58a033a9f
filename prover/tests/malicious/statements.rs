//! Inputs and outputs other than those that were evaluated.
use assay_verifier::statement::Statement;
use assay_verifier::sumcheck::{Step, VerifyError};

use crate::common::{stated_inputs, verify};
use crate::setting::{Setting, changed};

#[test]
fn inputs_and_outputs() {
    let setting = Setting::new();
    let witness = setting.witness(&setting.evaluation);
    let prove = |change: &dyn Fn(&mut Statement)| {
        let mut statement = setting.statement(&setting.evaluation);
        change(&mut statement);
        verify(&setting.key, &setting.prover.argue(statement, &witness, &setting.evaluation).unwrap())
    };
    let refused = Err(VerifyError::Check(Step::Stack));
    let honest = setting.statement(&setting.evaluation);
    for (port, cells) in honest.outputs.iter().enumerate() {
        for cell in 0..cells.len() {
            let change = |statement: &mut Statement| {
                let value = &mut statement.outputs[port][cell];
                *value += if *value < 255 { 1 } else { -1 };
            };
            assert_eq!(prove(&change), refused, "output {port}, cell {cell}");
        }
    }
    for cell in 0..setting.inputs[0].len() {
        let change = |statement: &mut Statement| stated_inputs(statement)[0][cell] ^= 1;
        assert_eq!(prove(&change), refused, "input cell {cell}");
    }
    let other = honest.outputs[0].iter().position(|&value| value != honest.outputs[0][0]).unwrap();
    assert_eq!(prove(&|statement| statement.outputs[0].swap(0, other)), refused, "outputs swapped");
    let other = setting.inputs[0].iter().position(|&value| value != setting.inputs[0][0]).unwrap();
    assert_eq!(prove(&|statement| stated_inputs(statement)[0].swap(0, other)), refused, "inputs swapped");
    assert_eq!(prove(&|statement| statement.context.clear()), Ok(()), "the context is the caller's choice");

    // An output that the last layer's witness supports, but not its accumulators.
    let rescale = setting.rescale(9);
    let cells = &setting.evaluation.nodes[9];
    let cell = rescale.find(|_, offset, excess| excess == 0 && offset > 0);
    let mut evaluation = setting.with_cells(9, changed(cells, cell, cells[cell] - 1));
    let mut witness = setting.witness(&evaluation);
    rescale.set_offset(&mut witness, cell, rescale.parts(cell).1 - 1);
    setting.recount(&mut witness, &evaluation);
    setting.refused("output and its offset", &witness, &evaluation, Step::Stack);
    evaluation.accumulators[9][cell] -= 1 << rescale.shift;
    setting.refused("output, offset, accumulator", &setting.witness(&evaluation), &evaluation, Step::Stack);
}
