//! Jobs to test with.
use assay_service::jobs::states::{Execution, Payment, Proving, Settlement, States};
use assay_service::jobs::{Hold, Job, JobError, Jobs, Owner, Payload, ProofFile, Rules};
use assay_service::storage::BlobId;
use assay_service::values::Values;
use assay_verifier::digest::{CircuitDigest, Digest32, KeyDigest};
use assay_verifier::key::Engine;
use assay_verifier::receipt::{
    self, Backend, Claim, Grade, ModelId, Program, Receipt, RequestId, SignedReceipt, Subject,
};
use assay_verifier::signature::{PublicKey, SigningKey};
use assay_verifier::statement::Inputs;
use assay_verifier::wire::Bytes;
use tempfile::TempDir;

/// When everything begins.
pub const START: u64 = 1_700_000_000_000;

/// A store in a folder of its own.
pub struct Store {
    folder: TempDir,
    rules: Rules,
    jobs: Option<Jobs>,
}

impl Store {
    /// With the usual rules.
    pub fn new() -> Self {
        Self::with(Rules::default())
    }

    /// With rules.
    pub fn with(rules: Rules) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let jobs = Some(Jobs::open(&folder.path().join("jobs.redb"), rules, START).unwrap());
        Self { folder, rules, jobs }
    }

    /// Closes and opens it.
    pub fn reopen(&mut self, now_ms: u64) {
        self.jobs = None;
        self.jobs = Some(Jobs::open(&self.folder.path().join("jobs.redb"), self.rules, now_ms).unwrap());
    }

    /// The file.
    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("jobs.redb")
    }
}

impl std::ops::Deref for Store {
    type Target = Jobs;

    fn deref(&self) -> &Jobs {
        self.jobs.as_ref().unwrap()
    }
}

/// A public key. Nobody needs to have the secret.
pub fn public(number: u8) -> PublicKey {
    PublicKey([number; 32])
}

/// The identity of a job.
pub fn id(number: u64) -> RequestId {
    RequestId::new("test", public(1), number, Digest32([0; 32]))
}

/// A model's key.
pub fn key(number: u8) -> KeyDigest {
    KeyDigest([number; 32])
}

/// A job whose answer is given and whose proof is to be made.
pub fn job(number: u64) -> Job {
    let proving = Some(receipt::Proving { engine: Engine::Sumcheck, key: key(1), hiding: false });
    Job {
        id: id(number),
        owner: Owner("somebody".into()),
        model: ModelId([1; 32]),
        model_name: "a/b/c".into(),
        program: Program::Circuit(CircuitDigest([1; 32])),
        backend: Backend::Zkml,
        proving,
        payer: public(1),
        client_nonce: number,
        request_digest: Digest32([0; 32]),
        price: 0,
        authorised: None,
        created_ms: START,
        deadline_ms: None,
        cost_us: 50_000,
        states: States {
            execution: Execution::Done,
            proof: Proving::Queued,
            settlement: Settlement::None,
            payment: Payment::None,
        },
        failure: None,
        attempts: 0,
        lease: None,
        not_before_ms: 0,
        outputs: Some(Values::Integers(vec![vec![1, 2, 3]])),
        answered: Some(answered(number)),
        proven: None,
        proof: None,
        reserved: None,
        submitted: None,
        settled: None,
        updated_ms: START,
    }
}

/// A receipt of an answer.
pub fn answered(number: u64) -> SignedReceipt {
    let proving = Some(receipt::Proving { engine: Engine::Sumcheck, key: key(1), hiding: false });
    let node = SigningKey::from_seed([9; 32]);
    let receipt = Receipt {
        chain_id: "test".into(),
        request: id(number),
        payer: public(1),
        client_nonce: number,
        request_digest: Digest32([0; 32]),
        model: ModelId([1; 32]),
        subject: Subject::Circuit(CircuitDigest([1; 32])),
        backend: Backend::Zkml,
        claim: Claim::Proven,
        grade: Grade::Production,
        proving,
        inputs: Inputs::Public(vec![vec![1]]).digest(),
        records: Vec::new(),
        outputs: Digest32([2; 32]),
        node: node.public(),
        price: 0,
        time_ms: START,
        proven: None,
    };
    receipt.sign(&node)
}

/// What it is about.
pub fn payload(number: u64) -> Payload {
    Payload {
        request: Bytes(number.to_le_bytes().to_vec()),
        inputs: Values::Integers(vec![vec![number as i64; 64]]),
        commitment: None,
    }
}

/// Hands in a proof as if it had been checked.
pub fn prove(jobs: &Jobs, hold: Hold, now_ms: u64) -> Result<Job, JobError> {
    let handed_in = jobs.hand_in(hold, now_ms)?;
    let receipt = handed_in.answered.unwrap().receipt.proven(b"proof").sign(&SigningKey::from_seed([9; 32]));
    let digest = receipt.receipt.proven.unwrap().proof;
    jobs.prove(hold, ProofFile { digest, blob: BlobId([3; 32]), size: 5, prove_us: 1 }, receipt, now_ms)
}
