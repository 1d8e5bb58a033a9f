//! A contract that verifies proofs of one key on an EVM chain.
//!
//! [`Contract::new`] writes the contract's bytecode for a verifying key of the library: no compiler is needed. It takes the
//! key's digest and the setup's points into the code; a call brings the digest of the context, commitments to private inputs, the public
//! values and the proof, and gets the word 1 or reverts. The contract checks what the verifier checks: lengths, reduced scalars, points on the
//! curve, the transcript, the constraints at the evaluation point, the opening, the hidden columns. It needs the instructions of Shanghai and
//! the precompiled contracts of Byzantium.
//!
//! # Limits
//! No built-in lookups (our circuits argue theirs in columns), instance columns read in their own row only, and a code of
//! at most 24,576 bytes ([EIP-170]). What exceeds them is refused with an [`EvmError`].
//!
//! [EIP-170]: https://eips.ethereum.org/EIPS/eip-170
mod assembler;
mod calldata;
mod files;
mod hiding;
mod identity;
mod lagrange;
mod memory;
mod of_key;
mod opening;
mod public;
mod rotations;
mod shape;
mod term;
mod transcript;

use assay_verifier::halo2::VerifyError;
use assay_verifier::halo2::curve::G1Affine;
use halo2_proofs::plonk::VerifyingKey;

use assembler::Assembler;
use lagrange::Setting;
use memory::Memory;
use rotations::Known;
use shape::Shape;

pub use calldata::Call;
pub use files::File;
pub use hiding::Hidden;
pub use opening::OpeningKey;
pub use public::{Port, Public};

/// Bytes that a contract may have.
pub const CODE_LIMIT: usize = 24_576;

/// Why there is no contract for a key, or no call for a proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvmError {
    /// The key has built-in lookups.
    #[error("the key has built-in lookup arguments, which the contract does not check")]
    Lookups,
    /// The key has another number of instance columns.
    #[error("public values for {columns} instance columns where the key has {expected}")]
    InstanceColumns {
        /// How many.
        columns: usize,
        /// How many the key has.
        expected: usize,
    },
    /// An instance column is read in another row.
    #[error("an instance column is read at rotation {rotation}, the contract reads it in its own row")]
    InstanceRotation {
        /// Which.
        rotation: i32,
    },
    /// An instance column has too many public values.
    #[error("{instances} public values in one column where {usable} are possible")]
    InstanceRows {
        /// How many.
        instances: usize,
        /// How many there can be.
        usable: usize,
    },
    /// There is another number of public values, or they are described otherwise than they are spread over columns.
    #[error("{instances} public values where there should be {expected}")]
    Instances {
        /// How many.
        instances: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The key is of another engine, or the proof is not for the key.
    #[error("the contract is for the engine halo2 and for proofs that verify: {0}")]
    Statement(VerifyError),
    /// The key's parts do not belong together.
    #[error("the verifying key is malformed")]
    Key,
    /// A column is read twice at the same point.
    #[error("a column is read twice at the point of rotation {rotation}")]
    QueriedTwice {
        /// The rotation that comes to one that was there.
        rotation: i32,
    },
    /// An expression needs more of the machine's stack than there is.
    #[error("a constraint is too deep for the machine's stack")]
    Stack,
    /// Points do not find place where tables can name them.
    #[error("the proof and the key's commitments need more than 64 KiB of memory")]
    Memory,
    /// The contract would be larger than chains accept.
    #[error("the contract would have {size} bytes, more than the {CODE_LIMIT} that chains accept")]
    CodeSize {
        /// How large.
        size: usize,
    },
    /// There is another number of commitments to inputs.
    #[error("{inputs} commitments to inputs where there should be {expected}")]
    Inputs {
        /// How many.
        inputs: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A commitment to inputs is not a point.
    #[error("commitment {index} to inputs is not the canonical encoding of a point")]
    InputCommitment {
        /// Which.
        index: usize,
    },
    /// The proof has another length.
    #[error("the proof has {size} bytes where the key's proofs have {expected}")]
    ProofSize {
        /// How many bytes.
        size: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A message of the proof is not what it should be.
    #[error("word {index} of the proof is not the canonical encoding of a point or a scalar")]
    ProofMessage {
        /// Which word.
        index: usize,
    },
}

/// A contract that verifies the proofs of one key.
#[derive(Clone, Debug)]
pub struct Contract {
    code: Vec<u8>,
    shape: Shape,
    public: Public,
    key_digest: [u8; 32],
}

impl Contract {
    /// Writes the contract for a key whose statements have so many public values. The key's digest starts the transcript.
    ///
    /// # Errors
    /// The key is outside the limits, or its contract would be.
    pub fn new(
        key: &VerifyingKey<G1Affine>,
        opening: &OpeningKey,
        hidden: &Hidden,
        public: &Public,
        key_digest: [u8; 32],
    ) -> Result<Self, EvmError> {
        let shape = Shape::new(key, hidden, public)?;
        public.fits()?;
        let mut fixed = vec![None; key.fixed_commitments().len()];
        let mut commitments = Vec::new();
        for query in &shape.fixed {
            if fixed[query.column].is_none() {
                fixed[query.column] = Some(commitments.len());
                commitments.push(key.fixed_commitments()[query.column]);
            }
        }
        let own = commitments.len();
        commitments.extend_from_slice(key.permutation().commitments());

        let domain = key.get_domain();
        let rows = domain.get_n() as usize;
        let points = shape.rotations(rows);
        let memory = Memory::new(&shape, points.len(), commitments.len());
        let place = |index: usize| memory.commitments + 64 * index;
        let known = Known {
            fixed: fixed.into_iter().map(|index| index.map(place)).collect(),
            permutation: (own..commitments.len()).map(place).collect(),
            quotient: (memory.quotient, memory.quotient_eval),
        };
        let sets = rotations::sets(&shape, &memory.proof, &known, rows)?;

        let mut data = opening.pairing();
        data.extend(commitments.iter().chain(&hidden.weights).chain(&hidden.blinding).flat_map(opening::encode));
        let before_tables = data.len();
        for set in &sets {
            data.extend(opening::table(set)?);
        }
        let tail = memory.tail(&shape, points.len(), data.len() - before_tables);

        let mut asm = Assembler::new(tail.pool);
        let (data_label, pool_label) = (asm.label(), asm.label());
        transcript::check_call(&mut asm, shape.calldata_size());
        asm.start();
        asm.copy_code(memory.data, data_label, Some(data.len()));
        asm.copy_code(tail.pool, pool_label, None);
        let start = transcript::Start { key_digest, transcript_repr: key.transcript_repr() };
        transcript::read(&mut asm, &shape, public, &memory, &tail, &start);
        let setting = Setting { domain, shape: &shape, memory: &memory, tail: &tail, sets: &sets, points: &points };
        lagrange::evaluate(&mut asm, &setting);
        identity::evaluate(&mut asm, key, &shape, &memory, &tail)?;
        opening::verify(&mut asm, &setting, opening);
        hiding::verify(&mut asm, &shape, &memory);
        asm.accept();
        let code = asm.finish(&data, data_label, pool_label)?;
        Ok(Self { code, shape, public: public.clone(), key_digest })
    }

    /// The code that chains store.
    pub fn code(&self) -> &[u8] {
        &self.code
    }

    /// The code that deploys it.
    pub fn creation(&self) -> Vec<u8> {
        assembler::creation(&self.code)
    }

    /// The data of a call for a proof as it is stored.
    ///
    /// # Errors
    /// The proof is not a sequence of messages as the key's proofs are, or there are other numbers of public values or of
    /// commitments to inputs.
    pub fn calldata(&self, call: &Call<'_>) -> Result<Vec<u8>, EvmError> {
        calldata::calldata(&self.shape, call)
    }

    /// The files that go with it: code, a Solidity library that calls it, and what it is.
    pub fn files(&self) -> Vec<File> {
        files::files(self)
    }

    /// The data of a call as a file.
    pub fn calldata_file(data: &[u8]) -> File {
        files::calldata(data)
    }

    /// Bytes of a call's data.
    pub fn calldata_size(&self) -> usize {
        self.shape.calldata_size()
    }
}
