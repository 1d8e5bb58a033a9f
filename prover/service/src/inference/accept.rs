//! The way of a request: read, checked, paid for, executed, kept, answered. Whatever can fail fails before anything is computed.
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use assay_verifier::digest::Digest32;
use assay_verifier::receipt::{self, ModelId, Program, Receipt, RequestId, Subject, request_digest};
use assay_verifier::signature::SigningKey;
use assay_verifier::wire::Bytes;
use rand_core::{OsRng, RngCore};
use thiserror::Error;

use super::recorded::{named, resolved};
use super::request::{Request, RequestError};
use super::tensors::{integers, reals};
use crate::access::Caller;
use crate::backends::{Backends, ExecuteError, Executed, Order};
use crate::clock::now_ms;
use crate::config::PaymentMode;
use crate::data::{RecordError, Records};
use crate::jobs::states::{Execution, Payment, Proving, Settlement, States};
use crate::jobs::{Answer, Committed, Failure, Job, JobError, Jobs, Keyed, Owner, Payload, Remembered};
use crate::models::{Circuits, Floats, LoadError, ModelRecord, Models, Served};
use crate::payments::PaymentError;
use crate::payments::reserve::ReserveError;
use crate::values::Values;

use super::pay::Payments;
use super::slots::Slots;

/// Longest idempotency key.
const KEY_LEN_MAX: usize = 128;

/// What a caller asks for.
pub struct Asked {
    /// Who asks.
    pub caller: Caller,
    /// The exact bytes of the body.
    pub body: Vec<u8>,
    /// The header that pays.
    pub payment: Option<String>,
    /// The key that makes a second attempt the same request.
    pub idempotency: Option<String>,
    /// The endpoint.
    pub route: &'static str,
}

/// What a caller gets.
pub enum Accepted {
    /// A job, new or the one that this very request made before.
    Job(Box<Job>),
    /// The first answer again, byte for byte.
    Again(Answer),
}

/// Why a caller gets nothing.
#[derive(Debug, Error)]
pub enum Refused {
    /// The body.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// No such model.
    #[error("model: there is no model {0:?}, or several publishers have one of that name")]
    Model(String),
    /// The model is not ready.
    #[error("model: it is not published yet (compilation {compilation}, publication {publication})")]
    NotReady {
        /// How far it is compiled.
        compilation: &'static str,
        /// How far it is published.
        publication: &'static str,
    },
    /// No backend of that kind.
    #[error("mode: this node does not serve {0}")]
    Mode(&'static str),
    /// A model that is answered for in enclaves only.
    #[error("mode: the model is evaluated in floating point, which nothing proves: ask for the mode tee")]
    Float,
    /// No key of that engine.
    #[error("engine: the model has no key of the engine {0}")]
    Engine(String),
    /// The idempotency key is none.
    #[error("Idempotency-Key: 1 to {KEY_LEN_MAX} visible characters")]
    Key,
    /// The idempotency key was used for something else.
    #[error("Idempotency-Key: it was used for another request")]
    KeyUsed,
    /// The first request with this key is still in work.
    #[error("Idempotency-Key: the first request with it is in work")]
    KeyBusy,
    /// It has to be paid for. This is the header that says how.
    #[error("payment is required: the header PAYMENT-REQUIRED has a signed price")]
    Pay(String),
    /// The payment will not do. Behind it is the header that says what would.
    #[error("{0}")]
    Payment(PaymentError, String),
    /// The money could not be set aside.
    #[error(transparent)]
    Reserve(#[from] ReserveError),
    /// Too much waits.
    #[error("too much waits to be proven")]
    Busy(Duration),
    /// There is no answer.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// A record that is no input.
    #[error("data: {0}")]
    Record(#[from] RecordError),
    /// The circuit.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The store of jobs.
    #[error(transparent)]
    Jobs(JobError),
    /// Somebody else's job.
    #[error("the request was made before by somebody else")]
    Foreign,
    /// The request was made before, and failed.
    #[error("the request was made before and failed: {0}")]
    Failed(String),
}

impl From<JobError> for Refused {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Busy { retry_after_ms } => Self::Busy(Duration::from_millis(retry_after_ms)),
            error => Self::Jobs(error),
        }
    }
}

/// What answers requests.
pub struct Inference {
    /// The chain that receipts are for.
    pub chain_id: String,
    /// This node's key.
    pub node: SigningKey,
    /// Whether requests are paid for.
    pub payment: PaymentMode,
    /// Jobs.
    pub jobs: Arc<Jobs>,
    /// Models.
    pub models: Arc<Models>,
    /// Loaded circuits.
    pub circuits: Arc<Circuits>,
    /// Loaded models that are evaluated in floating point.
    pub floats: Arc<Floats>,
    /// Records of fetched data.
    pub records: Arc<Records>,
    /// Backends.
    pub backends: Backends,
    /// Payments.
    pub payments: Arc<Payments>,
    /// Places for those who compute.
    pub slots: Slots,
    /// Jobs that are being answered now: nobody else takes them up.
    pub answering: Mutex<HashSet<RequestId>>,
}

/// What whoever asks again is told of a job that failed.
fn failed(job: Job) -> Refused {
    Refused::Failed(job.failure.map_or_else(|| "no reason is kept".into(), |failure| failure.text))
}

/// A mark that a job is being answered.
struct Answering<'a>(&'a Inference, RequestId);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.answering.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// A request whose body was read and checked.
struct Checked {
    request: Request,
    model: Arc<ModelRecord>,
    key: Option<Served>,
    program: Program,
    inputs: Values,
    digest: Digest32,
}

impl Inference {
    /// Answers a request. Blocks while the answer is computed, and while money is set aside.
    ///
    /// # Errors
    /// Nothing is answered then, and nothing is charged.
    pub fn answer(&self, asked: Asked) -> Result<Accepted, Refused> {
        let digest = request_digest(&asked.body);
        if let Some(again) = self.again(&asked, digest)? {
            return Ok(again);
        }
        let checked = self.check(&asked.body, digest)?;
        let price = if self.payment == PaymentMode::Free { 0 } else { checked.model.price };
        if price == 0 {
            return self.free(asked, checked);
        }
        let job = self.authorised(asked, checked, price)?;
        Ok(Accepted::Job(Box::new(self.go_on(job)?)))
    }

    /// The first answer under the caller's key, or the job that it made.
    fn again(&self, asked: &Asked, digest: Digest32) -> Result<Option<Accepted>, Refused> {
        let Some(key) = &asked.idempotency else { return Ok(None) };
        if !(1..=KEY_LEN_MAX).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refused::Key);
        }
        let found = self.jobs.remembered(&asked.caller.owner, key, now_ms())?;
        found.map(|remembered| self.remembered(asked, digest, remembered)).transpose()
    }

    fn remembered(&self, asked: &Asked, digest: Digest32, remembered: Remembered) -> Result<Accepted, Refused> {
        if remembered.route != asked.route || remembered.body != digest {
            return Err(Refused::KeyUsed);
        }
        if let Some(answer) = remembered.answer {
            return Ok(Accepted::Again(answer));
        }
        match self.jobs.get(remembered.job)? {
            Some(job) if job.states.execution == Execution::Done => Ok(Accepted::Job(Box::new(job))),
            Some(job) if job.states.execution == Execution::Failed => Err(failed(job)),
            _ => Err(Refused::KeyBusy),
        }
    }

    /// All that can be refused without computing and without money.
    fn check(&self, body: &[u8], digest: Digest32) -> Result<Checked, Refused> {
        let request = Request::parse(body)?;
        let model = self.models.find(&request.model).ok_or_else(|| Refused::Model(request.model.clone()))?;
        if !model.serves() {
            let (compilation, publication) = (model.compilation.name(), model.publication.name());
            return Err(Refused::NotReady { compilation, publication });
        }
        let backend = request.backend();
        if self.backends.get(backend).is_none() {
            return Err(Refused::Mode(super::assurance::mode(backend)));
        }
        if model.onnx().is_some() && backend != receipt::Backend::Tee {
            return Err(Refused::Float);
        }
        let engine = request.engine()?;
        let key = match backend {
            receipt::Backend::Zkml => {
                let found = engine.map_or(model.keys.first(), |engine| model.key(engine));
                let name = engine.map_or_else(|| "sumcheck".into(), |engine| engine.to_string());
                Some(*found.ok_or(Refused::Engine(name))?)
            }
            _ => None,
        };
        let program = model.program().ok_or(ExecuteError::NotCompiled)?;
        let given = resolved(&request.inputs, &self.records)?;
        let inputs = match (model.onnx(), model.circuit) {
            (Some((file, batch)), _) => {
                let float = self.floats.get(file, batch).map_err(ExecuteError::from)?;
                let inputs = reals(float.inputs(), &given)?;
                float.check(&inputs).map_err(ExecuteError::from)?;
                Values::Reals(inputs)
            }
            (None, Some((circuit, blob))) => {
                Values::Integers(integers(self.circuits.get(circuit, blob)?.circuit(), &given)?)
            }
            (None, None) => return Err(ExecuteError::NotCompiled.into()),
        };
        Ok(Checked { request, model, key, program, inputs, digest })
    }

    /// A request that costs nothing: executed, then kept with its answer in one write.
    fn free(&self, asked: Asked, checked: Checked) -> Result<Accepted, Refused> {
        let (payer, nonce) = (self.node.public(), OsRng.next_u64());
        let mut job = self.job(asked.caller.owner.clone(), &checked, (payer, nonce), 0);
        let executed = self.execute(&job, &checked.model, checked.key.as_ref(), &checked.inputs)?;
        let commitment = self.fill(&mut job, executed, named(&checked.request)?);
        let payload = Payload { request: Bytes(asked.body), inputs: checked.inputs, commitment };
        let keyed =
            asked.idempotency.map(|key| Keyed { key, route: asked.route.into(), body: checked.digest, answer: None });
        match self.jobs.accept(job.clone(), payload, keyed, now_ms()) {
            Err(JobError::Remembered(_)) => Err(Refused::KeyBusy),
            accepted => Ok(accepted.map(|()| Accepted::Job(Box::new(job)))?),
        }
    }

    /// A request that is paid for: kept, with what the payer signed.
    fn authorised(&self, asked: Asked, checked: Checked, price: u64) -> Result<Job, Refused> {
        let (id, backend) = (checked.model.id(), checked.request.backend());
        let wanted = self.payments.asked(id, backend, checked.digest, price);
        let Some(header) = &asked.payment else {
            return Err(Refused::Pay(self.payments.required(&wanted, None, now_ms())));
        };
        let wrong = |error| {
            let header = self.payments.required(&wanted, Some(&error), now_ms());
            Refused::Payment(error, header)
        };
        let accepted = self.payments.check(header, &wanted, now_ms()).map_err(wrong)?;
        let authorised = accepted.payment.authorised();
        let payer = (authorised.authorisation.payer, authorised.authorisation.client_nonce);
        let mut job = self.job(asked.caller.owner.clone(), &checked, payer, accepted.price);
        if let Some(known) = self.jobs.get(job.id)? {
            // The same payment for the same bytes is the same request.
            return if known.owner == job.owner { Ok(known) } else { Err(Refused::Foreign) };
        }
        self.payments.check_funds(&accepted).map_err(wrong)?;
        job.deadline_ms.get_or_insert(authorised.authorisation.deadline_ms);
        job.authorised = Some(authorised);
        job.states.payment = Payment::Authorised;
        let payload = Payload { request: Bytes(asked.body), inputs: checked.inputs, commitment: None };
        let keyed =
            asked.idempotency.map(|key| Keyed { key, route: asked.route.into(), body: checked.digest, answer: None });
        match self.jobs.accept(job.clone(), payload, keyed, now_ms()) {
            Err(JobError::Remembered(_)) => Err(Refused::KeyBusy),
            Err(JobError::Exists) => Err(Refused::KeyBusy),
            accepted => Ok(accepted.map(|()| job)?),
        }
    }

    /// Goes on with a job that is kept and not answered yet, here and after a restart: money is set aside, the answer is computed.
    ///
    /// # Errors
    /// The job has failed then, and says why; or the ledger does not answer, and it waits.
    pub fn go_on(&self, job: Job) -> Result<Job, Refused> {
        match job.states.execution {
            Execution::Done => return Ok(job),
            Execution::Failed => return Err(failed(job)),
            Execution::Pending | Execution::Running => {}
        }
        let id = job.id;
        if !self.answering.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
            return Err(Refused::KeyBusy);
        }
        let _answering = Answering(self, id);
        if job.states.payment == Payment::Authorised
            && let Err(error) = self.payments.reserve(&self.jobs, &job)
        {
            if matches!(error, ReserveError::Refused(_) | ReserveError::NotAuthorised) {
                self.fail(id, "payment", &error)?;
            }
            return Err(error.into());
        }
        let missing = || Refused::Jobs(JobError::Unknown);
        let payload = self.jobs.payload(id)?.ok_or_else(missing)?;
        let model = self.models.get(job.model).ok_or_else(|| Refused::Model(job.model_name.clone()))?;
        let key = job.proving.and_then(|proving| model.keys.iter().find(|key| key.digest == proving.key).copied());
        self.jobs.change(id, now_ms(), |job| {
            if job.states.execution == Execution::Pending {
                job.states.execution = Execution::Running;
            }
            Ok(())
        })?;
        match self.execute(&job, &model, key.as_ref(), &payload.inputs) {
            Ok(executed) => {
                let mut answered = self.jobs.get(id)?.ok_or_else(missing)?;
                let records = named(&Request::parse(&payload.request.0)?)?;
                let commitment = self.fill(&mut answered, executed, records);
                let kept = answered.clone();
                Ok(self.jobs.answered(id, now_ms(), commitment, move |job| {
                    (job.states.execution, job.states.proof) = (kept.states.execution, kept.states.proof);
                    (job.outputs, job.answered) = (kept.outputs, kept.answered);
                    Ok(())
                })?)
            }
            Err(error) => {
                self.fail(id, "execution", &error)?;
                Err(error.into())
            }
        }
    }

    fn fail(&self, id: RequestId, code: &str, error: &dyn std::fmt::Display) -> Result<(), JobError> {
        let failure = Failure { code: code.into(), text: error.to_string(), retryable: false, attempt: 1 };
        self.jobs.change(id, now_ms(), move |job| {
            if matches!(job.states.execution, Execution::Pending | Execution::Running) {
                job.states.execution = Execution::Failed;
            }
            if job.states.payment == Payment::Authorised {
                job.states.payment = Payment::Released;
            }
            job.failure = Some(failure);
            Ok(())
        })?;
        Ok(())
    }

    fn execute(
        &self,
        job: &Job,
        model: &ModelRecord,
        key: Option<&Served>,
        inputs: &Values,
    ) -> Result<Executed, ExecuteError> {
        let backend = self.backends.get(job.backend).ok_or(ExecuteError::NotCompiled)?;
        let _slot = self.slots.take();
        backend.execute(&Order { model, key, inputs })
    }

    /// A job that nothing has happened to.
    fn job(
        &self,
        owner: Owner,
        checked: &Checked,
        (payer, client_nonce): (assay_verifier::signature::PublicKey, u64),
        price: u64,
    ) -> Job {
        let Checked { request, model, key, program, digest, .. } = checked;
        let backend = request.backend();
        let now = now_ms();
        let estimate = self.backends.get(backend).map(|backend| backend.estimate(model, key.as_ref()));
        let model_id: ModelId = model.id();
        Job {
            id: RequestId::new(&self.chain_id, payer, client_nonce, *digest),
            owner,
            model: model_id,
            model_name: model.reference(),
            program: *program,
            backend,
            proving: key.map(|key| receipt::Proving { engine: key.kind.engine, key: key.digest, hiding: key.hiding() }),
            payer,
            client_nonce,
            request_digest: *digest,
            price,
            authorised: None,
            created_ms: now,
            deadline_ms: request.deadline_s.map(|seconds| now.saturating_add(u64::from(seconds) * 1000)),
            cost_us: estimate.map_or(0, |estimate| estimate.prove_us),
            states: States {
                execution: Execution::Pending,
                proof: Proving::None,
                settlement: Settlement::None,
                payment: Payment::None,
            },
            failure: None,
            attempts: 0,
            lease: None,
            not_before_ms: 0,
            outputs: None,
            answered: None,
            proven: None,
            proof: None,
            reserved: None,
            submitted: None,
            settled: None,
            updated_ms: now,
        }
    }

    /// Puts an answer and its receipt into a job. Gives what opens the commitment to private inputs.
    fn fill(&self, job: &mut Job, executed: Executed, records: Vec<Digest32>) -> Option<Committed> {
        let Executed { outputs, inputs, commitment, proving } = executed;
        let capabilities = self.backends.get(job.backend).map(|backend| backend.capabilities());
        let receipt = Receipt {
            chain_id: self.chain_id.clone(),
            request: job.id,
            payer: job.payer,
            client_nonce: job.client_nonce,
            request_digest: job.request_digest,
            model: job.model,
            subject: match job.program {
                Program::Circuit(circuit) => Subject::Circuit(circuit),
                Program::Onnx(file) => Subject::Onnx(file),
            },
            backend: job.backend,
            claim: capabilities.as_ref().map_or(receipt::Claim::SignedOnly, |capabilities| capabilities.claim),
            grade: capabilities.as_ref().map_or(receipt::Grade::Simulated, |capabilities| capabilities.grade),
            proving,
            inputs,
            records,
            outputs: outputs.outputs_digest(),
            node: self.node.public(),
            price: job.price,
            time_ms: now_ms(),
            proven: None,
        };
        job.answered = Some(receipt.sign(&self.node));
        job.outputs = Some(outputs);
        job.states.execution = Execution::Done;
        if proving.is_some() {
            job.states.proof = Proving::Queued;
        }
        commitment
    }
}
