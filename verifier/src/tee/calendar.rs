//! Moments as certificates and collateral write them, in milliseconds since 1970. All are of Greenwich, to the second.
use alloc::format;
use alloc::string::{String, ToString};

/// Of a certificate: `UTCTime` or `GeneralizedTime`, by tag.
pub fn certificate_ms(tag: u8, text: &[u8]) -> Option<u64> {
    match (tag, text) {
        // Years of two digits are from 1950 to 2049 (RFC 5280, section 4.1.2.5.1).
        (0x17, [year_high, year_low, rest @ ..]) => {
            let year = number(&[*year_high, *year_low])?;
            let century = if year < 50 { 2000u64 } else { 1900 };
            compact(century.checked_add(year)?, rest)
        }
        (0x18, [a, b, c, d, rest @ ..]) => compact(number(&[*a, *b, *c, *d])?, rest),
        _ => None,
    }
}

/// `MMDDHHMMSSZ`.
fn compact(year: u64, rest: &[u8]) -> Option<u64> {
    let [m1, m2, d1, d2, h1, h2, n1, n2, s1, s2, b'Z'] = rest else { return None };
    moment(year, [&[*m1, *m2], &[*d1, *d2], &[*h1, *h2], &[*n1, *n2], &[*s1, *s2]])
}

/// Of collateral: `2025-06-19T10:16:03Z`.
pub fn iso_ms(text: &str) -> Option<u64> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let [a, b, c, d, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'Z'] = bytes else {
        return None;
    };
    moment(number(&[*a, *b, *c, *d])?, [&[*m1, *m2], &[*d1, *d2], &[*h1, *h2], &[*n1, *n2], &[*s1, *s2]])
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |sum, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

fn moment(year: u64, [month, day, hour, minute, second]: [&[u8]; 5]) -> Option<u64> {
    let (month, day) = (number(month)?, number(day)?);
    let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let before = [0u64, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    let index = usize::try_from(month).ok()?;
    let (start, end) = (*before.get(index.checked_sub(1)?)?, *before.get(index)?);
    let in_month = end.checked_sub(start)?.checked_add(u64::from(leap && month == 2))?;
    if year < 1970 || !(1..=in_month).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leaps = |year: u64| (year / 4).checked_sub(year / 100)?.checked_add(year / 400);
    let past = leaps(year.checked_sub(1)?)?.checked_sub(leaps(1969)?)?;
    let days = year
        .checked_sub(1970)?
        .checked_mul(365)?
        .checked_add(past)?
        .checked_add(start)?
        .checked_add(u64::from(leap && month > 2))?
        .checked_add(day.checked_sub(1)?)?;
    let seconds = days.checked_mul(86_400)?.checked_add(hour.checked_mul(3_600)?)?;
    seconds.checked_add(minute.checked_mul(60)?)?.checked_add(second)?.checked_mul(1_000)
}

/// Year, month, day, hour, minute and second of a moment. Years after 9999 become 9999.
fn parts(ms: u64) -> [u64; 6] {
    let seconds = ms / 1_000;
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970u64;
    for next in 1971..=9999u64 {
        match moment(next, [b"1", b"1", b"0", b"0", b"0"]) {
            Some(start) if start <= ms => year = next,
            _ => break,
        }
    }
    let start = moment(year, [b"1", b"1", b"0", b"0", b"0"]).unwrap_or_default() / 86_400_000;
    days = days.saturating_sub(start).min(365);
    let mut month = 1u64;
    let mut first = start;
    for next in 2..=12u64 {
        match moment(year, [next.to_string().as_bytes(), b"1", b"0", b"0", b"0"]) {
            Some(begins) if begins <= ms => (month, first) = (next, begins / 86_400_000),
            _ => break,
        }
    }
    let day = start.saturating_add(days).saturating_sub(first).saturating_add(1);
    [year, month, day, second / 3_600, second / 60 % 60, second % 60]
}

/// `YYYYMMDDHHMMSSZ`, for a certificate's `GeneralizedTime`.
pub fn generalized(ms: u64) -> String {
    let [year, month, day, hour, minute, second] = parts(ms);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
}

/// `2025-06-19T10:16:03Z`.
pub fn iso(ms: u64) -> String {
    let [year, month, day, hour, minute, second] = parts(ms);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::{certificate_ms, generalized, iso, iso_ms};

    #[test]
    fn known_moments() {
        assert_eq!(iso_ms("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(iso_ms("2000-02-29T23:59:59Z"), Some(951_868_799_000));
        assert_eq!(iso_ms("2025-06-19T10:16:03Z"), Some(1_750_328_163_000));
        assert_eq!(certificate_ms(0x17, b"241130162245Z"), Some(1_732_983_765_000));
        assert_eq!(certificate_ms(0x18, b"20491231235959Z"), Some(2_524_607_999_000));
        assert_eq!(certificate_ms(0x17, b"491231235959Z"), Some(2_524_607_999_000));
    }

    #[test]
    fn written_as_they_are_read() {
        for day in (0..60_000u64).step_by(7) {
            let ms = (day * 86_400 + day % 86_400) * 1_000;
            assert_eq!(iso_ms(&iso(ms)), Some(ms));
            assert_eq!(certificate_ms(0x18, generalized(ms).as_bytes()), Some(ms));
        }
    }

    #[test]
    fn what_is_no_moment() {
        let days = ["2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-04-31T00:00:00Z"];
        let hours = ["2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z", "2025-01-01T00:00:60Z", "1969-12-31T23:59:59Z"];
        let forms = ["2025-01-01 00:00:00Z", "2025-01-01T00:00:00", "2025-01-01T00:00:00+", "x025-01-01T00:00:00Z", ""];
        for text in days.iter().chain(&hours).chain(&forms) {
            assert_eq!(iso_ms(text), None, "{text}");
        }
        assert_eq!(certificate_ms(0x17, b"500101000000Z"), None);
        assert_eq!(certificate_ms(0x17, b"2501010000Z"), None);
        assert_eq!(certificate_ms(0x16, b"250101000000Z"), None);
    }
}
