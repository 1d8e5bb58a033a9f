//! What is in an ONNX model.
use std::path::Path;

use anyhow::Result;
use assay_circuits::CompileOptions;
use assay_circuits::compile::float_graph;
use assay_circuits::graph::{Graph, Kind, Term};
use assay_circuits::report::Report;
use serde::Serialize;

use crate::cli::compile;
use crate::cli::output::{Output, grouped};
use crate::cli::progress::Progress;

#[derive(Serialize)]
struct Answer {
    kind: &'static str,
    /// Nodes of the float graph after simplification.
    nodes: Vec<NodeLine>,
    /// What compiling on random inputs gives.
    report: Option<Report>,
    /// Why it gives nothing.
    fault: Option<String>,
}

#[derive(Serialize)]
struct NodeLine {
    name: String,
    relation: String,
    shape: Vec<u32>,
}

/// A model that can be imported.
pub struct Model {
    answer: Answer,
}

impl Model {
    /// Reads a model and compiles it on random inputs.
    pub fn open(path: &Path, batch: u32) -> Result<Self> {
        let model = compile::open(path)?;
        let graph = float_graph(&model, batch).map_err(|error| compile::refused(path, &error))?;
        let progress = Progress::steps(6, "Compiling on random inputs");
        let options = CompileOptions { batch, ..CompileOptions::default() };
        let compiled = compile::compile(&model, &options, &progress);
        drop(progress);
        let nodes = (0..graph.nodes.len()).map(|place| node_line(&graph, place)).collect();
        let fault = compiled.as_ref().err().map(ToString::to_string);
        let report = compiled.ok().map(|compiled| compiled.report);
        Ok(Self { answer: Answer { kind: "model", nodes, report, fault } })
    }

    /// Shows the model.
    pub fn show(&self, output: &Output) {
        let row = |line: &NodeLine| {
            vec![line.name.escape_debug().to_string(), line.relation.clone(), format!("{:?}", line.shape)]
        };
        output.heading("Nodes after simplification");
        output.table(&["name", "what", "shape"], &self.answer.nodes.iter().map(row).collect::<Vec<_>>());
        if let Some(report) = &self.answer.report {
            compile::show_report(report, output);
        }
        if let Some(fault) = &self.answer.fault {
            output.line("");
            output.paragraph(&format!("Does not compile on random inputs: {fault}. Try `assay compile --calibrate`."));
        }
        output.json(&self.answer);
    }
}

fn node_line(graph: &Graph, place: usize) -> NodeLine {
    let node = &graph.nodes[place];
    let mut relation = match &node.kind {
        Kind::Input { .. } => "input".into(),
        Kind::Constant(_) => "constant".into(),
        Kind::Combine(combine) => match combine.terms.iter().map(weights).sum() {
            0 if combine.terms.len() == 1 => "fixed linear map".into(),
            0 => format!("sum of {} terms", combine.terms.len()),
            count => format!("weighted sum, {} weights", grouped(count)),
        },
        Kind::Function { .. } => "function of each cell".into(),
        Kind::Max(_) => "maximum".into(),
        Kind::Divide { .. } => "quotient".into(),
        Kind::Softmax { logarithm: false, .. } => "softmax".into(),
        Kind::Softmax { logarithm: true, .. } => "logarithm of a softmax".into(),
        Kind::Normalize { .. } => "normalisation".into(),
        Kind::Reshape(_) => "reshape".into(),
        Kind::Transpose { .. } => "transpose".into(),
    };
    if graph.outputs.iter().any(|(_, node)| *node as usize == place) {
        relation += "; output";
    }
    NodeLine { name: node.name.clone(), relation, shape: node.dims.clone() }
}

fn weights(term: &Term) -> u64 {
    match term {
        Term::Weighted { weights, .. } | Term::Selected { table: weights, .. } => weights.len() as u64,
        Term::Plain { .. } | Term::Product { .. } => 0,
    }
}
