//! What is answered to each request.
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};

use assay_verifier::settlement::parameters::Parameters;
use tendermint_proto::v0_38::abci::request::Value as Asked;
use tendermint_proto::v0_38::abci::response::Value as Said;
use tendermint_proto::v0_38::abci::response_apply_snapshot_chunk::Result as ChunkResult;
use tendermint_proto::v0_38::abci::response_offer_snapshot::Result as OfferResult;
use tendermint_proto::v0_38::abci::response_process_proposal::ProposalStatus;
use tendermint_proto::v0_38::abci::response_verify_vote_extension::VerifyStatus;
use tendermint_proto::v0_38::abci::{self, CheckTxType, Request, Response};
use tendermint_proto::v0_38::crypto::{ProofOp, ProofOps};
use thiserror::Error;

use super::block::{block_time, gas, result};
use super::recheck::LeftOut;
use super::snapshots::Snapshots;
use crate::app::{App, AppError, Misuse, Proof, Query, QueryError, Reader, Unfit};
use crate::genesis::{Genesis, RawGenesis};
use crate::metrics::{Metrics, timed};
use crate::rejection::Rejection;
use crate::tx::BlockTime;
use crate::verdicts::Pool;

/// The path of queries: the value under a key of the state, with its proof if it is asked for.
pub const QUERY_PATH: &str = "/key";
/// The path of trials: what would become of a transaction.
pub const TRIAL_PATH: &str = "/trial";
/// The kind of the proofs.
const PROOF_KIND: &str = "ics23:jmt";
/// The namespace of the codes that queries are refused with.
const QUERY_SPACE: &str = "query";
/// Version of the state machine's rules.
pub const APP_VERSION: u64 = 1;

/// Why a request is answered by an `Exception`.
#[derive(Debug, Error)]
pub enum Refusal {
    /// The node must stop: state and consensus have parted.
    #[error(transparent)]
    Fatal(#[from] AppError),
    /// Something that CometBFT would not ask.
    #[error("{0}")]
    Asked(String),
}

/// Answers requests, from any thread.
pub struct Answers {
    app: Mutex<App>,
    reader: Reader,
    pool: Pool,
    genesis: Genesis,
    snapshots: Option<Snapshots>,
    left_out: LeftOut,
    metrics: Arc<Metrics>,
}

impl Answers {
    /// Answers for an application. Proofs that are admitted are judged by the pool, before their block.
    pub fn new(app: App, pool: Pool, genesis: Genesis) -> Self {
        let (left_out, metrics) = (LeftOut::new(), Arc::new(Metrics::default()));
        metrics.height.store(app.last().height, Ordering::Relaxed);
        Self { reader: app.reader().clone(), app: Mutex::new(app), pool, genesis, snapshots: None, left_out, metrics }
    }

    /// With snapshots for nodes that join late.
    pub fn with_snapshots(self, snapshots: Snapshots) -> Self {
        Self { snapshots: Some(snapshots), ..self }
    }

    /// What is measured.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Answers a request.
    ///
    /// # Errors
    /// The state could not be read or written: after the answer, which is an `Exception`, the node must stop.
    pub fn answer(&self, request: Request) -> (Response, Result<(), AppError>) {
        let exception =
            |error: &dyn std::fmt::Display| Said::Exception(abci::ResponseException { error: error.to_string() });
        let (said, fate) = match self.say(request) {
            Ok(said) => (said, Ok(())),
            Err(Refusal::Fatal(error)) => (exception(&error), Err(error)),
            Err(refusal) => (exception(&refusal), Ok(())),
        };
        (Response { value: Some(said) }, fate)
    }

    fn say(&self, request: Request) -> Result<Said, Refusal> {
        let asked = request.value.ok_or_else(|| Refusal::Asked("a request that this version does not know".into()))?;
        Ok(match asked {
            Asked::Echo(echo) => Said::Echo(abci::ResponseEcho { message: echo.message }),
            Asked::Flush(_) => Said::Flush(abci::ResponseFlush {}),
            Asked::Info(_) => Said::Info(self.info()?),
            Asked::InitChain(asked) => Said::InitChain(self.init_chain(&asked)?),
            Asked::Query(asked) => Said::Query(self.query(asked)?),
            Asked::CheckTx(asked) => Said::CheckTx(match asked.r#type() {
                CheckTxType::New => self.check(&asked.tx)?,
                CheckTxType::Recheck => self.recheck(&asked.tx)?,
            }),
            Asked::PrepareProposal(asked) => Said::PrepareProposal(self.prepare(asked)?),
            Asked::ProcessProposal(asked) => Said::ProcessProposal(self.process(asked)?),
            Asked::FinalizeBlock(asked) => Said::FinalizeBlock(self.finalize(asked)?),
            Asked::Commit(_) => Said::Commit(self.commit()?),
            // Votes carry nothing, and genesis asks for nothing.
            Asked::ExtendVote(_) => Said::ExtendVote(abci::ResponseExtendVote::default()),
            Asked::VerifyVoteExtension(asked) => {
                let status = if asked.vote_extension.is_empty() { VerifyStatus::Accept } else { VerifyStatus::Reject };
                Said::VerifyVoteExtension(abci::ResponseVerifyVoteExtension { status: status.into() })
            }
            Asked::ListSnapshots(_) => {
                Said::ListSnapshots(self.snapshots.as_ref().map(Snapshots::list).unwrap_or_default())
            }
            Asked::LoadSnapshotChunk(asked) => {
                let load = |snapshots: &Snapshots| snapshots.load(&asked);
                Said::LoadSnapshotChunk(self.snapshots.as_ref().map(load).unwrap_or_default())
            }
            Asked::OfferSnapshot(asked) => Said::OfferSnapshot(self.offer(&asked)?),
            Asked::ApplySnapshotChunk(asked) => Said::ApplySnapshotChunk(self.apply(asked)?),
        })
    }

    /// The application. A thread that panicked within it left it in a state that nothing may be built on.
    fn app(&self) -> Result<MutexGuard<'_, App>, Refusal> {
        self.app.lock().map_err(|_| Refusal::Fatal(AppError::Panicked))
    }

    fn info(&self) -> Result<abci::ResponseInfo, Refusal> {
        let last = self.app()?.last();
        Ok(abci::ResponseInfo {
            data: "assay-ledger".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            app_version: APP_VERSION,
            last_block_height: height(last.height)?,
            last_block_app_hash: last.app_hash.to_vec().into(),
        })
    }

    /// The state at height 0 was made when the database was created; here it is only compared with what CometBFT begins with.
    fn init_chain(&self, asked: &abci::RequestInitChain) -> Result<abci::ResponseInitChain, Refusal> {
        let text = std::str::from_utf8(&asked.app_state_bytes).map_err(|error| Refusal::Asked(error.to_string()))?;
        let genesis = RawGenesis::from_json(text)
            .and_then(|raw| raw.check())
            .map_err(|error| Refusal::Asked(format!("app_state of CometBFT's genesis: {error}")))?;
        let Parameters { chain_id, .. } = genesis.parameters();
        if genesis.digest() != self.genesis.digest() || *chain_id != asked.chain_id || asked.initial_height > 1 {
            return Err(Refusal::Asked("the genesis is not that of the database".into()));
        }
        let last = self.app()?.last();
        if last.height != 0 {
            return Err(Refusal::Asked("the chain has begun already".into()));
        }
        Ok(abci::ResponseInitChain { app_hash: last.app_hash.to_vec().into(), ..Default::default() })
    }

    fn query(&self, asked: abci::RequestQuery) -> Result<abci::ResponseQuery, Refusal> {
        let refused = |code: u32, log: String| abci::ResponseQuery {
            code,
            log,
            codespace: QUERY_SPACE.into(),
            ..Default::default()
        };
        match asked.path.as_str() {
            QUERY_PATH => {}
            TRIAL_PATH => return self.trial(&asked.data),
            _ => return Ok(refused(1, format!("the paths are {QUERY_PATH}, with a key as data, and {TRIAL_PATH}"))),
        }
        let Ok(at) = u64::try_from(asked.height) else { return Ok(refused(2, "the height is negative".into())) };
        let proof = if asked.prove { Proof::Wanted } else { Proof::Unwanted };
        let query = Query { key: asked.data.to_vec(), height: (at != 0).then_some(at), proof };
        let answer = match self.reader.query(&query) {
            Ok(answer) => answer,
            Err(QueryError::Store(error)) => return Err(AppError::from(error).into()),
            Err(error @ QueryError::NotKept(_)) => return Ok(refused(3, error.to_string())),
            Err(error @ QueryError::EmptyKey) => return Ok(refused(4, error.to_string())),
        };
        let op = |data| ProofOp { r#type: PROOF_KIND.into(), key: query.key.clone(), data };
        Ok(abci::ResponseQuery {
            // Absence is not an empty value: `index` tells them apart where no proof does.
            index: if answer.value.is_some() { 1 } else { 0 },
            key: query.key.clone().into(),
            value: answer.value.unwrap_or_default().into(),
            proof_ops: answer.proof.map(|data| ProofOps { ops: vec![op(data)] }),
            height: height(answer.height)?,
            ..Default::default()
        })
    }

    /// Answers with the codes of transactions.
    fn trial(&self, transaction: &[u8]) -> Result<abci::ResponseQuery, Refusal> {
        let rejection = self.reader.attempt(transaction).map_err(AppError::from)?;
        Ok(rejection.map_or_else(abci::ResponseQuery::default, |rejection| abci::ResponseQuery {
            code: rejection.code(),
            log: rejection.text().into(),
            info: rejection.name().into(),
            codespace: rejection.codespace().into(),
            ..Default::default()
        }))
    }

    fn check(&self, transaction: &[u8]) -> Result<abci::ResponseCheckTx, Refusal> {
        let Metrics { checks, check_duration, pool_full, .. } = &*self.metrics;
        let checked = timed(check_duration, || self.reader.check(transaction)).map_err(AppError::from)?;
        checks.count(checked.rejection.is_none());
        // Where the pool is full, whoever judges the block judges the proofs.
        if self.pool.submit(checked.tasks).is_err() {
            pool_full.add(1);
        }
        Ok(checked_answer(checked.rejection, checked.work))
    }

    fn recheck(&self, transaction: &[u8]) -> Result<abci::ResponseCheckTx, Refusal> {
        let rejection = self.left_out.recheck(&self.reader, transaction).map_err(AppError::from)?;
        self.metrics.rechecks.count(rejection.is_none());
        Ok(checked_answer(rejection, 0))
    }

    fn prepare(&self, asked: abci::RequestPrepareProposal) -> Result<abci::ResponsePrepareProposal, Refusal> {
        let block = block(asked.height, asked.time)?;
        let waiting: Vec<Vec<u8>> = asked.txs.into_iter().map(Into::into).collect();
        let bytes_max = u64::try_from(asked.max_tx_bytes).unwrap_or(0);
        let app = self.app()?;
        let chosen = timed(&self.metrics.prepare_duration, || app.prepare(&waiting, bytes_max, block))?;
        Ok(abci::ResponsePrepareProposal { txs: chosen.into_iter().map(Into::into).collect() })
    }

    /// A proposal that does not follow is its proposer's fault, so it is refused and nothing stops.
    fn process(&self, asked: abci::RequestProcessProposal) -> Result<abci::ResponseProcessProposal, Refusal> {
        let transactions: Vec<Vec<u8>> = asked.txs.into_iter().map(Into::into).collect();
        let status = match block_time(asked.height, asked.time) {
            None => ProposalStatus::Reject,
            Some(block) => match self.judge(&transactions, block)? {
                Ok(Ok(())) => ProposalStatus::Accept,
                Ok(Err(_)) | Err(AppError::Misuse(Misuse::Height { .. } | Misuse::Time)) => ProposalStatus::Reject,
                Err(error) => return Err(error.into()),
            },
        };
        self.metrics.proposals.count(status == ProposalStatus::Accept);
        Ok(abci::ResponseProcessProposal { status: status.into() })
    }

    fn judge(
        &self,
        transactions: &[Vec<u8>],
        block: BlockTime,
    ) -> Result<Result<Result<(), Unfit>, AppError>, Refusal> {
        let app = self.app()?;
        Ok(timed(&self.metrics.process_duration, || app.process(transactions, block)))
    }

    fn finalize(&self, asked: abci::RequestFinalizeBlock) -> Result<abci::ResponseFinalizeBlock, Refusal> {
        let block = block(asked.height, asked.time)?;
        let hash = asked.hash.as_ref().try_into().map_err(|_| Refusal::Asked("a block without hash".into()))?;
        let transactions: Vec<Vec<u8>> = asked.txs.into_iter().map(Into::into).collect();
        let Metrics { finalize_duration, transactions: outcomes, work, .. } = &*self.metrics;
        let mut app = self.app()?;
        let finalized = timed(finalize_duration, || app.finalize(&transactions, block, hash))?;
        for result in &finalized.results {
            outcomes.count(result.rejection.is_none());
            work.add(result.work);
        }
        Ok(abci::ResponseFinalizeBlock {
            tx_results: finalized.results.into_iter().map(result).collect(),
            app_hash: finalized.committed.app_hash.to_vec().into(),
            ..Default::default()
        })
    }

    fn commit(&self) -> Result<abci::ResponseCommit, Refusal> {
        let mut app = self.app()?;
        let height = timed(&self.metrics.commit_duration, || app.commit())?.height;
        self.metrics.height.store(height, Ordering::Relaxed);
        if let Some(snapshots) = self.snapshots.as_ref().filter(|snapshots| snapshots.due(height)) {
            // While the application is held, the committed state is that of this height.
            snapshots.make(self.reader.store().snapshot().map_err(AppError::from)?);
        }
        Ok(abci::ResponseCommit { retain_height: 0 })
    }

    fn offer(&self, asked: &abci::RequestOfferSnapshot) -> Result<abci::ResponseOfferSnapshot, Refusal> {
        let result = match &self.snapshots {
            Some(snapshots) => snapshots.offer(&*self.app()?, asked).map_err(AppError::from)?,
            None => OfferResult::Abort,
        };
        Ok(abci::ResponseOfferSnapshot { result: result.into() })
    }

    fn apply(&self, asked: abci::RequestApplySnapshotChunk) -> Result<abci::ResponseApplySnapshotChunk, Refusal> {
        match &self.snapshots {
            Some(snapshots) => Ok(snapshots.apply(&mut *self.app()?, asked).map_err(AppError::from)?),
            None => {
                let result = ChunkResult::Abort.into();
                Ok(abci::ResponseApplySnapshotChunk { result, ..Default::default() })
            }
        }
    }
}

fn checked_answer(rejection: Option<Rejection>, work: u64) -> abci::ResponseCheckTx {
    let mut answer = abci::ResponseCheckTx { gas_wanted: gas(work), ..Default::default() };
    if let Some(rejection) = rejection {
        answer.code = rejection.code();
        answer.log = rejection.text().into();
        answer.info = rejection.name().into();
        answer.codespace = rejection.codespace().into();
    }
    answer
}

fn block(height: i64, time: Option<tendermint_proto::google::protobuf::Timestamp>) -> Result<BlockTime, Refusal> {
    block_time(height, time).ok_or_else(|| Refusal::Asked("a block without height or time".into()))
}

fn height(height: u64) -> Result<i64, Refusal> {
    i64::try_from(height).map_err(|error| Refusal::Asked(error.to_string()))
}
