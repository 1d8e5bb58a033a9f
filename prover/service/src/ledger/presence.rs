//! The node in the ledger's registry: registered at the start if it is not, and alive as long as this is.
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender as Stop, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use assay_ledger::Rejection;
use assay_ledger::tx::{DeregisterNode, Heartbeat, Payload, RegisterNode};
use assay_verifier::settlement::node::{self, Node};
use assay_verifier::settlement::{Versioned, keys};
use assay_verifier::signature::PublicKey;
use assay_verifier::tee::TeeError;
use thiserror::Error;

use super::{Attesting, Fate, Ledger, LedgerError, SendError, Sender, read};
use crate::attester::EnclaveError;
use crate::clock::now_ms;

/// How long a transaction of the registry may take.
const LONGEST: Duration = Duration::from_secs(60);
/// How long after a sign of life that did not arrive the next one is tried.
const RETRY: Duration = Duration::from_secs(10);
/// Signs of life in a window: two may be late or lost.
const BEATS_IN_WINDOW: u64 = 3;

/// Why the node is not in the registry.
#[derive(Debug, Error)]
pub enum PresenceError {
    /// The account cannot pay for the stake and the fee.
    #[error("account {account} cannot pay the stake of {stake} and a fee: send it money, or stake less")]
    Poor {
        /// The account.
        account: PublicKey,
        /// What is to be staked.
        stake: u64,
    },
    /// The ledger does not want it.
    #[error("the registry refuses the node with code {code}: {0}", code = .0.code())]
    Refused(Rejection),
    /// It is not known what became of it.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There is no evidence of the enclave.
    #[error("the enclave: {0}")]
    Enclave(#[from] EnclaveError),
    /// The chain does not accept the evidence.
    #[error(
        "the chain of this folder does not accept the enclave's evidence: {0}; begin with another folder, or a ledger that trusts it"
    )]
    Evidence(TeeError),
}

/// The node, registered. Its thread ends when this is dropped; the node stays registered.
pub struct Presence {
    ledger: Arc<dyn Ledger>,
    sender: Arc<Sender>,
    stop: Option<Stop<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Presence {
    /// Registers the sender's account as a node, if it is none, and keeps it alive.
    ///
    /// # Errors
    /// It cannot be registered.
    pub fn start(
        ledger: Arc<dyn Ledger>,
        sender: Arc<Sender>,
        node: &Node,
        attesting: Option<Attesting>,
    ) -> Result<Self, PresenceError> {
        register(&*ledger, &sender, node, attesting.as_ref())?;
        let (stop, stopped) = channel();
        let interval = Duration::from_millis(ledger.rules().heartbeat_window_ms / BEATS_IN_WINDOW);
        let (of, by) = (Arc::clone(&ledger), Arc::clone(&sender));
        let work = move || {
            let mut pause = Duration::ZERO;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(pause) {
                pause = due(&*of, by.key()).unwrap_or(interval);
                if pause.is_zero() {
                    if let Err(error) = beat(&by) {
                        tracing::warn!(%error, "the node's heartbeat is not on the ledger");
                    }
                    pause = RETRY.min(interval);
                }
                let Some(attesting) = &attesting else { continue };
                let mut renewal = attesting.due(&*of, &by).unwrap_or(interval);
                if renewal.is_zero() {
                    match attesting.renew(&*of, &by) {
                        Ok(()) => tracing::info!("the node is attested anew"),
                        Err(error) => tracing::warn!(%error, "the node's attestation is not renewed"),
                    }
                    renewal = RETRY.min(interval);
                }
                pause = pause.min(renewal);
            }
        };
        let thread = std::thread::Builder::new().name("presence".into()).spawn(work);
        let thread = thread.map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        Ok(Self { ledger, sender, stop: Some(stop), thread: Some(thread) })
    }

    /// Ends the node's registration. The stake goes back; what is not settled by then cannot be settled.
    ///
    /// # Errors
    /// The registry refuses, or no answer.
    pub fn deregister(self, reason: &str) -> Result<(), PresenceError> {
        let payload = Payload::DeregisterNode(DeregisterNode { reason: reason.into() });
        match send(&self.sender, payload) {
            Err(PresenceError::Refused(Rejection::NodeDeregistered | Rejection::NodeUnknown)) => Ok(()),
            finished => finished,
        }
    }

    /// The record in force, if there is one.
    ///
    /// # Errors
    /// No answer.
    pub fn record(&self) -> Result<Option<Node>, LedgerError> {
        registered(&*self.ledger, self.sender.key())
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A sign of life, in a block.
///
/// # Errors
/// It is refused, or no answer.
pub fn beat(sender: &Sender) -> Result<(), PresenceError> {
    send(sender, Payload::Heartbeat(Heartbeat {}))
}

/// How long until the next sign of life is due.
fn due(ledger: &dyn Ledger, node: PublicKey) -> Result<Duration, LedgerError> {
    let last: Option<node::Heartbeat> = read(ledger, &keys::heartbeat(node))?;
    let interval = ledger.rules().heartbeat_window_ms / BEATS_IN_WINDOW;
    let next = last.map_or(0, |last| last.time_ms.saturating_add(interval));
    Ok(Duration::from_millis(next.saturating_sub(now_ms())))
}

fn registered(ledger: &dyn Ledger, node: PublicKey) -> Result<Option<Node>, LedgerError> {
    let record: Option<Versioned<Node>> = read(ledger, &keys::node(node))?;
    let next = ledger.height()?.saturating_add(1);
    Ok(record.filter(|record| record.holds_at(next)).map(|record| record.record))
}

fn register(
    ledger: &dyn Ledger,
    sender: &Sender,
    node: &Node,
    attesting: Option<&Attesting>,
) -> Result<(), PresenceError> {
    if let Some(found) = registered(ledger, sender.key())? {
        if found.backends == node.backends {
            if found != *node {
                tracing::warn!(
                    ?found,
                    "the node is registered with another record, which stays: deregister it to change it"
                );
            }
            // Whatever attestation there is was of another run, so of other software for all that is known.
            return attesting.map_or(Ok(()), |attesting| attesting.renew(ledger, sender));
        }
        tracing::info!(?found, "the node is registered for other backends: it is registered anew");
        send(sender, Payload::DeregisterNode(DeregisterNode { reason: "other backends".into() }))?;
    }
    let poor = || PresenceError::Poor { account: sender.key(), stake: node.stake };
    let attestation = attesting.map(|attesting| attesting.show(ledger, sender)).transpose()?.map(Box::new);
    match send(sender, Payload::RegisterNode(RegisterNode { node: node.clone(), attestation })) {
        Err(PresenceError::Refused(Rejection::InsufficientBalance)) => Err(poor()),
        Err(PresenceError::Refused(Rejection::NodeExists)) => Ok(()),
        finished => finished,
    }
}

/// Sends a transaction and waits for its block.
pub(super) fn send(sender: &Sender, payload: Payload) -> Result<(), PresenceError> {
    finish(sender.send_and_wait(payload, LONGEST))
}

fn finish(sent: Result<Fate, SendError>) -> Result<(), PresenceError> {
    match sent {
        Ok(Fate::Done { .. }) => Ok(()),
        Ok(Fate::Refused(reason)) | Err(SendError::Refused(reason)) => Err(PresenceError::Refused(reason)),
        Ok(Fate::Gone) => Err(SendError::NotYet(Duration::ZERO).into()),
        Err(error) => Err(error.into()),
    }
}
