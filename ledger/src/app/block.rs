//! A block on a fork of the state: envelope, budgets, fee, payload, transaction by transaction.
use assay_verifier::settlement::keys;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Block, BlockHash};

use super::leaf_codes;
use crate::event::Event;
use crate::money::{Pocket, account, transfer};
use crate::rejection::{Fault, Rejection};
use crate::state::{Committed, Overlay, Snapshot, State, StoreError, Writes};
use crate::tx::{BlockTime, Context, Transaction};
use crate::verdicts::{Task, Verdicts};
use crate::work;

/// What became of a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TxResult {
    /// Why it was refused, if it was.
    pub rejection: Option<Rejection>,
    /// Its work units.
    pub work: u64,
    /// Of a batch: the code of each leaf, four bytes each, little-endian, 0 for those that were settled.
    pub data: Vec<u8>,
    /// What happened.
    pub events: Vec<Event>,
}

impl TxResult {
    /// The code: 0 if it was not refused.
    pub fn code(&self) -> u32 {
        self.rejection.map_or(0, Rejection::code)
    }
}

/// Why a transaction should not be in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Its place in the block.
    pub position: usize,
    /// The reason.
    pub rejection: Rejection,
}

/// A transaction that passed all checks that need no state, or the reason why it did not.
pub(super) struct Decoded {
    transaction: Result<Transaction, Rejection>,
    size: usize,
}

impl Decoded {
    pub(super) fn new(bytes: &[u8], rules: &Parameters) -> Self {
        Self { transaction: Transaction::decode(bytes, rules), size: bytes.len() }
    }

    /// The transaction, or the reason.
    pub(super) fn transaction(&self) -> Result<&Transaction, Rejection> {
        self.transaction.as_ref().map_err(|reason| *reason)
    }

    /// The reason, if it is refused already.
    pub(super) fn rejection(&self) -> Option<Rejection> {
        self.transaction.as_ref().err().copied()
    }

    /// Its work, as the state is.
    pub(super) fn work(&self, state: &dyn State) -> Result<u64, StoreError> {
        let own = work::BASE + work::bytes(self.size);
        match &self.transaction {
            Ok(transaction) => Ok(own.saturating_add(transaction.body.payload.kind().work(state)?)),
            Err(_) => Ok(own),
        }
    }
}

/// Proofs of a block that are to be judged, by transaction: those within the budget, so that nobody is made to do more work.
pub(super) fn tasks(state: &Snapshot, rules: &Parameters, block: &[Decoded]) -> Result<Vec<Vec<Task>>, StoreError> {
    let (mut work, mut tasks) = (0u64, Vec::new());
    for decoded in block {
        let Ok(transaction) = &decoded.transaction else { continue };
        work = work.saturating_add(decoded.work(state)?);
        if work > rules.limits.block_work_max {
            break;
        }
        tasks.push(transaction.body.payload.kind().tasks());
    }
    Ok(tasks)
}

/// What an admitted transaction leaves: its fee and nonce, and what it did if it was not refused.
struct Admitted {
    writes: Writes,
    bytes: u64,
    work: u64,
}

/// A block that is being executed.
pub(super) struct Execution<'a> {
    rules: &'a Parameters,
    block: BlockTime,
    verdicts: &'a Verdicts,
    state: Overlay<'a>,
    bytes: u64,
    work: u64,
}

impl<'a> Execution<'a> {
    pub(super) fn new(
        state: &'a dyn State,
        rules: &'a Parameters,
        block: BlockTime,
        verdicts: &'a Verdicts,
    ) -> Result<Self, StoreError> {
        let mut state = Overlay::new(state);
        let before: Block = state.read(keys::BLOCK)?.ok_or_else(|| StoreError::Corrupt("no block".into()))?;
        let next = Block { height: block.height, time_ms: block.time_ms, ..before };
        state.write(keys::BLOCK.to_vec(), &next);
        Ok(Self { rules, block, verdicts, state, bytes: 0, work: 0 })
    }

    /// Executes a transaction. One that is refused for its payload has paid its fee; one refused before that has changed nothing.
    pub(super) fn execute(&mut self, decoded: &Decoded) -> Result<TxResult, StoreError> {
        let (result, admitted) = self.run(decoded)?;
        if let Some(admitted) = admitted {
            self.take(admitted);
        }
        Ok(result)
    }

    /// Executes a transaction if it succeeds, and says whether it did. One that is refused has changed nothing.
    pub(super) fn attempt(&mut self, decoded: &Decoded) -> Result<bool, StoreError> {
        match self.run(decoded)? {
            (TxResult { rejection: None, .. }, Some(admitted)) => {
                self.take(admitted);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn take(&mut self, admitted: Admitted) {
        self.state.merge(admitted.writes);
        (self.bytes, self.work) = (admitted.bytes, admitted.work);
    }

    fn run(&self, decoded: &Decoded) -> Result<(TxResult, Option<Admitted>), StoreError> {
        let work = decoded.work(&self.state)?;
        let mut result = TxResult { work, ..TxResult::default() };
        let mut above = Overlay::new(&self.state);
        let admitted = decoded.transaction().map_err(Fault::from).and_then(|transaction| {
            let (bytes, work) = self.admit(&mut above, decoded.size, work, transaction)?;
            Ok((transaction, bytes, work))
        });
        let (transaction, bytes, work) = match admitted {
            Ok(admitted) => admitted,
            Err(fault) => {
                result.rejection = Some(fault.rejection()?);
                return Ok((result, None));
            }
        };
        let mut context = Context::new(self.rules, self.block, self.verdicts, &above);
        let body = &transaction.body;
        let done = body.payload.kind().execute(body.signer, &mut context);
        let Context { state, events, leaves, .. } = context;
        result.data = leaf_codes(&leaves);
        let writes = state.into_writes();
        match done {
            Ok(()) => {
                above.merge(writes);
                result.events = events;
            }
            Err(fault) => result.rejection = Some(fault.rejection()?),
        }
        Ok((result, Some(Admitted { writes: above.into_writes(), bytes, work })))
    }

    /// Budgets, nonce and fee. Gives the bytes and the work of the block with the transaction.
    fn admit(
        &self,
        above: &mut Overlay<'_>,
        size: usize,
        work: u64,
        transaction: &Transaction,
    ) -> Result<(u64, u64), Fault> {
        let body = &transaction.body;
        let bytes = self.bytes.saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
        if bytes > self.rules.limits.block_bytes_max {
            return Err(Rejection::BlockBytes.into());
        }
        let work = self.work.saturating_add(work);
        if work > self.rules.limits.block_work_max {
            return Err(Rejection::BlockWork.into());
        }
        let signer = account(above, body.signer)?;
        if body.nonce < signer.nonce {
            return Err(Rejection::NonceUsed.into());
        }
        if body.nonce > signer.nonce {
            return Err(Rejection::NonceAhead.into());
        }
        transfer(above, Pocket::Balance(body.signer), Pocket::Fees, body.fee)?;
        let mut paid = account(above, body.signer)?;
        paid.nonce = paid.nonce.checked_add(1).ok_or(Rejection::NonceUsed)?;
        above.write(keys::account(body.signer), &paid);
        Ok((bytes, work))
    }

    /// Keeps the block's hash for those that come after, and lets go of the oldest that is kept.
    pub(super) fn remember(&mut self, hash: [u8; 32]) {
        let height = self.block.height;
        self.state.write(keys::block_hash(height), &BlockHash { hash, time_ms: self.block.time_ms });
        if let Some(oldest) = height.checked_sub(self.rules.block_hashes_kept()) {
            self.state.remove(keys::block_hash(oldest));
        }
    }

    /// The state as the block leaves it.
    pub(super) fn state(&self) -> &Overlay<'a> {
        &self.state
    }

    /// What the block wrote.
    pub(super) fn into_writes(self) -> Writes {
        self.state.into_writes()
    }
}
