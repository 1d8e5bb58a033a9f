//! Times for people.
use std::time::{Duration, UNIX_EPOCH};

/// A time for people; one that the calendar does not reach is left as a number.
pub fn date(time_ms: u64) -> String {
    const YEAR_10000_MS: u64 = 253_402_300_800_000;
    if time_ms >= YEAR_10000_MS {
        return format!("{time_ms} ms after 1970");
    }
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(time_ms)).to_string()
}

/// A span of time, to the second.
pub fn duration(milliseconds: i64) -> String {
    let seconds = Duration::from_secs(milliseconds.unsigned_abs() / 1_000);
    let sign = if milliseconds < 0 { "minus " } else { "" };
    format!("{sign}{}", humantime::format_duration(seconds))
}
