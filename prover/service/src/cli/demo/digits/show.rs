//! What the demo of digits prints.
use console::style;

use super::audit::{Audit, Tampered};
use super::host::Host;
use super::{Shown, TEST};
use crate::cli::drawing::{Picture, side_by_side};
use crate::cli::output::{Output, bytes, duration};
use crate::routes::models::ModelOut;

/// Pixels in a row of an image.
const WIDTH: usize = 8;

/// Says what is coming.
pub fn opening(output: &Output) {
    output.line(style("Assay: proven answers of a neural network, paid for on a ledger, audited offline").bold());
    output.paragraph(
        "A service is started in this process, with a ledger and a worker of its own. It publishes a convolutional network, and is asked for ten \
         handwritten digits that the network was not trained on. Each answer comes at once; a proof that exactly this network gave it follows, and \
         the ledger pays for it when it has verified the proof.",
    );
}

/// Shows service, model and payer.
pub fn service(host: &Host, model: &ModelOut, escrow: u64, output: &Output) {
    output.heading("1  Start, publish, put money aside");
    output.field("service", format_args!("{} (endpoints at /docs while it runs)", host.url));
    output.field("model", &model.reference);
    for key in &model.keys {
        output.field("  key", format_args!("{} ({}, {})", key.digest, key.engine, bytes(key.size_bytes)));
    }
    output.field("  published", format_args!("in block {}", model.height.unwrap_or_default()));
    output.field(
        "payer",
        format_args!("{} with {escrow} in escrow; a request costs {}", host.payer.public(), model.price),
    );
}

/// Shows the images with their answers.
pub fn answers(images: &[Shown], output: &Output) {
    output.heading(&format!("2  Ask over HTTP: ten of {} test images, each paid for", bytes(TEST.len() as u64)));
    for row in images.chunks(5) {
        output.line("");
        let pictures: Vec<Picture> = row.iter().map(picture).collect();
        side_by_side(&pictures).iter().for_each(|line| output.line(line));
    }
    output.line("");
    output.paragraph(
        "An answer takes the ledger's next block, since the money is set aside before anything is computed.",
    );
}

fn picture(image: &Shown) -> Picture {
    let best = image.best().unwrap_or_default();
    let right = if best == image.label { style("right").green() } else { style("wrong").yellow() };
    let caption = vec![
        format!("answer {}  {right}", style(best).bold()),
        format!("label  {}", image.label),
        format!("after  {}", duration(image.asked.answered)),
    ];
    Picture { pixels: image.pixels.clone(), width: WIDTH, caption }
}

/// Shows proofs and settlements.
pub fn settlements(images: &[Shown], (before, after): (u64, u64), output: &Output) {
    output.heading("3  Proofs and settlements, as they came");
    let row = |image: &Shown| {
        let asked = &image.asked;
        let after = |time: Option<std::time::Duration>| time.map_or_else(|| "-".into(), duration);
        vec![
            image.label.to_string(),
            asked.job.id[..16].to_owned(),
            after(asked.proven),
            bytes(asked.job.proof.as_ref().map_or(0, |proof| proof.size_bytes)),
            after(asked.settled),
            asked.job.settled.as_ref().map_or_else(|| "-".into(), |settled| settled.height.to_string()),
            asked.job.states.payment.clone(),
        ]
    };
    let columns = ["digit", "request", ">proof after", ">size", ">settled after", ">block", "payment"];
    output.table(&columns, &images.iter().map(row).collect::<Vec<_>>());
    output.field("escrow", format_args!("{before} before, {after} after"));
}

/// Shows an audit.
pub fn audit(audit: &Audit, label: usize, output: &Output) {
    output.heading(&format!(
        "4  Audit the {label} from one file, offline (assay-verify answer.assay --trust trust.json)"
    ));
    for row in &audit.checks {
        let mark = if row.holds { style("ok").green() } else { style("--").yellow() };
        output.field(&mark.to_string(), format_args!("{}: {}", row.code, row.text));
    }
    let verdict = if audit.verified { style("VERIFIED").green().bold() } else { style("REFUSED").red().bold() };
    output.field("verdict", verdict);
}

/// Shows what became of forgeries.
pub fn forgeries(forgeries: &[Tampered], output: &Output) {
    output.heading("5  Tamper with the file");
    let row = |forgery: &Tampered| {
        let verdict = if forgery.refused { style("refused").green() } else { style("ACCEPTED").red() };
        vec![forgery.what.to_owned(), verdict.to_string(), forgery.check.to_owned(), forgery.reason.clone()]
    };
    output.table(&["change", "verdict", "by the check", "because"], &forgeries.iter().map(row).collect::<Vec<_>>());
}

/// Says what was shown and what not.
pub fn meaning(hiding: bool, output: &Output) {
    output.heading("What this shows");
    output.field(
        "proven",
        "the network with the committed weights, evaluated exactly in integers on exactly these 64 pixels, gives exactly these ten scores; the \
         ledger verified it and paid for it",
    );
    output.field("hidden", if hiding { "the weights, by commitments in the key" } else { "nothing" });
    output.field(
        "not proven",
        "that an answer is true; that the integers follow the float model; that this ledger, which has one validator in this process, is anybody's \
         but its own",
    );
    output.line("");
    output.field("next", "assay serve, then assay client publish MODEL.onnx --name NAME");
    output.field("", "assay demo --model gpt");
    output.field("", "assay demo --engine halo2");
}
