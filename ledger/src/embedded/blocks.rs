//! Blocks on disk, each with what became of its transactions. A block is durable before its state is.
use std::path::Path;

use assay_verifier::settlement::Height;
use assay_verifier::settlement::light::LightBlock;
use assay_verifier::wire::{self, Bytes};
use prost::Message;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use tendermint::block::signed_header::SignedHeader;
use tendermint::validator::Set;
use tendermint_proto::v0_38::abci::ExecTxResult;
use tendermint_proto::v0_38::types as proto;

use crate::proven::LightBytes;
use crate::state::{StoreError, begin};
use crate::tx::TxHash;

/// Blocks by height.
const BLOCKS: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("blocks version 1");
/// Height and place of transactions by their hash.
const PLACES: TableDefinition<'static, [u8; 32], (u64, u32)> = TableDefinition::new("places version 1");

/// A block with what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Header and commit.
    pub signed: SignedHeader,
    /// The validators, of this height and the next.
    pub validators: Set,
    /// The transactions.
    pub transactions: Vec<Vec<u8>>,
    /// What became of each.
    pub results: Vec<ExecTxResult>,
}

/// The same as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    light_block: Bytes,
    transactions: Vec<Bytes>,
    results: Vec<Bytes>,
}

fn corrupt(height: Height) -> StoreError {
    StoreError::Corrupt(format!("block {height}"))
}

impl Block {
    fn encode(&self) -> Vec<u8> {
        let light_block = proto::LightBlock {
            signed_header: Some(self.signed.clone().into()),
            validator_set: Some(self.validators.clone().into()),
        };
        wire::bytes(&Stored {
            light_block: Bytes(light_block.encode_to_vec()),
            transactions: self.transactions.iter().cloned().map(Bytes).collect(),
            results: self.results.iter().map(|result| Bytes(result.encode_to_vec())).collect(),
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let Stored { light_block, transactions, results } = wire::decode_untagged(bytes).ok()?;
        let light_block = proto::LightBlock::decode(light_block.0.as_slice()).ok()?;
        let results = results.iter().map(|Bytes(result)| ExecTxResult::decode(result.as_slice()).ok());
        Some(Self {
            signed: light_block.signed_header?.try_into().ok()?,
            validators: light_block.validator_set?.try_into().ok()?,
            transactions: transactions.into_iter().map(|Bytes(transaction)| transaction).collect(),
            results: results.collect::<Option<_>>()?,
        })
    }

    /// Its height.
    pub fn height(&self) -> Height {
        self.signed.header.height.value()
    }

    /// Its time, in milliseconds since 1970.
    pub fn time_ms(&self) -> u64 {
        u64::try_from(self.signed.header.time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
    }

    /// What light clients see of it, as it is sent.
    pub fn light_bytes(&self) -> LightBytes {
        let validators: proto::ValidatorSet = self.validators.clone().into();
        let next_validators = validators.encode_to_vec();
        let signed_header = Some(self.signed.clone().into());
        let block = proto::LightBlock { signed_header, validator_set: Some(validators) }.encode_to_vec();
        LightBytes { block, next_validators }
    }

    /// What light clients see of it.
    ///
    /// # Errors
    /// None for blocks that were made here.
    pub fn light_block(&self) -> Result<LightBlock, StoreError> {
        self.light_bytes().decode().map_err(|_| corrupt(self.height()))
    }
}

/// The database.
pub struct Blocks {
    database: Database,
}

impl Blocks {
    /// Opens or creates a database.
    ///
    /// # Errors
    /// The database's.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Database::create(path)?;
        let transaction = begin(&database)?;
        transaction.open_table(BLOCKS)?;
        transaction.open_table(PLACES)?;
        transaction.commit()?;
        Ok(Self { database })
    }

    /// The height of the last block; 0 if there is none.
    ///
    /// # Errors
    /// The database's.
    pub fn height(&self) -> Result<Height, StoreError> {
        let blocks = self.database.begin_read()?.open_table(BLOCKS)?;
        let last = blocks.last()?.map_or(0, |(height, _)| height.value());
        Ok(last)
    }

    /// A block.
    ///
    /// # Errors
    /// The database's.
    pub fn block(&self, height: Height) -> Result<Option<Block>, StoreError> {
        let blocks = self.database.begin_read()?.open_table(BLOCKS)?;
        let Some(bytes) = blocks.get(height)? else { return Ok(None) };
        Block::decode(bytes.value()).map(Some).ok_or_else(|| corrupt(height))
    }

    /// In which block a transaction is, and where.
    ///
    /// # Errors
    /// The database's.
    pub fn place(&self, transaction: TxHash) -> Result<Option<(Height, usize)>, StoreError> {
        let places = self.database.begin_read()?.open_table(PLACES)?;
        Ok(places.get(transaction.0)?.map(|place| (place.value().0, place.value().1 as usize)))
    }

    /// Makes a block durable, which must follow the last one.
    ///
    /// # Errors
    /// It does not follow, or the database's.
    pub fn append(&self, block: &Block) -> Result<(), StoreError> {
        let height = block.height();
        let transaction = begin(&self.database)?;
        {
            let mut blocks = transaction.open_table(BLOCKS)?;
            let mut places = transaction.open_table(PLACES)?;
            let last = blocks.last()?.map_or(0, |(height, _)| height.value());
            if Some(height) != last.checked_add(1) {
                return Err(StoreError::Corrupt(format!("block {height} does not follow {last}")));
            }
            blocks.insert(height, block.encode().as_slice())?;
            for (place, bytes) in (0u32..).zip(&block.transactions) {
                places.insert(TxHash::of(bytes).0, (height, place))?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}
