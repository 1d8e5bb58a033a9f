//! What the demo of digits prints.
use console::style;

use super::super::setup::{Setup, Times};
use super::Shown;
use crate::cli::drawing::{Picture, side_by_side};
use crate::cli::output::Output;

/// Pixels in a row of an image.
const WIDTH: usize = 8;

/// Says what is coming.
pub fn opening(output: &Output) {
    output.line(style("Assay: proven answers of a neural network").bold());
    output.paragraph(
        "A convolutional network reads ten handwritten digits that it was not trained on. Each answer comes with a proof \
         that exactly this network gave it. Whoever checks the proof needs neither the network's weights nor to run it.",
    );
}

/// Shows the model.
pub fn setup(setup: &Setup, output: &Output) {
    output.heading("1  Compile the model to integers, and commit to its weights");
    setup.show_network(output);
    let accuracy = &setup.report.accuracy;
    output.field(
        "accuracy",
        format_args!(
            "same answer as in floating point on {:.0} % of {} calibration images; scores differ by {:.3} % of their range on average",
            accuracy.top1_agreement.unwrap_or(0.0) * 100.0,
            accuracy.samples,
            accuracy.relative_mean_error() * 100.0
        ),
    );
    setup.show_digests(output);
}

/// Shows the images with their answers.
pub fn images(images: &[Shown], output: &Output) {
    output.heading("2  Answer, prove, verify: the first test image of each digit");
    for row in images.chunks(5) {
        output.line("");
        let pictures: Vec<Picture> = row.iter().map(picture).collect();
        side_by_side(&pictures).iter().for_each(|line| output.line(line));
    }
}

fn picture(image: &Shown) -> Picture {
    let right = if image.answer == image.label { style("right").green() } else { style("wrong").yellow() };
    let proof = if image.verdict.is_ok() { style("verified").green() } else { style("REFUSED").red() };
    let caption = vec![
        format!("answer {}  {right}", style(image.answer).bold()),
        format!("label  {}", image.label),
        format!("proof  {proof}"),
    ];
    Picture { pixels: image.pixels.clone(), width: WIDTH, caption }
}

/// Says what was shown and what not.
pub fn meaning(setup: &Setup, output: &Output) {
    output.heading("What this shows");
    output.field(
        "proven",
        "the network with the committed weights, evaluated exactly in integers on exactly these 64 pixels, gives exactly \
         these ten scores",
    );
    setup.show_certainty(output);
    output.field("not proven", "that an answer is true; that the integers follow the float model (see accuracy)");
    setup.show_secrecy(output);
}

/// Shows times and sizes.
pub fn numbers(setup: &Setup, times: &Times, output: &Output) {
    output.heading("Times and sizes");
    setup.show_times(times, output);
    output.line("");
    output.field("next", "assay demo --model gpt");
    output.field("", "assay demo --engine halo2");
    output.field("", "assay compile MODEL.onnx --calibrate INPUTS");
}
