//! What the demo of text prints.
use std::time::Duration;

use console::style;

use super::super::setup::{Setup, Times};
use super::{Task, Written};
use crate::cli::output::{Output, duration};

/// Says what is coming.
pub fn opening(output: &Output) {
    output.line(style("Assay: proven text of a language model").bold());
    output.paragraph(
        "A small transformer, trained on \"Pride and Prejudice\", continues a text. Each character is chosen from the logits \
         of a forward pass that comes with a proof that exactly this model gave them.",
    );
}

/// Shows the model.
pub fn setup(setup: &Setup, output: &Output) {
    output.heading("1  Compile the model to integers, and commit to its weights");
    setup.show_network(output);
    let error = setup.report.accuracy.relative_mean_error() * 100.0;
    output
        .field("accuracy", format_args!("logits differ from floating point by {error:.3} % of their range on average"));
    setup.show_digests(output);
}

/// Says that the text begins.
pub fn writing(output: &Output) {
    output.heading("2  Write: each character is proven and verified before the next");
    output.line("");
}

/// Starts the text.
pub fn prompt(task: &Task, output: &Output) {
    output.part(style(&task.prompt).dim());
}

/// Ends the text.
pub fn written(written: &[Written], count: u32, output: &Output) {
    output.line("\n");
    let refused = written.iter().filter(|one| one.verdict.is_err()).count();
    let verdict =
        if refused == 0 { style("all verified".into()).green() } else { style(format!("{refused} REFUSED")).red() };
    output.field("proofs", format_args!("{verdict}: {}", figures(written, count)));
}

/// The figures that run along with the text.
pub fn figures(written: &[Written], count: u32) -> String {
    if written.is_empty() {
        return format!("0 of {count} characters");
    }
    let mean = |of: fn(&Written) -> Duration| duration(written.iter().map(of).sum::<Duration>() / written.len() as u32);
    let (prove, verify) = (mean(|one| one.prove_duration), mean(|one| one.verify_duration));
    format!("{} of {count} characters; on average proven in {prove}, verified in {verify}", written.len())
}

/// Says what was shown and what not.
pub fn meaning(setup: &Setup, task: &Task, output: &Output) {
    output.heading("What this shows");
    output.field(
        "proven",
        "for each character: the model with the committed weights, evaluated exactly in integers on exactly the characters \
         before it, gives exactly these logits",
    );
    output.field(
        "chosen",
        format_args!(
            "from the logits by a public rule and seed {}, which anyone can repeat (assay demo --help)",
            task.seed
        ),
    );
    setup.show_certainty(output);
    output
        .field("not proven", "that the text is true or good; that the integers follow the float model (see accuracy)");
    output.field("not hidden", "the text and logits; and proofs may reveal something of the weights");
}

/// Shows times and sizes.
pub fn numbers(setup: &Setup, times: &Times, output: &Output) {
    output.heading("Times and sizes");
    setup.show_times(times, output);
    output.line("");
    output.field("next", "assay demo --model gpt --prompt \"Mr. Darcy \" --seed 1");
    output.field("", "assay compile MODEL.onnx --calibrate INPUTS");
}
