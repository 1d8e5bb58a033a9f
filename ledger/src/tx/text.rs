//! Texts that people write into transactions are bounded, and names can be part of a path.
use crate::rejection::Rejection;

/// Longest reason, endpoint or description in bytes.
pub const TEXT_LEN_MAX: usize = 256;
/// Longest name or version in bytes.
pub const NAME_LEN_MAX: usize = 64;

/// A text for people: not too long, no control characters.
pub fn check_text(text: &str) -> Result<(), Rejection> {
    let good = text.len() <= TEXT_LEN_MAX && !text.chars().any(char::is_control);
    if good { Ok(()) } else { Err(Rejection::FieldLength) }
}

/// A name: small letters, digits, dot, dash and underscore, the first one a letter or digit.
pub fn check_name(name: &str) -> Result<(), Rejection> {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = name.len() <= NAME_LEN_MAX
        && name.bytes().next().is_some_and(word)
        && name.bytes().all(|byte| word(byte) || b".-_".contains(&byte));
    if good { Ok(()) } else { Err(Rejection::FieldLength) }
}
