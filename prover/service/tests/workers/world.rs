//! A service without HTTP: jobs, blobs and a desk, for one small model.
use std::sync::{Arc, LazyLock, Mutex};

use assay_circuits::onnx::NoExternalData;
use assay_circuits::{CompileOptions, Compiled, Model, compile};
use assay_prover::file::{CheckedFile, CircuitFile};
use assay_prover::halo2;
use assay_prover::halo2::choose::choose;
use assay_prover::halo2::secret::Secret;
use assay_prover::halo2::srs::{ProvingSrs, make};
use assay_service::clock::now_ms;
use assay_service::jobs::states::{Execution, Payment, Proving, Settlement, States};
use assay_service::jobs::{Hold, Job, Jobs, Owner, Payload, Rules};
use assay_service::storage::{BlobStore, FileBlobs};
use assay_service::values::Values;
use assay_service::workers::{Catalogue, Desk, Needs, Parts, Place, Provers, Strings, Task, prove};
use assay_verifier::circuit::Limits;
use assay_verifier::digest::{Digest32, KeyDigest};
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::key::{CheckedKey, Engine, Key};
use assay_verifier::receipt::{self, Backend, Claim, Grade, ModelId, Receipt, RequestId, Subject};
use assay_verifier::signature::{PublicKey, SigningKey};
use assay_verifier::statement::Inputs;
use assay_verifier::wire::{self, Bytes};
use rand_core::OsRng;
use tempfile::TempDir;

/// The chain that receipts are for.
const CHAIN: &str = "test";

/// A compiled model, made once for all tests.
pub static MODEL: LazyLock<CircuitFile> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/operators/gemm.onnx");
    let model = Model::from_bytes(&std::fs::read(path).unwrap(), &NoExternalData).unwrap();
    let Compiled { circuit, weights, report } = compile(&model, &CompileOptions::default(), &|_, _| {}).unwrap();
    CircuitFile::new(circuit, weights, report).unwrap()
});

/// A reference string, made once for all tests.
static STRING: LazyLock<Mutex<Option<ProvingSrs>>> = LazyLock::new(|| Mutex::new(None));

fn strings() -> Strings {
    Box::new(|k| {
        let mut string = STRING.lock().unwrap();
        let string = string.get_or_insert_with(|| make(12, OsRng, |_| {}).unwrap());
        let cut = string.cut(k).map_err(|error| error.to_string())?;
        let srs = *cut.srs();
        Ok((cut.into_params(), srs))
    })
}

/// What is known of the one model.
pub struct Shelf {
    parts: Parts,
    hides: bool,
}

impl Catalogue for Shelf {
    fn parts(&self, job: &Job) -> Option<Parts> {
        (job.proving?.key == self.parts.key).then(|| self.parts.clone())
    }

    fn hiding(&self) -> Vec<KeyDigest> {
        if self.hides { vec![self.parts.key] } else { vec![] }
    }
}

/// The service.
pub struct World {
    pub jobs: Arc<Jobs>,
    pub blobs: Arc<FileBlobs>,
    pub desk: Arc<Desk>,
    pub provers: Arc<Provers>,
    pub parts: Parts,
    pub key: Arc<CheckedKey>,
    file: CheckedFile,
    private_input: bool,
    node: SigningKey,
    _folder: TempDir,
}

impl World {
    /// With a key of the engine `sumcheck`.
    pub fn new() -> Self {
        let file = CheckedFile::new(MODEL.clone()).unwrap();
        let key = Key::from(file.clone().prover().unwrap().prove_range().unwrap());
        Self::with(file, &key, None, false)
    }

    /// With a key of the engine `halo2` that hides inputs and weights.
    pub fn hiding() -> Self {
        let visibility = Visibility { private_input: true, private_weights: true };
        let file = CheckedFile::new(MODEL.clone()).unwrap();
        let shape = choose(file.circuit(), visibility).unwrap();
        let (circuit, weights, secret) = (file.circuit().clone(), file.file().weights.clone(), Secret::random());
        let string = strings()(shape.k.into()).unwrap();
        let prover = halo2::Prover::new(circuit, weights, (shape, visibility), string, Some(secret.clone())).unwrap();
        let key = Key::from(prover.key().key().clone());
        Self::with(file, &key, Some(secret.0), true)
    }

    fn with(file: CheckedFile, key: &Key, secret: Option<[u8; 32]>, hides: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let jobs = Arc::new(Jobs::open(&folder.path().join("jobs.redb"), Rules::default(), now_ms()).unwrap());
        let blobs = Arc::new(FileBlobs::open(&folder.path().join("blobs")).unwrap());
        let circuit_file = blobs.put(&wire::encode(file.file())).unwrap();
        let key_file = blobs.put(&wire::encode(key)).unwrap();
        let parts = Parts { engine: key.engine(), key: key.digest(), circuit_file, key_file, secret };
        let node = SigningKey::from_seed([9; 32]);
        let catalogue = Arc::new(Shelf { parts: parts.clone(), hides });
        let needs =
            Needs { jobs: jobs.clone(), blobs: blobs.clone(), catalogue, node: node.clone(), keys_bytes_max: 1 << 20 };
        let desk = Arc::new(Desk::new(needs));
        let provers = Arc::new(Provers::new(1 << 30, strings(), None));
        let key = Arc::new(CheckedKey::new(key, &Limits::default()).unwrap());
        Self { jobs, blobs, desk, provers, parts, key, file, private_input: hides, node, _folder: folder }
    }

    /// The provers, with the model's loaded.
    pub fn prover(&self) -> Arc<assay_service::workers::Prover> {
        self.provers.get(&self.parts, &|id| self.blobs.get(id).map_err(|error| error.to_string())).unwrap()
    }

    /// Inputs that differ from those of other numbers.
    pub fn inputs(&self, number: u64) -> Vec<Vec<i64>> {
        let ports = &self.file.circuit().circuit().inputs;
        let len = |port: &assay_verifier::circuit::Port| port.dims.iter().map(|&dim| dim as usize).product::<usize>();
        ports.iter().map(|port| (0..len(port)).map(|cell| (cell as i64 + number as i64) % 50).collect()).collect()
    }

    /// Answers a request and keeps it as a job.
    pub fn ask(&self, number: u64) -> RequestId {
        let inputs = self.inputs(number);
        let outputs = self.file.evaluate(&inputs).unwrap();
        let commitment = if self.private_input { self.prover().commit(&inputs).unwrap() } else { None };
        let stated = match &commitment {
            Some((commitment, _)) => Inputs::Private(commitment.clone()),
            None => Inputs::Public(inputs.clone()),
        };
        let (payer, request_digest) = (self.node.public(), Digest32([number as u8; 32]));
        let proving =
            Some(receipt::Proving { engine: self.parts.engine, key: self.parts.key, hiding: self.private_input });
        let receipt = Receipt {
            chain_id: CHAIN.into(),
            request: RequestId::new(CHAIN, payer, number, request_digest),
            payer,
            client_nonce: number,
            request_digest,
            model: ModelId([1; 32]),
            subject: Subject::Circuit(self.file.circuit().digest()),
            backend: Backend::Zkml,
            claim: Claim::Proven,
            grade: Grade::Production,
            proving,
            inputs: stated.digest(),
            records: Vec::new(),
            outputs: Digest32(assay_verifier::digest::digest("assay outputs v1", &wire::bytes(&outputs))),
            node: self.node.public(),
            price: 0,
            time_ms: now_ms(),
            proven: None,
        };
        let job = Job {
            id: receipt.request,
            owner: Owner("somebody".into()),
            model: receipt.model,
            model_name: "a/gemm/1".into(),
            program: receipt.program().unwrap(),
            backend: Backend::Zkml,
            proving,
            payer,
            client_nonce: number,
            request_digest,
            price: 0,
            authorised: None,
            created_ms: now_ms(),
            deadline_ms: None,
            cost_us: 10_000,
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
            outputs: Some(Values::Integers(outputs)),
            answered: Some(receipt.sign(&self.node)),
            proven: None,
            proof: None,
            reserved: None,
            submitted: None,
            settled: None,
            updated_ms: now_ms(),
        };
        let id = job.id;
        let payload = Payload { request: Bytes(vec![number as u8]), inputs: Values::Integers(inputs), commitment };
        self.jobs.accept(job, payload, None, now_ms()).unwrap();
        id
    }

    /// A task for a worker elsewhere that is trusted.
    pub fn task(&self, worker: PublicKey) -> Option<(Task, Hold)> {
        let task = self.desk.task(worker, Place::Trusted, vec![], now_ms() + 100_000).unwrap()?;
        let hold = Hold { job: task.job, worker, token: task.token };
        Some((task, hold))
    }

    /// The proof of a task, as an honest worker makes it.
    pub fn proof(&self, task: &Task) -> Vec<u8> {
        prove(task, &self.provers, &|id| self.blobs.get(id).map_err(|error| error.to_string()), &|_| true)
            .unwrap()
            .proof
    }

    /// What must hold of a job whose proof is ready.
    pub fn check_ready(&self, id: RequestId) {
        let job = self.jobs.get(id).unwrap().unwrap();
        assert_eq!(job.states.proof, Proving::Ready);
        let (answered, proven, file) = (job.answered.unwrap(), job.proven.unwrap(), job.proof.unwrap());
        proven.verify().unwrap();
        let bytes = self.blobs.get(file.blob).unwrap();
        assert_eq!((bytes.len() as u64, receipt::proof_digest(&bytes)), (file.size, file.digest));
        assert_eq!(proven.receipt, answered.receipt.proven(&bytes));
        assay_service::workers::check(&answered.receipt, &self.key, &bytes).unwrap();
        assert_eq!(job.lease, None);
    }

    /// The engine of the model's key.
    pub fn engine(&self) -> Engine {
        self.parts.engine
    }
}
