//! Collateral: what Intel says about platforms and revocations, signed, and its validity.
use alloc::string::String;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::identity::Identity;
use super::revocation::RevocationList;
use super::tcb::TcbInfo;
use crate::tee::calendar::iso_ms;
use crate::tee::crypto::{Key, p256_raw};
use crate::tee::x509::{self, Certificate, Window};
use crate::tee::{Part, TeeError};
use crate::wire::Bytes;

/// Everything about a quote's platform that is not in the quote. Statements are the exact texts that are signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collateral {
    /// The JSON object `tcbInfo`.
    pub tcb_info: String,
    /// Its signature, two numbers of 32 bytes.
    pub tcb_info_signature: Bytes,
    /// The JSON object `enclaveIdentity`.
    pub identity: String,
    /// Its signature.
    pub identity_signature: Bytes,
    /// The certificate of the key that signed both, as DER. It is issued by the root.
    pub signer: Bytes,
    /// What the root revoked, as DER.
    pub root_list: Bytes,
    /// What the authority of the platform's certificate revoked, as DER.
    pub pck_list: Bytes,
}

const STATEMENT_LEN_MAX: usize = 64 << 10;
const LIST_LEN_MAX: usize = 128 << 10;

/// The statements, which hold.
pub(super) struct Statements {
    pub(super) tcb_info: TcbInfo,
    pub(super) identity: Identity,
}

impl Collateral {
    /// Nothing is larger than what Intel makes.
    pub(super) fn check_sizes(&self) -> Result<(), TeeError> {
        let sizes = [
            (self.tcb_info.len(), STATEMENT_LEN_MAX, Part::TcbInfo),
            (self.identity.len(), STATEMENT_LEN_MAX, Part::Identity),
            (self.root_list.0.len(), LIST_LEN_MAX, Part::RevocationList),
            (self.pck_list.0.len(), LIST_LEN_MAX, Part::RevocationList),
        ];
        match sizes.into_iter().find(|(len, most, _)| len > most) {
            Some((_, _, part)) => Err(TeeError::TooLarge(part)),
            None => Ok(()),
        }
    }

    /// Verifies lists and statements, and that none of the certificates is revoked.
    pub(super) fn verify(
        &self,
        root: &Certificate<'_>,
        authority: &Certificate<'_>,
        pck: &Certificate<'_>,
        now_ms: u64,
        window: &mut Window,
    ) -> Result<Statements, TeeError> {
        let signer = Certificate::read(&self.signer.0)?;
        x509::walk(&[*root, signer], now_ms, window)?;
        let of_root = RevocationList::verify(&self.root_list.0, root, now_ms, window)?;
        let of_authority = RevocationList::verify(&self.pck_list.0, authority, now_ms, window)?;
        if of_root.has(authority.serial) || of_root.has(signer.serial) || of_authority.has(pck.serial) {
            return Err(TeeError::Revoked);
        }
        let tcb_info: TcbInfo = statement(&self.tcb_info, &self.tcb_info_signature, &signer, Part::TcbInfo)?;
        let identity: Identity = statement(&self.identity, &self.identity_signature, &signer, Part::Identity)?;
        in_time(Part::TcbInfo, &tcb_info.issue_date, &tcb_info.next_update, now_ms, window)?;
        in_time(Part::Identity, &identity.issue_date, &identity.next_update, now_ms, window)?;
        Ok(Statements { tcb_info, identity })
    }
}

/// Reads a statement once its signature holds.
fn statement<T: DeserializeOwned>(
    text: &str,
    signature: &Bytes,
    signer: &Certificate<'_>,
    part: Part,
) -> Result<T, TeeError> {
    let Key::P256(point) = signer.key else { return Err(TeeError::Unsupported(Part::Certificate)) };
    let signature = signature.0.as_slice().try_into().map_err(|_| TeeError::Malformed(part))?;
    p256_raw(point, text.as_bytes(), signature).ok_or(TeeError::Signature(part))?;
    serde_json::from_str(text).map_err(|_| TeeError::Malformed(part))
}

fn in_time(part: Part, issued: &str, next: &str, now_ms: u64, window: &mut Window) -> Result<(), TeeError> {
    let issued_ms = iso_ms(issued).ok_or(TeeError::Malformed(part))?;
    let next_ms = iso_ms(next).ok_or(TeeError::Malformed(part))?;
    if now_ms < issued_ms {
        return Err(TeeError::FromTheFuture(part));
    }
    if now_ms > next_ms {
        return Err(TeeError::Stale(part));
    }
    window.until(next_ms);
    Ok(())
}
