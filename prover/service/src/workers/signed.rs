//! Requests of workers elsewhere, signed with the worker's key: who asks, for what exactly, and when.
//!
//! The header is `Assay-Worker: KEY TIME NONCE SIGNATURE`: the public key, milliseconds since 1970, 32 hexadecimal digits that are used once, the
//! signature. Signed are method, path, the digest of the body, time and nonce, for the service's own name as the `Host` header has it, so that a
//! service cannot pass a worker's request on to another one. What is too old, or was seen before, is refused.
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use assay_verifier::digest::{Digest32, digest};
use assay_verifier::signature::{Domain, PublicKey, Signature, Signed, SigningKey, message};
use rand_core::{OsRng, RngCore};
use thiserror::Error;

/// The header's name.
pub const HEADER: &str = "assay-worker";

/// How far the clocks of worker and service may be apart, and how long a request may be on its way.
pub const WINDOW_MS: u64 = 60_000;

/// Most requests that are remembered: far more than workers with keys send within the window.
const REMEMBERED_MAX: usize = 1 << 20;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadStamp {
    /// The header is missing or malformed.
    #[error("the header Assay-Worker is missing or malformed")]
    Malformed,
    /// The signature does not hold for this request.
    #[error("the signature does not hold for this request")]
    Signature,
    /// It was made too long ago, or will be.
    #[error("the request's time is more than a minute from this service's")]
    Time,
    /// It was sent before.
    #[error("the request was sent before")]
    Replayed,
}

/// What is signed of a request.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The service, as the `Host` header has it.
    pub host: &'a str,
    /// The path.
    pub path: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// Who asked, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    worker: PublicKey,
    time_ms: u64,
    nonce: [u8; 16],
    signature: Signature,
}

impl Asked<'_> {
    fn content(&self, time_ms: u64, nonce: [u8; 16]) -> impl serde::Serialize + '_ {
        let body = Digest32(digest("assay work body v1", self.body));
        (self.method, self.path, body, time_ms, nonce)
    }

    /// Signs it.
    pub fn stamp(&self, worker: &SigningKey, time_ms: u64) -> Stamp {
        let mut nonce = [0; 16];
        OsRng.fill_bytes(&mut nonce);
        let signature = worker.sign(Domain::Work, self.host, &self.content(time_ms, nonce));
        Stamp { worker: worker.public(), time_ms, nonce, signature }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worker, time_ms, nonce, signature } = self;
        write!(f, "{worker} {time_ms} {} {}", hex::encode(nonce), hex::encode(signature.0.concat()))
    }
}

impl FromStr for Stamp {
    type Err = BadStamp;

    fn from_str(text: &str) -> Result<Self, BadStamp> {
        fn bytes<const N: usize>(text: &str) -> Result<[u8; N], BadStamp> {
            let mut bytes = [0; N];
            hex::decode_to_slice(text, &mut bytes).map_err(|_| BadStamp::Malformed)?;
            Ok(bytes)
        }
        let words: Vec<&str> = text.split(' ').collect();
        let &[worker, time, nonce, signature] = words.as_slice() else { return Err(BadStamp::Malformed) };
        let signature: [u8; 64] = bytes(signature)?;
        let (halves, _) = signature.as_chunks::<32>();
        let &[r, s] = halves else { return Err(BadStamp::Malformed) };
        Ok(Self {
            worker: PublicKey(bytes(worker)?),
            time_ms: time.parse().map_err(|_| BadStamp::Malformed)?,
            nonce: bytes(nonce)?,
            signature: Signature([r, s]),
        })
    }
}

/// Requests that were seen within the window.
#[derive(Default)]
pub struct Seen(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    nonces: HashSet<(PublicKey, [u8; 16])>,
    times: BTreeSet<(u64, PublicKey, [u8; 16])>,
}

impl Seen {
    /// Checks a request, and gives the worker that sent it.
    ///
    /// # Errors
    /// It is none of a worker, or not of now.
    pub fn check(&self, stamp: Option<&str>, asked: &Asked<'_>, now_ms: u64) -> Result<PublicKey, BadStamp> {
        let stamp: Stamp = stamp.ok_or(BadStamp::Malformed)?.parse()?;
        let Stamp { worker, time_ms, nonce, signature } = stamp;
        if time_ms.abs_diff(now_ms) > WINDOW_MS {
            return Err(BadStamp::Time);
        }
        let message = message(Domain::Work, asked.host, &asked.content(time_ms, nonce));
        Signed { key: worker, message, signature }.verify().map_err(|_| BadStamp::Signature)?;
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(&(time, worker, nonce)) = seen.times.first()
            && (time + WINDOW_MS < now_ms || seen.times.len() >= REMEMBERED_MAX)
        {
            seen.times.pop_first();
            seen.nonces.remove(&(worker, nonce));
        }
        if !seen.nonces.insert((worker, nonce)) {
            return Err(BadStamp::Replayed);
        }
        seen.times.insert((time_ms, worker, nonce));
        Ok(worker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    fn asked<'a>() -> Asked<'a> {
        Asked { method: "POST", host: "here:1", path: "/v1/work/lease", body: b"body" }
    }

    #[test]
    fn a_signed_request_counts_once_and_now() {
        let (key, seen) = (SigningKey::from_seed([1; 32]), Seen::default());
        let stamp = asked().stamp(&key, NOW).to_string();
        assert_eq!(seen.check(Some(&stamp), &asked(), NOW + WINDOW_MS), Ok(key.public()));
        assert_eq!(seen.check(Some(&stamp), &asked(), NOW + WINDOW_MS), Err(BadStamp::Replayed));
        for now in [NOW - WINDOW_MS - 1, NOW + WINDOW_MS + 1] {
            assert_eq!(Seen::default().check(Some(&stamp), &asked(), now), Err(BadStamp::Time));
        }
        // What is forgotten is too old by then.
        let later = asked().stamp(&key, NOW + 2 * WINDOW_MS + 1).to_string();
        assert_eq!(seen.check(Some(&later), &asked(), NOW + 2 * WINDOW_MS + 1), Ok(key.public()));
        assert_eq!(seen.0.lock().unwrap().nonces.len(), 1);
        assert_eq!(seen.check(Some(&stamp), &asked(), NOW + 2 * WINDOW_MS + 1), Err(BadStamp::Time));
    }

    #[test]
    fn each_part_of_a_request_is_signed() {
        let key = SigningKey::from_seed([1; 32]);
        let stamp = asked().stamp(&key, NOW);
        let others = [
            Asked { method: "GET", ..asked() },
            Asked { host: "there:1", ..asked() },
            Asked { path: "/v1/work/other", ..asked() },
            Asked { body: b"bodz", ..asked() },
        ];
        for other in others {
            assert_eq!(Seen::default().check(Some(&stamp.to_string()), &other, NOW), Err(BadStamp::Signature));
        }
        let changed = [
            Stamp { worker: SigningKey::from_seed([2; 32]).public(), ..stamp },
            Stamp { time_ms: NOW + 1, ..stamp },
            Stamp { nonce: [0; 16], ..stamp },
        ];
        for stamp in changed {
            assert_eq!(Seen::default().check(Some(&stamp.to_string()), &asked(), NOW), Err(BadStamp::Signature));
        }
    }

    #[test]
    fn what_is_no_stamp_is_refused() {
        let stamp = asked().stamp(&SigningKey::from_seed([1; 32]), NOW).to_string();
        let long = format!("{stamp} x");
        for text in ["", "x", " ", "a b c d", &stamp[1..], &stamp[..stamp.len() - 1], &long, &stamp.replace(' ', "  ")]
        {
            assert_eq!(Seen::default().check(Some(text), &asked(), NOW), Err(BadStamp::Malformed), "{text}");
        }
        assert_eq!(Seen::default().check(None, &asked(), NOW), Err(BadStamp::Malformed));
        assert_eq!(stamp.parse::<Stamp>().unwrap().to_string(), stamp);
    }
}
