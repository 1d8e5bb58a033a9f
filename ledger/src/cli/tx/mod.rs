//! `assay-ledger tx`: a transaction is signed, tried, submitted and waited for.
mod payload;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use assay_verifier::signature::SigningKey;
use clap::Args;

use super::advice::advise;
use super::names::Endpoint;
use super::query::inclusion;
use super::show::Card;
use crate::client::{Client, ClientError, Signer};
use payload::Kind;

const EXAMPLES: &str = "\
Examples:
  assay-ledger tx transfer KEY 500 --key chain/account.seed
  assay-ledger tx register-node --backend zkml --endpoint https://node.example --stake 5000 --key node.seed
  assay-ledger tx reserve --node KEY --model PUBLISHER/NAME/VERSION --request-digest DIGEST --amount 100 --key payer.seed

A key is a file with the 64 hexadecimal digits of its seed, as `assay-ledger init` writes it. The transaction is tried on the node's state \
first, so one that would be refused is not sent. Then the command waits until it is in a block, and prints the block's height and the code.";

/// Sign a transaction, submit it and wait for its block
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    kind: Kind,
    #[command(flatten)]
    endpoint: Endpoint,
    /// The signer's seed
    #[arg(long, global = true, value_name = "FILE", default_value = "account.seed")]
    key: PathBuf,
    /// What is paid for the transaction [default: the least that the chain asks for]
    #[arg(long, global = true, value_name = "AMOUNT")]
    fee: Option<u64>,
    /// How long to wait for the block; 0 does not wait
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { kind, endpoint, fee, wait, .. } = arguments;
    let client = endpoint.client()?;
    let key = seed(&arguments.key)?;
    let mut signer = signer(&client, key).map_err(advise)?;
    let made = kind.payload(&signer)?;
    let transaction = signer.sign(made.payload, *fee);
    client.attempt(&transaction).map_err(advise)?;
    let hash = client.submit(&transaction).map_err(advise)?;
    let card = Card::new().text("hash", hash).and(made.about);
    if *wait == 0 {
        card.with("code", serde_json::Value::Null).print(endpoint.json);
        return Ok(());
    }
    let included = client.wait(hash, Duration::from_secs(*wait)).map_err(advise)?;
    card.and(inclusion(&included)).print(endpoint.json);
    match included.outcome.refused {
        None => Ok(()),
        Some(refused) => Err(advise(refused.into())),
    }
}

fn seed(path: &PathBuf) -> Result<SigningKey> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{}: name the file of the signer's seed by --key", path.display()))?;
    SigningKey::from_hex(text.trim()).with_context(|| {
        format!("{}: a seed is 64 hexadecimal digits, as `assay-ledger init` writes it", path.display())
    })
}

/// The signer, as the node's last state has it: a wrong word of the node's could only make it sign what is refused.
fn signer(client: &Client, key: SigningKey) -> Result<Signer, ClientError> {
    let root = client.last()?;
    Signer::new(client, key, &root)
}
