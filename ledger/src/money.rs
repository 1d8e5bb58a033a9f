//! Money moves from pocket to pocket and nothing else happens to it, so the sum stays what the genesis made it.
use assay_verifier::settlement::keys;
use assay_verifier::settlement::payment::{Account, Totals};
use assay_verifier::signature::PublicKey;

use crate::rejection::{Fault, Rejection};
use crate::state::{Overlay, StoreError};

/// Where money can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pocket {
    /// The balance of an account.
    Balance(PublicKey),
    /// The escrow of an account.
    Escrow(PublicKey),
    /// Reserved for requests; each reservation says how much.
    Reserved,
    /// Staked by nodes; each node's record says how much.
    Stakes,
    /// Paid as fees.
    Fees,
}

/// Moves money.
///
/// # Errors
/// The pocket does not have it.
pub fn transfer(state: &mut Overlay<'_>, from: Pocket, to: Pocket, amount: u64) -> Result<(), Fault> {
    let overflow = || StoreError::Corrupt("there is more money than the genesis made".into());
    change(state, from, |held| held.checked_sub(amount), || short(from).into())?;
    change(state, to, |held| held.checked_add(amount), || overflow().into())
}

/// An account; one that nothing was ever done with is empty.
///
/// # Errors
/// It could not be read.
pub fn account(state: &Overlay<'_>, id: PublicKey) -> Result<Account, StoreError> {
    Ok(state.read(&keys::account(id))?.unwrap_or_default())
}

fn short(pocket: Pocket) -> Rejection {
    match pocket {
        Pocket::Escrow(_) => Rejection::InsufficientEscrow,
        _ => Rejection::InsufficientBalance,
    }
}

fn change(
    state: &mut Overlay<'_>,
    pocket: Pocket,
    by: impl Fn(u64) -> Option<u64>,
    fault: impl Fn() -> Fault,
) -> Result<(), Fault> {
    if let Pocket::Balance(id) | Pocket::Escrow(id) = pocket {
        let mut account = account(state, id)?;
        let held = if matches!(pocket, Pocket::Balance(_)) { &mut account.balance } else { &mut account.escrow };
        *held = by(*held).ok_or_else(fault)?;
        state.write(keys::account(id), &account);
    }
    let mut totals: Totals = state.read(keys::TOTALS)?.unwrap_or_default();
    let total = match pocket {
        Pocket::Balance(_) => &mut totals.balances,
        Pocket::Escrow(_) => &mut totals.escrows,
        Pocket::Reserved => &mut totals.reserved,
        Pocket::Stakes => &mut totals.stakes,
        Pocket::Fees => &mut totals.fees,
    };
    *total = by(*total).ok_or_else(|| StoreError::Corrupt(format!("the total of {pocket:?} is wrong")))?;
    state.write(keys::TOTALS.to_vec(), &totals);
    Ok(())
}
