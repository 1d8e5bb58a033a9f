//! Certificates as text (RFC 7468), as quotes and Intel's services have them.
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// What may be between certificates.
const LINE_ENDS: [char; 2] = ['\n', '\r'];
/// More certificates than any chain has.
const COUNT_MAX: usize = 4;

/// The certificates of a text, as DER. Quotes may have zeros behind it. Nothing if there is anything else.
pub fn certificates(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let text = core::str::from_utf8(text).ok()?;
    let mut rest = text.trim_end_matches('\0').trim_matches(LINE_ENDS);
    let mut all = Vec::new();
    while !rest.is_empty() {
        if all.len() >= COUNT_MAX {
            return None;
        }
        let (body, after) = rest.strip_prefix(BEGIN)?.split_once(END)?;
        let digits: String = body.split_ascii_whitespace().collect();
        all.push(STANDARD.decode(digits).ok()?);
        rest = after.trim_start_matches(LINE_ENDS);
    }
    Some(all)
}
