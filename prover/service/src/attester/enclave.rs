//! The enclave of this node: what makes evidence for its key. Either the software attester of this process, or a program of the operator's that asks
//! the hardware.
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use assay_verifier::settlement::node::Measurement;
use assay_verifier::settlement::parameters::TrustRoot;
use assay_verifier::tee::{Binding, Evidence};
use assay_verifier::wire;
use thiserror::Error;

use super::{SoftwareAttester, Times, measure};
use crate::config::Tee;

/// Longest time that a program may take.
const LONGEST: Duration = Duration::from_secs(30);
/// Bytes of the largest evidence.
const EVIDENCE_MAX: u64 = 1 << 20;

/// Why there is no evidence.
#[derive(Debug, Error)]
pub enum EnclaveError {
    /// A file.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The program does not run.
    #[error("{}: {error}", program.display())]
    Program {
        /// Which.
        program: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The program failed.
    #[error("{} failed: {said}", program.display())]
    Failed {
        /// Which.
        program: PathBuf,
        /// Its last words.
        said: String,
    },
    /// The program takes too long.
    #[error("{} takes longer than {} s", program.display(), LONGEST.as_secs())]
    Slow {
        /// Which.
        program: PathBuf,
    },
    /// What the program wrote is no evidence.
    #[error("{} wrote no file of evidence: {error}", program.display())]
    Evidence {
        /// Which.
        program: PathBuf,
        /// Why not.
        error: wire::WireError,
    },
}

/// What makes evidence.
pub enum Enclave {
    /// The software attester.
    Software(SoftwareAttester, Measurement),
    /// A program: it is given what the document has to carry, 128 hexadecimal digits, and writes the file of evidence to its output.
    Program(PathBuf),
}

impl Enclave {
    /// The enclave that is configured.
    ///
    /// # Errors
    /// The attester's file cannot be read.
    pub fn open(tee: &Tee) -> Result<Self, EnclaveError> {
        match tee {
            Tee::Software { seed, format } => {
                let at = |error| EnclaveError::File { path: seed.clone(), error };
                let attester = SoftwareAttester::open(seed).map_err(at)?;
                Ok(Self::Software(attester, measure(*format).map_err(at)?))
            }
            Tee::Program(program) => Ok(Self::Program(program.clone())),
        }
    }

    /// Roots of its own, for a chain of this process.
    pub fn roots(&self) -> Vec<TrustRoot> {
        match self {
            Self::Software(attester, _) => attester.roots().into(),
            Self::Program(_) => Vec::new(),
        }
    }

    /// A document for what it is bound to. Blocks.
    ///
    /// # Errors
    /// There is none.
    pub fn attest(&self, binding: Binding, times: Times) -> Result<Evidence, EnclaveError> {
        match self {
            Self::Software(attester, measurement) => Ok(attester.attest(measurement, binding, times)),
            Self::Program(program) => run(program, binding),
        }
    }
}

/// Runs a program and reads its evidence.
fn run(program: &PathBuf, binding: Binding) -> Result<Evidence, EnclaveError> {
    let fault = |error| EnclaveError::Program { program: program.clone(), error };
    let mut command = Command::new(program);
    command.arg(hex::encode(binding.report_data())).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(fault)?;
    let (Some(mut output), Some(mut errors)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(fault(io::ErrorKind::BrokenPipe.into()));
    };
    let (done, finished) = channel();
    std::thread::spawn(move || {
        let (mut written, mut said) = (Vec::new(), String::new());
        let read = output.by_ref().take(EVIDENCE_MAX).read_to_end(&mut written);
        let _ = errors.by_ref().take(1 << 12).read_to_string(&mut said);
        let _ = done.send(read.map(|_| (written, said)));
    });
    let Ok(read) = finished.recv_timeout(LONGEST) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(EnclaveError::Slow { program: program.clone() });
    };
    let (written, said) = read.map_err(fault)?;
    // Whoever writes more than is read would wait for ever.
    if written.len() as u64 == EVIDENCE_MAX {
        let _ = child.kill();
    }
    if !child.wait().map_err(fault)?.success() {
        return Err(EnclaveError::Failed { program: program.clone(), said: said.trim().into() });
    }
    wire::decode(&written).map_err(|error| EnclaveError::Evidence { program: program.clone(), error })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use assay_verifier::signature::PublicKey;

    use super::*;

    fn program(folder: &tempfile::TempDir, text: &str) -> PathBuf {
        let path = folder.path().join("quote");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn binding() -> Binding {
        Binding::new("chain", PublicKey([1; 32]), [2; 32])
    }

    #[test]
    fn a_program_is_given_the_report_data_and_gives_evidence() {
        let folder = tempfile::tempdir().unwrap();
        let attester = SoftwareAttester::open(&folder.path().join("seed")).unwrap();
        let measurement = measure(super::super::Format::Tdx).unwrap();
        let times = Times { made_ms: 1_790_000_000_000, lifetime_ms: 60_000 };
        let evidence = attester.attest(&measurement, binding(), times);
        let file = folder.path().join("evidence");
        std::fs::write(&file, wire::encode(&evidence)).unwrap();
        let data = hex::encode(binding().report_data());
        let path = program(&folder, &format!("test \"$1\" = {data} && cat {}", file.display()));
        assert_eq!(run(&path, binding()).unwrap(), evidence);
        let other = Binding::new("chain", PublicKey([1; 32]), [3; 32]);
        assert!(matches!(run(&path, other), Err(EnclaveError::Failed { .. })));
    }

    #[test]
    fn a_program_that_fails_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = program(&folder, "echo no enclave >&2; exit 3");
        let Err(EnclaveError::Failed { said, .. }) = run(&path, binding()) else { panic!("it failed") };
        assert_eq!(said, "no enclave");
        let path = program(&folder, "echo nonsense");
        assert!(matches!(run(&path, binding()), Err(EnclaveError::Evidence { .. })));
        let path = program(&folder, "exec cat /dev/zero");
        assert!(run(&path, binding()).is_err());
        assert!(matches!(run(&folder.path().join("none"), binding()), Err(EnclaveError::Program { .. })));
    }
}
