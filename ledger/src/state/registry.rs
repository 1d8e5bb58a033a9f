//! Records with a history: the version in force lies under the record's key, those before it beside it by number.
use assay_verifier::settlement::{Height, Reason, Versioned, keys};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Overlay, State, StoreError, read};

/// Puts a new version in force from a height on. The version before ends there, if it did not end earlier.
///
/// # Errors
/// There are too many versions.
pub fn supersede<T: Serialize>(
    state: &mut Overlay<'_>,
    key: Vec<u8>,
    current: Option<Versioned<T>>,
    height: Height,
    record: T,
) -> Result<(), StoreError> {
    let Some(mut before) = current else {
        state.write(key, &Versioned::first(height, record));
        return Ok(());
    };
    let next = before.next(height, record);
    let next = next.ok_or_else(|| StoreError::Corrupt("a record has 2^32 versions".into()))?;
    before.valid_to = Some(before.valid_to.map_or(height, |end| end.min(height)));
    state.write(keys::version(&key, before.revision), &before);
    state.write(key, &next);
    Ok(())
}

/// Ends the version in force at a height, which may lie ahead.
pub fn end<T: Serialize>(state: &mut Overlay<'_>, key: Vec<u8>, mut current: Versioned<T>, at: Height, why: Reason) {
    current.valid_to = Some(at);
    current.reason = Some(why);
    state.write(key, &current);
}

/// The version that was in force at a height, as far as the state that is read knows.
///
/// # Errors
/// It could not be read.
pub fn read_at<T: Serialize + DeserializeOwned>(
    state: &dyn State,
    key: &[u8],
    height: Height,
) -> Result<Option<Versioned<T>>, StoreError> {
    let Some(mut found) = read::<Versioned<T>>(state, key)? else { return Ok(None) };
    // Versions are few: a registration or a publication each.
    while found.valid_from > height && found.revision > 0 {
        let before = read(state, &keys::version(key, found.revision - 1))?;
        found = before.ok_or_else(|| StoreError::Corrupt("a version is missing".into()))?;
    }
    Ok(found.holds_at(height).then_some(found))
}
