//! `assay client account`: a payer's account on the service's ledger, and the escrow that pays for requests.
use std::path::{Path, PathBuf};

use anyhow::Result;
use assay_ledger::tx::{Body, Deposit, Payload, Withdraw};
use assay_verifier::settlement::parameters::Fees;
use assay_verifier::signature::SigningKey;
use clap::Subcommand;
use ureq::http::Method;

use super::super::Verdict;
use super::super::output::Output;
use super::super::problem::problem;
use super::http::Server;
use crate::routes::accounts::{AccountOut, TransactionOut};

/// A payer's account on the ledger
#[derive(Subcommand)]
pub enum Command {
    /// Show an account
    Show {
        /// The payer's seed: 64 hexadecimal digits in a file
        #[arg(long, value_name = "FILE.seed")]
        payer: PathBuf,
    },
    /// Put balance into escrow, from which requests are paid for
    Deposit {
        /// How much
        amount: u64,
        /// The payer's seed: 64 hexadecimal digits in a file
        #[arg(long, value_name = "FILE.seed")]
        payer: PathBuf,
    },
    /// Take escrow back
    Withdraw {
        /// How much
        amount: u64,
        /// The payer's seed: 64 hexadecimal digits in a file
        #[arg(long, value_name = "FILE.seed")]
        payer: PathBuf,
    },
}

/// Reads a seed's file.
pub fn seed(path: &Path) -> Result<SigningKey> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        problem(format!("{}: {error}", path.display()), "name the file of a seed, 64 hexadecimal digits")
    })?;
    let key = SigningKey::from_hex(text.trim());
    key.map_err(|error| problem(format!("{}: {error}", path.display()), "name the file of a seed"))
}

/// An account as the service's node has it.
pub fn account(server: &Server, key: &SigningKey) -> Result<AccountOut> {
    server.get(&format!("/v1/accounts/{}", key.public()))
}

/// Signs a transaction and hands it in.
pub fn send(server: &Server, key: &SigningKey, payload: Payload) -> Result<TransactionOut> {
    let AccountOut { nonce, chain_id, fee_base, fee_per_kib, .. } = account(server, key)?;
    let body = |fee| Body { chain_id: chain_id.clone(), signer: key.public(), nonce, fee, payload: payload.clone() };
    let size = body(0).sign(key).encode().len() as u64;
    let fee = Fees { base: fee_base, per_kib: fee_per_kib }.least(size);
    let transaction = body(fee).sign(key).encode();
    let headers = [("content-type", "application/octet-stream")];
    server.exchange(Method::POST, "/v1/transactions", &headers, transaction)?.json()
}

/// Runs the command.
pub fn run(command: &Command, server: &Server, output: &Output) -> Result<Verdict> {
    let (path, payload) = match command {
        Command::Show { payer } => (payer, None),
        Command::Deposit { amount, payer } => (payer, Some(Payload::Deposit(Deposit { amount: *amount }))),
        Command::Withdraw { amount, payer } => (payer, Some(Payload::Withdraw(Withdraw { amount: *amount }))),
    };
    let key = seed(path)?;
    if let Some(payload) = payload {
        let done = send(server, &key, payload)?;
        output.field("transaction", format_args!("{} in block {}", done.hash, done.height));
    }
    let account = account(server, &key)?;
    output.field("account", &account.key);
    output.field("  balance", account.balance);
    output.field("  escrow", account.escrow);
    output.json(&account);
    Ok(Verdict::Fine)
}
