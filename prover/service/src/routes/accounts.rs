//! `GET /v1/accounts/{key}` and `POST /v1/transactions`: the ledger for payers who have no node of their own.
//!
//! Transactions are signed by whoever they are of; this node only hands them on. A payer who trusts nobody reads the account with a proof from a node
//! of the ledger.
use std::sync::Arc;
use std::time::Duration;

use assay_verifier::settlement::payment::Account;
use assay_verifier::settlement::{decode, keys};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::blocking;
use super::caller::{Allowed, Infers, Reads};
use super::problem::Problem;
use crate::ledger::{LedgerError, Whereabouts};
use crate::serve::Service;

/// How long a block is waited for.
const LONGEST: Duration = Duration::from_secs(15);

/// An account, and what a transaction of it needs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AccountOut {
    /// Its public key.
    pub key: String,
    /// The number of its next transaction.
    pub nonce: u64,
    /// What can be sent.
    pub balance: u64,
    /// What was deposited to pay for requests.
    pub escrow: u64,
    /// The ledger.
    pub chain_id: String,
    /// Fee of any transaction.
    pub fee_base: u64,
    /// Fee for each started 1024 bytes of it.
    pub fee_per_kib: u64,
}

/// A transaction in a block.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TransactionOut {
    /// Its name.
    pub hash: String,
    /// The block.
    pub height: u64,
}

/// An account on the ledger
#[utoipa::path(get, path = "/v1/accounts/{key}", tag = "operations", params(("key" = String, Path)),
    responses((status = 200, body = AccountOut), (status = 400, body = Problem)))]
pub async fn account(
    State(service): State<Arc<Service>>,
    _: Allowed<Reads>,
    Path(key): Path<String>,
) -> Result<Json<AccountOut>, Problem> {
    let key = key.parse().map_err(|_| Problem::malformed("key", "key: not 64 hexadecimal digits"))?;
    blocking(move || {
        let found = service.ledger.record(&keys::account(key)).map_err(|error| Problem::internal(&error))?;
        let account: Account = found.and_then(|bytes| decode(&bytes).ok()).unwrap_or_default();
        let rules = service.ledger.rules();
        Ok(Json(AccountOut {
            key: key.to_string(),
            nonce: account.nonce,
            balance: account.balance,
            escrow: account.escrow,
            chain_id: rules.chain_id.clone(),
            fee_base: rules.fees.base,
            fee_per_kib: rules.fees.per_kib,
        }))
    })
    .await
}

/// Hand in a signed transaction, and wait for its block
#[utoipa::path(post, path = "/v1/transactions", tag = "operations", request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = TransactionOut), (status = 202, description = "It is in no block yet"), (status = 422, body = Problem)))]
pub async fn submit(
    State(service): State<Arc<Service>>,
    _: Allowed<Infers>,
    body: Bytes,
) -> Result<(StatusCode, Json<TransactionOut>), Problem> {
    blocking(move || {
        let refused = |reason: assay_ledger::Rejection| {
            Problem::unfit("transaction", format!("{} (code {}, {})", reason.text(), reason.code(), reason.name()))
        };
        let failed = |error: LedgerError| match error {
            LedgerError::Refused(reason) => refused(reason),
            error => Problem::internal(&error),
        };
        service.ledger.attempt(&body).map_err(failed)?;
        let hash = service.ledger.submit(&body).map_err(failed)?;
        match service.ledger.wait(hash, LONGEST).map_err(failed)? {
            Whereabouts::Included(included) => match included.refused {
                None => Ok((StatusCode::OK, Json(TransactionOut { hash: hash.to_string(), height: included.height }))),
                Some(reason) => Err(refused(reason)),
            },
            Whereabouts::Dropped(reason) => Err(refused(reason)),
            Whereabouts::Waiting | Whereabouts::Unknown => {
                Ok((StatusCode::ACCEPTED, Json(TransactionOut { hash: hash.to_string(), height: 0 })))
            }
        }
    })
    .await
}
