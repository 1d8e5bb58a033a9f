//! `assay evm`: a contract that verifies proofs of a key on a chain.
use std::path::{Path, PathBuf};

use anyhow::Result;
use assay_prover::halo2::evm::Contract;
use assay_verifier::circuit::Limits;
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::key::Key;
use assay_verifier::statement::{Argument, Proof};
use clap::Args;
use serde::Serialize;

use super::output::{self, Output};
use super::problem::problem;
use super::{Verdict, files};

const EXAMPLES: &str = "\
Examples:
  assay evm model.key -o contract
  assay evm model.key -o contract --proof answer.proof

The folder gets verifier.bin (creation code), verifier.bin-runtime, Verifier.sol (a Solidity library that calls the \
contract), README.txt and, with --proof, calldata.hex. A key on an insecure reference string makes an insecure contract.";

/// Write a contract that verifies the proofs of a key on an EVM chain
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The key, of the engine halo2
    #[arg(value_name = "FILE.key")]
    key: PathBuf,
    /// The folder to write to; it is made if it is not there
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// A proof to write the data of a call for
    #[arg(long, short, value_name = "FILE.proof")]
    proof: Option<PathBuf>,
}

#[derive(Serialize)]
struct Answer<'a> {
    folder: &'a Path,
    key: String,
    code_size_bytes: usize,
    call_size_bytes: usize,
    files: Vec<&'static str>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    let key: Key = files::load(&arguments.key)?;
    let Key::Halo2(key) = &key else {
        let what = format!("{} is a key of the engine {}", arguments.key.display(), key.engine());
        return Err(problem(what, "make one with `assay key FILE.circuit --engine halo2`"));
    };
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", arguments.key.display());
    let key = CheckedKey::new(key, &Limits::default()).map_err(|error| problem(named(&error), "name another key"))?;
    let contract = Contract::of_key(&key)
        .map_err(|error| problem(named(&error), "make a key of a smaller model, or hide less"))?;
    let mut written = contract.files();
    if let Some(path) = &arguments.proof {
        let proof: Proof = files::load(path)?;
        let other = |what: &dyn std::fmt::Display| problem(format!("{}: {what}", path.display()), "name another proof");
        let Argument::Halo2(argument) = &proof.argument else {
            return Err(other(&format_args!("a proof of the engine {}", proof.argument.engine())));
        };
        let data = contract.calldata_of(&key, &proof.statement, argument).map_err(|error| other(&error))?;
        written.push(Contract::calldata_file(&data));
    }

    let folder = &arguments.output;
    let cannot =
        |error: std::io::Error| problem(format!("cannot make {}: {error}", folder.display()), "check the path");
    std::fs::create_dir_all(folder).map_err(cannot)?;
    for file in &written {
        files::write(&folder.join(file.name), file.text.as_bytes())?;
    }
    let answer = Answer {
        folder,
        key: key.digest().to_string(),
        code_size_bytes: contract.code().len(),
        call_size_bytes: contract.calldata_size(),
        files: written.iter().map(|file| file.name).collect(),
    };
    output.field("contract", folder.display());
    output.field("  files", answer.files.join(", "));
    output.field("  code", output::bytes(answer.code_size_bytes as u64));
    output.field("  call", output::bytes(answer.call_size_bytes as u64));
    output.field("key", &answer.key);
    output.json(&answer);
    Ok(Verdict::Fine)
}
