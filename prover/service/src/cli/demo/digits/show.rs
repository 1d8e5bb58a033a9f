//! What the demo prints.
use std::time::Duration;

use console::style;

use super::forgery::Forgery;
use super::{Setup, Shown};
use crate::cli::drawing::{Picture, side_by_side};
use crate::cli::output::{Output, bytes, duration, grouped};

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
    let report = &setup.report;
    let operators: Vec<String> = report.operators.iter().map(|(name, count)| format!("{count} {name}")).collect();
    output.heading("1  Compile the model to integers, and commit to its weights");
    output.field("network", format_args!("{}; {} parameters", operators.join(", "), grouped(report.parameters)));
    output.field("integers", format_args!("{} bits", report.bits));
    let accuracy = &report.accuracy;
    output.field(
        "accuracy",
        format_args!(
            "same answer as in floating point on {:.0} % of {} calibration images; scores differ by {:.3} % of their range on average",
            accuracy.top1_agreement.unwrap_or(0.0) * 100.0,
            accuracy.samples,
            accuracy.relative_mean_error() * 100.0
        ),
    );
    output.field("circuit", setup.key.circuit.digest());
    output.field("key", setup.key.digest());
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

/// Shows the attempts to forge.
pub fn forgeries(image: &Shown, forgeries: &[Forgery], output: &Output) {
    output.heading(&format!("3  Forge: the proof of the {} above, changed", image.label));
    let row = |forgery: &Forgery| {
        let verdict = if forgery.refused { style("refused").green() } else { style("ACCEPTED").red() };
        vec![forgery.what.clone(), verdict.to_string(), forgery.reason.clone()]
    };
    output.table(&["attempt", "verdict", "reason"], &forgeries.iter().map(row).collect::<Vec<_>>());
    output.paragraph("All challenges of the proof are drawn from its statement, so that any change breaks the checks.");
}

/// Says what was shown and what not.
pub fn meaning(setup: &Setup, output: &Output) {
    output.heading("What this shows");
    output.field(
        "proven",
        "the network with the committed weights, evaluated exactly in integers on exactly these 64 pixels, gives exactly \
         these ten scores",
    );
    output.field(
        "certainty",
        format_args!(
            "{0:.0} bits: to pass off a false statement takes about 2^{0:.0} attempts",
            setup.soundness_bits.floor()
        ),
    );
    output.field("not proven", "that an answer is true; that the integers follow the float model (see accuracy)");
    output.field("not hidden", "the images and scores; and proofs may reveal something of the weights");
}

/// Shows times and sizes.
pub fn numbers(setup: &Setup, images: &[Shown], output: &Output) {
    output.heading("Times and sizes");
    let over = |of: fn(&Shown) -> Duration| {
        let mut all: Vec<Duration> = images.iter().map(of).collect();
        all.sort();
        (duration(all[all.len() / 2]), format!("{} to {}", duration(all[0]), duration(all[all.len() - 1])))
    };
    let (prove, prove_range) = over(|image| image.prove_duration);
    let (verify, verify_range) = over(|image| image.verify_duration);
    let largest = images.iter().map(|image| image.proof_size_bytes).max().unwrap_or(0);
    let size = |what: &str, size: usize| format!("{what} {}", bytes(size as u64));
    let row = |cells: [&str; 5]| cells.map(String::from).to_vec();
    let circuit = size("circuit", setup.circuit_size_bytes);
    let key = size("key", setup.key_size_bytes);
    let rows = [
        row(["once a model", "compile", &duration(setup.compile_duration), "", &circuit]),
        row(["", "make the key", &duration(setup.key_duration), "", &key]),
        row(["once a verifier", "check the key", &duration(setup.key_check_duration), "", ""]),
        row(["each answer", "prove", &prove, &prove_range, &size("proof", largest)]),
        row(["", "verify", &verify, &verify_range, ""]),
    ];
    output.table(&["", "", ">median", ">of ten", ">size"], &rows);
    output.line("");
    output.field("next", "assay --help");
    output.field("", "assay compile MODEL.onnx --calibrate INPUTS");
}
