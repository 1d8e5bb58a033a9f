//! The way from the block that is trusted to a later one, by the fewest blocks that light clients need.
use assay_ledger::LightBytes;
use assay_verifier::audit::{PathBlock, Trust};
use assay_verifier::settlement::Height;
use assay_verifier::settlement::light::{Clock, LightBlock, LightError, Root, Trusted};
use assay_verifier::wire::Bytes;

use super::LedgerError;

/// Headers are judged as by a client that followed the chain as it grew, as auditors do: a trusted one does not expire before the next.
const TRUSTING_MS: u64 = 100 * 365 * 86_400_000;
/// A header's time is rounded down to milliseconds.
const DRIFT_MS: u64 = 1;

/// Verified blocks, from the trusted one to the last.
pub struct Path {
    /// All of them, as auditors read them.
    pub blocks: Vec<PathBlock>,
    /// The last one.
    pub end: Trusted,
}

/// What gives light blocks.
pub type Fetch<'a> = &'a dyn Fn(Height) -> Result<Option<LightBytes>, LedgerError>;

/// Goes from the trusted block to that of a height.
///
/// # Errors
/// The blocks are not there, or do not follow.
pub fn path(trust: &Trust, fetch: Fetch<'_>, target: Height) -> Result<Path, LedgerError> {
    let Root::Validators(_) = trust.root else {
        return Err(LedgerError::NotProven(
            "it is followed from its first validators, and the trust root is a header".into(),
        ));
    };
    let (bytes, block) = block(fetch, 1)?;
    let mut end = Trusted::begin(&trust.chain_id, trust.root, block)?;
    let mut blocks = vec![bytes];
    let mut targets = vec![target];
    while let Some(next) = targets.last().copied() {
        let here = end.block().height();
        if next <= here {
            targets.pop();
            continue;
        }
        let (bytes, block) = self::block(fetch, next)?;
        let clock = Clock { now_ms: block.time_ms(), trusting_ms: TRUSTING_MS, drift_ms: DRIFT_MS };
        match end.advance(block, &clock) {
            Ok(trusted) => {
                end = trusted;
                blocks.push(bytes);
            }
            // Too many validators have changed: a block in between can help.
            Err(LightError::Trust) if next > here + 1 => targets.push(here + (next - here) / 2),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Path { blocks, end })
}

fn block(fetch: Fetch<'_>, height: Height) -> Result<(PathBlock, LightBlock), LedgerError> {
    let missing = || LedgerError::Unavailable(format!("there is no block {height}"));
    let bytes = fetch(height)?.ok_or_else(missing)?;
    let block = bytes.decode()?;
    if block.height() != height {
        return Err(LedgerError::NotProven(format!("block {height} is another one")));
    }
    Ok((PathBlock { block: Bytes(bytes.block), next_validators: Bytes(bytes.next_validators) }, block))
}
