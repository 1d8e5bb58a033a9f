//! Errors that say what to do next.
use crate::client::{ClientError, Refused};
use crate::rejection::Rejection;

/// An error with what to do about it.
pub fn advise(error: ClientError) -> anyhow::Error {
    match next(&error) {
        Some(next) => anyhow::anyhow!("{error}\nNext: {next}"),
        None => error.into(),
    }
}

fn next(error: &ClientError) -> Option<&'static str> {
    Some(match error {
        ClientError::Address(_) => {
            "write --rpc http://HOST:PORT; `assay-ledger init` prints the addresses of its nodes"
        }
        ClientError::Unreachable { .. } => {
            "see that both processes of the node run (`assay-ledger run HOME`, `cometbft node --home HOME`), or name another node by --rpc"
        }
        ClientError::Malformed { .. } => "name the RPC port of a CometBFT v0.38 node whose application is assay-ledger",
        ClientError::Full(_) => "wait for a block and run the command again; the same transaction is never taken twice",
        ClientError::NotIncluded { .. } => {
            "it may still come: `assay-ledger query tx HASH`; if it does not, see whether blocks are made: `assay-ledger query status`"
        }
        ClientError::NoBlock(_) | ClientError::OtherHeight { .. } => {
            "ask for a later height; `assay-ledger query status` says how far the node is"
        }
        ClientError::Query { .. } => "name a header of the last thousand heights, or ask a node that keeps more",
        ClientError::NotABlock(_) => "ask another node by --rpc",
        ClientError::NotProven(_) => {
            "see that the header of --trust is of this chain; otherwise the node lies: ask another one by --rpc"
        }
        ClientError::Record(_) => "use the version of assay-ledger that the chain runs",
        ClientError::Refused(refused) => return refused_next(refused),
        ClientError::Node { .. } => return None,
    })
}

fn refused_next(refused: &Refused) -> Option<&'static str> {
    Some(match refused.rejection()? {
        Rejection::InsufficientBalance => "`assay-ledger query account KEY` says what there is; a fee is paid too",
        Rejection::InsufficientEscrow => "move money to the escrow: `assay-ledger tx deposit AMOUNT`",
        Rejection::NonceUsed | Rejection::NonceAhead => {
            "another transaction of this key is on its way: run the command again after the next block"
        }
        Rejection::FeeTooLow => "leave --fee out, and the least fee is paid",
        Rejection::NodeUnknown | Rejection::NodeDeregistered => "register the node: `assay-ledger tx register-node`",
        Rejection::NodeExists => "deregister first: `assay-ledger tx deregister-node`",
        Rejection::HeartbeatMissed => "let the node give a sign of life: `assay-ledger tx heartbeat`",
        Rejection::StakeTooLow => "`assay-ledger query parameters` says how much must be staked",
        Rejection::ModelUnknown => "publish the model: `assay-ledger tx publish-model`",
        Rejection::ModelExists => "publish under another version",
        Rejection::SrsNotAllowed => {
            "make the key with a reference string of the genesis: `assay-ledger query parameters`"
        }
        Rejection::DeadlineTooFar => "`assay-ledger query parameters` says how far ahead deadlines may lie",
        Rejection::DeadlinePast => "authorise the request anew, with a later deadline",
        Rejection::DeadlineAhead => "`assay-ledger query reservation REQUEST` says when the deadline is",
        Rejection::ReservationUnknown => "reserve first: `assay-ledger tx reserve`",
        Rejection::RequestReserved => "`assay-ledger query reservation REQUEST` says for whom",
        Rejection::RequestSettled => "`assay-ledger query settlement REQUEST` says by what",
        _ => "the table of codes in ledger/README.md says what is asked for",
    })
}
