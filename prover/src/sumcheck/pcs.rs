//! Committing stacks and opening them.
use assay_verifier::field::{EF, F};
use assay_verifier::sumcheck::VerifyError;
use assay_verifier::sumcheck::pcs::{Cap, ColumnOpening, Mmcs, Opening, Pcs, StackShape};
use assay_verifier::transcript::Transcript;
use p3_commit::MultilinearPcs;
use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use p3_sumcheck::PrescribedPointPcs;
use p3_sumcheck::layout::{Layout, SuffixProver, Table, Witness};

/// A committed stack, ready to be opened any number of times.
pub struct Committed {
    shape: StackShape,
    pcs: Pcs,
    data: <Pcs as MultilinearPcs<EF, assay_verifier::transcript::Challenger>>::ProverData,
    root: [u8; 32],
}

/// Why a stack was not committed or opened.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Sizes outside what the security parameters allow.
    #[error(transparent)]
    Shape(#[from] VerifyError),
    /// The library refused.
    #[error("commitment: {0}")]
    Library(String),
}

impl Committed {
    /// Commits to columns, which `fill` writes: it is given the index and the cells of each, zeroed.
    ///
    /// # Errors
    /// The shape is outside what the security parameters allow.
    pub fn new(shape: StackShape, fill: impl Fn(usize, &mut [F]) + Sync) -> Result<Self, CommitError> {
        let tables = shape
            .tables()
            .into_iter()
            .map(|(variables, columns)| {
                let mut cells = F::zero_vec(columns.len() << variables);
                for (row, &column) in cells.chunks_exact_mut(1 << variables).zip(&columns) {
                    fill(column, &mut row[..1 << shape.columns[column]]);
                }
                Table::new(RowMajorMatrix::new(cells, 1 << variables))
            })
            .collect();
        let pcs = shape.pcs()?;
        let witness: Witness<F> = SuffixProver::<F, EF>::new_witness(tables, shape.first_fold());
        // The root is absorbed by the caller, where the protocol says so.
        let mut unused = Transcript::new("commit");
        let (commitment, data) =
            pcs.commit(witness, unused.challenger()).map_err(|error| CommitError::Library(error.to_string()))?;
        let root = root_of(&commitment);
        Ok(Self { shape, pcs, data, root })
    }

    /// The root.
    pub fn root(&self) -> [u8; 32] {
        self.root
    }

    /// Opens the claims; their values must be right.
    ///
    /// # Errors
    /// A claim does not fit the shape.
    pub fn open(&self, claims: &[ColumnOpening], transcript: &mut Transcript) -> Result<Opening, CommitError> {
        let schedule = self.shape.schedule(claims)?;
        self.pcs
            .open_at(self.data.clone(), &schedule.protocol, &schedule.points, transcript.challenger())
            .map_err(|error| CommitError::Library(error.to_string()))
    }
}

fn root_of(cap: &<Mmcs as p3_commit::Mmcs<F>>::Commitment) -> [u8; 32] {
    let cap: &Cap = cap;
    cap.roots()[0]
}
