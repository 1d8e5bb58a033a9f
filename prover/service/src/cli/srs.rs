//! `assay srs`: structured reference strings, which the engine `halo2` needs.
mod store;

use std::cmp::Ordering;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use assay_prover::halo2::srs::{K_MAX, K_MIN, ProvingSrs, SrsError, SrsFile, import, make};
use assay_verifier::halo2::srs::{Origin, Srs};
use assay_verifier::wire;
use clap::{Args, Subcommand};
use console::style;
use rand_core::OsRng;
use serde::Serialize;

use super::output::{self, Output, grouped, milliseconds};
use super::progress::Progress;
use super::{Verdict, files};

pub use store::{cache_folder, default_srs, load, refused};

const EXAMPLES: &str = "\
Examples:
  assay srs import powersOfTau28_hez_final_18.ptau --k 15 -o ceremony.srs
  assay srs make --k 15 -o local.srs
  assay srs check ceremony.srs

Whoever knows the secret of a string can forge proofs under every key that is made with it. A ceremony's string is safe if \
one of its participants forgot their share. A string that was made on one machine is for trying things out, and for those \
who only prove to themselves.";

/// Get the reference string that the engine halo2 needs
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a string on this machine. INSECURE: who makes it can forge proofs
    Make {
        /// The string has 2^K powers, enough for circuits of 2^K rows
        #[arg(long, value_name = "K", value_parser = size())]
        k: u32,
        /// Where to write the string [default: where commands look for it when none is given]
        #[arg(long, short, value_name = "FILE.srs")]
        output: Option<PathBuf>,
    },
    /// Take a string from a ceremony's file, or from parameters of halo2, and check it
    Import {
        /// Powers of tau as snarkjs has them (.ptau), or halo2's ParamsKZG (raw or processed)
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Take 2^K powers, enough for circuits of 2^K rows
        #[arg(long, value_name = "K", value_parser = size())]
        k: u32,
        /// Where to write the string
        #[arg(long, short, value_name = "FILE.srs")]
        output: PathBuf,
    },
    /// Check that a string is one: that all points are powers of one secret
    Check {
        /// The string
        #[arg(value_name = "FILE.srs")]
        file: PathBuf,
    },
}

fn size() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(i64::from(K_MIN)..=i64::from(K_MAX))
}

#[derive(Serialize)]
struct Answer<'a> {
    kind: &'static str,
    file: &'a Path,
    file_size_bytes: u64,
    k: u32,
    powers: u64,
    digest: String,
    origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<f64>,
}

impl<'a> Answer<'a> {
    fn new(file: &'a Path, size: u64, k: u32, srs: &Srs) -> Self {
        Self {
            kind: "srs",
            file,
            file_size_bytes: size,
            k,
            powers: 1 << k,
            digest: srs.digest().to_string(),
            origin: srs.origin,
            valid: None,
            reason: None,
            duration_ms: None,
        }
    }

    fn show(&self, output: &Output) {
        let size = output::bytes(self.file_size_bytes);
        output.field("string", format_args!("{} ({size})", self.file.display()));
        output.field("  digest", &self.digest);
        output.field("  powers", format_args!("2^{} = {}", self.k, grouped(self.powers)));
        output.field("  origin", origin(self.origin));
    }
}

/// What an origin means.
fn origin(origin: Origin) -> String {
    match origin {
        Origin::Insecure => {
            format!("{}: made on one machine; who made it can forge proofs", style("INSECURE").red().bold())
        }
        Origin::Imported => "imported; safe if one participant of its ceremony forgot their share".into(),
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Verdict> {
    match &arguments.command {
        Command::Make { k, output: Some(target) } => {
            files::check_target(target)?;
            let start = Instant::now();
            let string = made(target, *k)?;
            finish(target, &string, start, output)
        }
        Command::Make { k, output: None } => {
            let start = Instant::now();
            let (string, path) = default_srs(*k)?;
            show(&path, &string, start.elapsed(), output)
        }
        Command::Import { file, k, output: target } => {
            files::check_target(target)?;
            let start = Instant::now();
            let string = imported(file, *k)?;
            finish(target, &string, start, output)
        }
        Command::Check { file } => check(file, output),
    }
}

/// Makes a string; the path is for messages.
fn made(path: &Path, k: u32) -> Result<ProvingSrs> {
    let (progress, mut step) = (Progress::steps(3, ""), 0);
    let made = make(k, OsRng, |what| {
        progress.at(step, what);
        step += 1;
    });
    made.map_err(|error| refused(path, &error))
}

/// Takes a string from a file of another format, or a shorter one from ours.
fn imported(path: &Path, k: u32) -> Result<ProvingSrs> {
    let (progress, mut step) = (Progress::steps(3, ""), 0);
    let mut step = |what| {
        progress.at(step, what);
        step += 1;
    };
    if files::starts_with(path, &<SrsFile as wire::File>::MAGIC)? {
        step("Reading points");
        let string = load(path)?;
        step("Checking powers");
        string.check().map_err(|error| refused(path, &error))?;
        step("Lagrange basis");
        return match k.cmp(&string.k()) {
            Ordering::Less => store::cut(&string, k),
            Ordering::Equal => Ok(string),
            Ordering::Greater => Err(refused(path, &SrsError::K { k, k_max: string.k() })),
        };
    }
    let file = File::open(path).map_err(|error| refused(path, &error.into()))?;
    import(file, k, step).map_err(|error| refused(path, &error))
}

fn finish(target: &Path, string: &ProvingSrs, start: Instant, output: &Output) -> Result<Verdict> {
    files::write(target, &wire::encode(&SrsFile::new(string)))?;
    show(target, string, start.elapsed(), output)
}

fn show(path: &Path, string: &ProvingSrs, elapsed: Duration, output: &Output) -> Result<Verdict> {
    let mut answer = Answer::new(path, files::size(path)?, string.k(), string.srs());
    answer.duration_ms = Some(milliseconds(elapsed));
    answer.show(output);
    output.field("took", output::duration(elapsed));
    output.json(&answer);
    Ok(Verdict::Fine)
}

fn check(path: &Path, output: &Output) -> Result<Verdict> {
    let start = Instant::now();
    let progress = Progress::spinner("Checking points");
    let string = load(path)?;
    progress.at(0, "Checking that they are powers");
    let fault = string.check().err();
    drop(progress);
    let elapsed = start.elapsed();
    let mut answer = Answer::new(path, files::size(path)?, string.k(), string.srs());
    answer.valid = Some(fault.is_none());
    answer.reason = fault.map(|fault| fault.to_string());
    answer.duration_ms = Some(milliseconds(elapsed));
    match &answer.reason {
        None => output.line(style("VALID").green().bold()),
        Some(_) => output.line(style("REFUSED").red().bold()),
    }
    answer.show(output);
    match &answer.reason {
        None => output.field("checked", "all points are powers of one secret, which is that of the digest"),
        Some(reason) => output.field("reason", reason),
    }
    output.field("took", output::duration(elapsed));
    output.json(&answer);
    Ok(if answer.reason.is_none() { Verdict::Fine } else { Verdict::Rejected })
}

/// Shows a file whose points and checksum were checked.
pub fn inspect(path: &Path, bytes: &[u8], output: &Output) -> Result<()> {
    let file: SrsFile = files::decode(path, bytes)?;
    let string = file.open().map_err(|error| refused(path, &error))?;
    output.field("kind", "structured reference string; whether its points are powers: assay srs check");
    let answer = Answer::new(path, bytes.len() as u64, string.k(), string.srs());
    answer.show(output);
    output.json(&answer);
    Ok(())
}
