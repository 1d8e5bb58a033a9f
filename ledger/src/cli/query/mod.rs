//! `assay-ledger query`: what the state says, proven.
mod block;
mod records;

use anyhow::Result;
use assay_verifier::receipt::{ModelId, RequestId};
use assay_verifier::settlement::model::Model;
use assay_verifier::settlement::node::Attestation;
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::payment::{Account, BlockHash, Reservation, Settlement, Totals};
use assay_verifier::settlement::sampling::{Sample, Sampling, can_be_drawn};
use assay_verifier::settlement::{Height, Versioned, keys};
use assay_verifier::signature::PublicKey;
use clap::{Args, Subcommand};

pub use block::inclusion;

use super::advice::advise;
use super::names::{self, Endpoint};
use super::show::Card;
use crate::client::{Client, ClientError, Root};
use crate::tx::TxHash;

const EXAMPLES: &str = "\
Examples:
  assay-ledger query status
  assay-ledger query account KEY --rpc http://127.0.0.1:26601
  assay-ledger query settlement REQUEST --json --trust 120:APP_HASH
  assay-ledger query model PUBLISHER/NAME/VERSION

Records are verified by their proofs against an app hash: that of a header which you name by --trust, or else the one that the node says. \
Status, blocks and transactions are the node's own word.";

/// Ask a node what the ledger says
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    question: Question,
    #[command(flatten)]
    endpoint: Endpoint,
    /// A header that you trust, by its height and app hash; records are proven as of the block before [default: the node's own word]
    #[arg(long, global = true, value_name = "HEIGHT:APP_HASH", value_parser = trusted)]
    trust: Option<Root>,
}

#[derive(Subcommand)]
enum Question {
    /// Balance, escrow and nonce
    Account { key: PublicKey },
    /// A node with its last heartbeat
    Node { key: PublicKey },
    /// A model's version, by its id or as PUBLISHER/NAME/VERSION
    Model {
        #[arg(value_parser = names::model)]
        model: ModelId,
    },
    /// What is reserved for a request
    Reservation { request: RequestId },
    /// What was paid for a request
    Settlement { request: RequestId },
    /// Whether a settlement on a node's word was drawn to be proven, and what became of that
    Sample { request: RequestId },
    /// How likely a node is caught that gives so many false answers on its word
    Detection { settlements: u32 },
    /// Where all money is
    Totals,
    /// The rules of the chain
    Parameters,
    /// A block with what became of its transactions [default: the last one]
    Block { height: Option<Height> },
    /// A transaction, by its hash
    Tx { hash: TxHash },
    /// Which chain the node follows, and how far it is
    Status,
}

fn trusted(text: &str) -> Result<Root, String> {
    let form = "write HEIGHT:APP_HASH, the app hash in 64 hexadecimal digits";
    let (height, hash) = text.split_once(':').ok_or(form)?;
    let height: Height = height.parse().map_err(|_| form)?;
    let mut app_hash = [0; 32];
    hex::decode_to_slice(hash, &mut app_hash).map_err(|_| form)?;
    // A header has the app hash of the state before its block; height 0 cannot be asked for.
    let height =
        height.checked_sub(1).filter(|height| *height > 0).ok_or("take the header of block 2 or of a later one")?;
    Ok(Root { height, app_hash })
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let client = arguments.endpoint.client()?;
    let json = arguments.endpoint.json;
    let card = answer(&client, arguments).map_err(advise)?;
    card.print(json);
    Ok(())
}

fn answer(client: &Client, arguments: &Arguments) -> Result<Card, ClientError> {
    let ask = || Proven::of(client, arguments.trust);
    match &arguments.question {
        Question::Account { key } => {
            let proven = ask()?;
            // An account that nothing was ever done with is an empty one.
            let account: Account = client.record(&keys::account(*key), &proven.root)?.unwrap_or_default();
            Ok(records::account(*key, &account).and(proven.card()))
        }
        Question::Node { key } => {
            let proven = ask()?;
            let heartbeat = client.record(&keys::heartbeat(*key), &proven.root)?;
            let found = client.record(&keys::node(*key), &proven.root)?;
            let bonded = client.record(&keys::stake(*key), &proven.root)?;
            let shown: Option<Versioned<Attestation>> = client.record(&keys::attestation(*key), &proven.root)?;
            let card = |node| records::node(*key, &node, heartbeat, bonded).and(records::attestation(shown.as_ref()));
            Ok(proven.found(found.map(card)))
        }
        Question::Model { model } => {
            let proven = ask()?;
            let found = client.record(&keys::model(*model), &proven.root)?;
            Ok(proven.found(found.map(|record| records::model(*model, &record))))
        }
        Question::Reservation { request } => {
            let proven = ask()?;
            let found: Option<Reservation> = client.record(&keys::reservation(*request), &proven.root)?;
            Ok(proven.found(found.map(|record| records::reservation(*request, &record))))
        }
        Question::Settlement { request } => {
            let proven = ask()?;
            let found: Option<Settlement> = client.record(&keys::settlement(*request), &proven.root)?;
            Ok(proven.found(found.map(|record| records::settlement(&record))))
        }
        Question::Sample { request } => {
            let proven = ask()?;
            let found: Option<Settlement> = client.record(&keys::settlement(*request), &proven.root)?;
            Ok(proven.found(found.map(|found| sample(client, &proven.root, &found)).transpose()?))
        }
        Question::Detection { settlements } => {
            let proven = ask()?;
            let found: Option<Versioned<Parameters>> = client.record(keys::PARAMETERS, &proven.root)?;
            Ok(proven.found(found.map(|rules| records::detection(&rules.record.sampling, *settlements))))
        }
        Question::Totals => {
            let proven = ask()?;
            let found: Option<Totals> = client.record(keys::TOTALS, &proven.root)?;
            Ok(proven.found(found.map(|totals| records::totals(&totals))))
        }
        Question::Parameters => {
            let proven = ask()?;
            let found = client.record(keys::PARAMETERS, &proven.root)?;
            Ok(proven.found(found.map(|parameters| records::parameters(&parameters))))
        }
        Question::Block { height } => block::block(client, *height),
        Question::Tx { hash } => block::transaction(client, *hash),
        Question::Status => block::status(client),
    }
}

/// A settlement as a sample. It is not known whether it is drawn before there is a block to draw by, or once that is forgotten.
fn sample(client: &Client, root: &Root, settlement: &Settlement) -> Result<Card, ClientError> {
    let rules: Option<Versioned<Parameters>> = client.record(keys::PARAMETERS, root)?;
    let sampling = rules.ok_or(ClientError::NoBlock(root.height))?.record.sampling;
    let model: Option<Versioned<Model>> = client.record(&keys::model(settlement.model), root)?;
    let can = model.is_some_and(|model| can_be_drawn(settlement, &model.record));
    let hash: Option<BlockHash> = client.record(&keys::block_hash(Sampling::drawn_at(settlement.height)), root)?;
    let drawn = if can { hash.map(|block| sampling.draws(&block.hash, settlement.request)) } else { Some(false) };
    let found: Option<Sample> = client.record(&keys::sample(settlement.request), root)?;
    Ok(records::sample(settlement, drawn, sampling.last(settlement.height), found))
}

/// The state that answers are proven against.
struct Proven {
    root: Root,
    from: &'static str,
}

impl Proven {
    fn of(client: &Client, trust: Option<Root>) -> Result<Self, ClientError> {
        match trust {
            Some(root) => Ok(Self { root, from: "--trust" }),
            None => Ok(Self { root: client.last()?, from: "the node's own word" }),
        }
    }

    fn card(&self) -> Card {
        let Root { height, app_hash } = self.root;
        let card = Card::new().with("proof", "verified").with("state_height", height);
        card.text("app_hash", hex::encode(app_hash)).with("app_hash_from", self.from)
    }

    /// A record, or that it was proven that there is none.
    fn found(&self, record: Option<Card>) -> Card {
        let found = Card::new().with("found", record.is_some());
        found.and(record.unwrap_or_default()).and(self.card())
    }
}
