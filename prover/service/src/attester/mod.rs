//! The software attester: evidence for machines without an enclave, in the formats of Nitro and TDX.
//!
//! It measures the program that runs, by its bytes, so a changed program has another measurement, as in an enclave. Nothing keeps the machine's
//! owner from lying about that: its roots are of the grade `simulated`, and only chains whose genesis names one of them accept what it makes.
//! The documents themselves are made beside their verification, in `assay_verifier::tee::software`.
mod enclave;
mod measure;

use std::io;
use std::path::Path;

use assay_verifier::settlement::node::{Measurement, Platform};
use assay_verifier::settlement::parameters::TrustRoot;
use assay_verifier::tee::software::{Attester, Claims};
use assay_verifier::tee::{Binding, Evidence};

use crate::storage::private;

pub use enclave::{Enclave, EnclaveError};
pub use measure::measure;

/// An attester with its secret in a file.
pub struct SoftwareAttester(Attester);

/// The format of a simulated document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// That of AWS Nitro.
    Nitro,
    /// That of Intel TDX.
    Tdx,
}

impl Format {
    /// The platform that makes such documents.
    pub fn platform(self) -> Platform {
        match self {
            Self::Nitro => Platform::Nitro,
            Self::Tdx => Platform::Tdx,
        }
    }
}

/// When a document is made, and how long its certificates shall hold.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// In milliseconds since 1970: the time of a block, since it is that by which the ledger judges.
    pub made_ms: u64,
    /// From then on.
    pub lifetime_ms: u64,
}

impl SoftwareAttester {
    /// The attester whose seed is in a file, which only its owner may read. It is drawn if there is none.
    ///
    /// # Errors
    /// The file cannot be read or written, or is none of 64 hexadecimal digits.
    pub fn open(path: &Path) -> io::Result<Self> {
        private::seed(path).map(Attester::from_seed).map(Self)
    }

    /// Its roots, for a genesis.
    pub fn roots(&self) -> [TrustRoot; 2] {
        self.0.roots()
    }

    /// A document that says that this program runs, for what it is bound to.
    pub fn attest(&self, measurement: &Measurement, binding: Binding, times: Times) -> Evidence {
        let Times { made_ms: time_ms, lifetime_ms } = times;
        let claims = Claims { registers: measurement.registers.clone(), binding, time_ms, lifetime_ms };
        match measurement.platform {
            Platform::Nitro => self.0.nitro(&claims).sign(),
            Platform::Tdx | Platform::Sgx | Platform::Snp => self.0.tdx(&claims).sign(),
        }
    }
}
