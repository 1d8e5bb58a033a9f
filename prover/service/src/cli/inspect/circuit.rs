//! What is in a circuit file and in a key.
use std::path::Path;

use anyhow::Result;
use assay_circuits::report::Report;
use assay_prover::file::CheckedFile;
use assay_verifier::circuit::{CheckedCircuit, Limits, Op, Port};
use assay_verifier::key::{self, CheckedKey};
use assay_verifier::sumcheck::security;
use serde::Serialize;

use crate::cli::compile;
use crate::cli::output::{Output, grouped};
use crate::cli::problem::problem;
use crate::cli::secrecy::Secrecy;

#[derive(Serialize)]
struct CircuitAnswer<'a> {
    kind: &'static str,
    circuit: String,
    key: String,
    ports: Ports<'a>,
    relations: Relations,
    report: &'a Report,
}

#[derive(Serialize)]
struct KeyAnswer<'a> {
    kind: &'static str,
    engine: String,
    secrecy: Secrecy,
    circuit: String,
    key: String,
    ports: Ports<'a>,
    relations: Relations,
    #[serde(skip_serializing_if = "Option::is_none")]
    soundness: Option<Soundness>,
}

#[derive(Serialize)]
struct Ports<'a> {
    inputs: &'a [Port],
    outputs: &'a [Port],
}

#[derive(Serialize)]
struct Relations {
    input: usize,
    affine: usize,
    rescale: usize,
    lookup: usize,
    quotient: usize,
    root: usize,
    max: usize,
    weights: usize,
    tables: usize,
    cells: u64,
}

#[derive(Serialize)]
struct Soundness {
    bits: f64,
    terms: Vec<ErrorTerm>,
}

#[derive(Serialize)]
struct ErrorTerm {
    source: &'static str,
    bits: f64,
}

/// Shows a circuit file.
pub fn show_file(file: &CheckedFile, output: &Output) {
    let (circuit, report) = (file.circuit(), &file.file().report);
    output.field("digest", circuit.digest());
    output.field("key", file.file().key_digest());
    let relations = show_circuit(circuit, output);
    compile::show_report(report, output);
    output.json(&CircuitAnswer {
        kind: "circuit",
        circuit: circuit.digest().to_string(),
        key: file.file().key_digest().to_string(),
        ports: ports(circuit),
        relations,
        report,
    });
}

/// A verification key with its soundness error.
pub struct Key {
    checked: CheckedKey,
    secrecy: Secrecy,
    soundness: Option<Soundness>,
}

impl Key {
    /// Checks a key.
    pub fn check(path: &Path, key: &key::Key) -> Result<Self> {
        let fail =
            |what: String| problem(format!("{}: {what}", path.display()), "ask for the key again, or make it anew");
        let checked = CheckedKey::new(key, &Limits::default()).map_err(|error| fail(error.to_string()))?;
        let soundness = match &checked {
            CheckedKey::Sumcheck(engine) => {
                let (terms, bits) = security::soundness(engine).map_err(|error| fail(error.to_string()))?;
                let terms = terms.iter().map(|term| ErrorTerm { source: term.source, bits: term.bits }).collect();
                Some(Soundness { bits, terms })
            }
            CheckedKey::Halo2(_) => None,
        };
        Ok(Self { checked, secrecy: Secrecy::of(key), soundness })
    }

    /// Shows the key.
    pub fn show(self, output: &Output) {
        let circuit = self.checked.circuit();
        output.field("digest", self.checked.digest());
        output.field("engine", self.checked.engine());
        output.field("circuit", circuit.digest());
        let relations = show_circuit(circuit, output);
        output.heading("Who sees what");
        self.secrecy.show(output);
        if let Some(soundness) = &self.soundness {
            output.heading("Soundness error, by its sources");
            let row = |source: &str, bits: f64| vec![source.into(), format!("2^-{bits:.1}")];
            let mut rows: Vec<Vec<String>> = soundness.terms.iter().map(|term| row(term.source, term.bits)).collect();
            rows.push(row("all together", soundness.bits));
            output.table(&["source", ">error"], &rows);
        }
        output.json(&KeyAnswer {
            kind: "key",
            engine: self.checked.engine().to_string(),
            secrecy: self.secrecy,
            circuit: circuit.digest().to_string(),
            key: self.checked.digest().to_string(),
            ports: ports(circuit),
            relations,
            soundness: self.soundness,
        });
    }
}

fn ports(circuit: &CheckedCircuit) -> Ports<'_> {
    Ports { inputs: &circuit.circuit().inputs, outputs: &circuit.circuit().outputs }
}

/// Shows inputs, outputs and relations.
fn show_circuit(checked: &CheckedCircuit, output: &Output) -> Relations {
    let circuit = checked.circuit();
    let row = |(kind, port): (&str, &Port)| {
        let factor = 2f64.powi(-i32::from(port.scale));
        let range = checked.range(port.node).map_or(String::new(), |range| {
            format!("{:.4} to {:.4}", range.low as f64 * factor, range.high as f64 * factor)
        });
        let step = format!("2^{}", -i32::from(port.scale));
        vec![kind.into(), port.name.escape_debug().to_string(), format!("{:?}", port.dims), step, range]
    };
    let inputs = circuit.inputs.iter().map(|port| ("input", port));
    let rows: Vec<_> = inputs.chain(circuit.outputs.iter().map(|port| ("output", port))).map(row).collect();
    output.heading("Inputs and outputs");
    output.table(&["", "name", "shape", ">step", ">range"], &rows);
    let count = |is: fn(&Op) -> bool| circuit.nodes.iter().filter(|node| is(&node.op)).count();
    let relations = Relations {
        input: count(|op| matches!(op, Op::Input(_))),
        affine: count(|op| matches!(op, Op::Affine(_))),
        rescale: count(|op| matches!(op, Op::Rescale { .. })),
        lookup: count(|op| matches!(op, Op::Lookup { .. })),
        quotient: count(|op| matches!(op, Op::Quotient { .. })),
        root: count(|op| matches!(op, Op::Root(_))),
        max: count(|op| matches!(op, Op::Max { .. })),
        weights: circuit.weights.len(),
        tables: circuit.tables.len(),
        cells: circuit.nodes.iter().map(|node| node.len()).sum(),
    };
    output.heading("Circuit");
    output.field(
        "nodes",
        format_args!(
            "{} input, {} affine, {} rescale, {} lookup, {} quotient, {} root, {} max; {} cells in all",
            relations.input,
            relations.affine,
            relations.rescale,
            relations.lookup,
            relations.quotient,
            relations.root,
            relations.max,
            grouped(relations.cells)
        ),
    );
    output.field("weights", format_args!("{} tensors", relations.weights));
    output.field("tables", format_args!("{} functions", relations.tables));
    relations
}
