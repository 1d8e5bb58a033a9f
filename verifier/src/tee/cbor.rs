//! A reader of the CBOR that documents of Nitro are made of: unsigned numbers, byte strings and texts of known length, arrays, null, and
//! maps of known or unknown length. It allocates nothing and never recurses. And what is needed to write heads of items.

use alloc::vec;
use alloc::vec::Vec;

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

/// How many entries of a map or array are to come: a number, or all until a mark.
#[derive(Clone, Copy, Debug)]
pub struct Entries(Option<u64>);

/// Major type.
pub const UNSIGNED: u8 = 0;
/// Major type.
pub const BYTES: u8 = 2;
/// Major type.
pub const TEXT: u8 = 3;
/// Major type.
pub const ARRAY: u8 = 4;
/// Major type.
pub const MAP: u8 = 5;
const NULL: u8 = 0xf6;
const BREAK: u8 = 0xff;
const MAP_UNTIL_BREAK: u8 = 0xbf;

impl<'a> Reader<'a> {
    /// Reads from these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*chunk)
    }

    /// The argument of the next item, which must be of this major type.
    fn head(&mut self, major: u8) -> Option<u64> {
        let first = self.byte()?;
        if first >> 5 != major {
            return None;
        }
        match first & 0x1f {
            small @ 0..=23 => Some(u64::from(small)),
            24 => self.byte().map(u64::from),
            25 => self.chunk().map(u16::from_be_bytes).map(u64::from),
            26 => self.chunk().map(u32::from_be_bytes).map(u64::from),
            27 => self.chunk().map(u64::from_be_bytes),
            _ => None,
        }
    }

    fn string(&mut self, major: u8) -> Option<&'a [u8]> {
        let len = usize::try_from(self.head(major)?).ok()?;
        let (string, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(string)
    }

    /// An unsigned number.
    pub fn unsigned(&mut self) -> Option<u64> {
        self.head(UNSIGNED)
    }

    /// A byte string.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        self.string(BYTES)
    }

    /// A text.
    pub fn text(&mut self) -> Option<&'a str> {
        core::str::from_utf8(self.string(TEXT)?).ok()
    }

    /// A byte string or nothing.
    pub fn bytes_or_null(&mut self) -> Option<Option<&'a [u8]>> {
        if self.0.first() == Some(&NULL) { self.byte().map(|_| None) } else { self.bytes().map(Some) }
    }

    /// An array.
    pub fn array(&mut self) -> Option<Entries> {
        self.head(ARRAY).map(|count| Entries(Some(count)))
    }

    /// A map.
    pub fn map(&mut self) -> Option<Entries> {
        if self.0.first() == Some(&MAP_UNTIL_BREAK) {
            return self.byte().map(|_| Entries(None));
        }
        self.head(MAP).map(|count| Entries(Some(count)))
    }

    /// Whether another entry follows. At the end, the mark of the end is read.
    pub fn another(&mut self, entries: &mut Entries) -> bool {
        match &mut entries.0 {
            Some(0) => false,
            Some(left) => {
                *left = left.saturating_sub(1);
                true
            }
            None if self.0.first() == Some(&BREAK) => {
                self.byte();
                entries.0 = Some(0);
                false
            }
            None => true,
        }
    }

    /// Nothing must be left.
    pub fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// The head of a byte string of so many bytes, in its shortest form.
pub fn bytes_head(len: usize) -> Vec<u8> {
    head(BYTES, u64::try_from(len).unwrap_or(u64::MAX))
}

/// The head of an item, in its shortest form.
pub fn head(major: u8, argument: u64) -> Vec<u8> {
    let first = |low: u8| major << 5 | low;
    let [a, b, c, d, e, f, g, h] = argument.to_be_bytes();
    match argument {
        0..=23 => vec![first(h)],
        24..=0xff => vec![first(24), h],
        0x100..=0xffff => vec![first(25), g, h],
        0x1_0000..=0xffff_ffff => vec![first(26), e, f, g, h],
        _ => vec![first(27), a, b, c, d, e, f, g, h],
    }
}

impl Entries {
    /// Whether there are exactly so many.
    pub fn are(&self, count: u64) -> bool {
        self.0 == Some(count)
    }
}
