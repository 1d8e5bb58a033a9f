//! A reader of DER: one item after the other, definite and shortest lengths, tags of one byte. It allocates nothing and never recurses.

/// `INTEGER`.
pub const INTEGER: u8 = 0x02;
/// `BOOLEAN`.
pub const BOOLEAN: u8 = 0x01;
/// `BIT STRING`.
pub const BIT_STRING: u8 = 0x03;
/// `OCTET STRING`.
pub const OCTET_STRING: u8 = 0x04;
/// `OBJECT IDENTIFIER`.
pub const OID: u8 = 0x06;
/// `SEQUENCE`.
pub const SEQUENCE: u8 = 0x30;

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

/// One item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its tag.
    pub tag: u8,
    /// Its value.
    pub value: &'a [u8],
    /// Tag, length and value.
    pub raw: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next item.
    pub fn item(&mut self) -> Option<Item<'a>> {
        let whole = self.0;
        let (&tag, rest) = whole.split_first()?;
        // Tags of more than one byte are not used in certificates.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (len, rest) = length(rest)?;
        let (value, rest) = rest.split_at_checked(len)?;
        let (raw, _) = whole.split_at_checked(whole.len().checked_sub(rest.len())?)?;
        self.0 = rest;
        Some(Item { tag, value, raw })
    }

    /// The next item, which must have this tag.
    pub fn expect(&mut self, tag: u8) -> Option<Item<'a>> {
        self.item().filter(|item| item.tag == tag)
    }

    /// The next item if it has this tag; else it stays.
    pub fn optional(&mut self, tag: u8) -> Option<Option<Item<'a>>> {
        if self.0.first() == Some(&tag) { self.item().map(Some) } else { Some(None) }
    }

    /// What is in the next item, which must have this tag.
    pub fn inside(&mut self, tag: u8) -> Option<Self> {
        Some(Self(self.expect(tag)?.value))
    }

    /// The next item's value, an object identifier.
    pub fn oid(&mut self) -> Option<&'a [u8]> {
        Some(self.expect(OID)?.value)
    }

    /// The next item, an integer that is not negative, without leading zeros.
    pub fn unsigned(&mut self) -> Option<&'a [u8]> {
        unsigned(self.expect(INTEGER)?.value)
    }

    /// A bit string of whole bytes.
    pub fn bits(&mut self) -> Option<&'a [u8]> {
        match self.expect(BIT_STRING)?.value.split_first()? {
            (0, bits) => Some(bits),
            _ => None,
        }
    }

    /// Nothing must be left.
    pub fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [short @ 0..=0x7f, rest @ ..] => Some((usize::from(*short), rest)),
        [0x81, low @ 0x80..=0xff, rest @ ..] => Some((usize::from(*low), rest)),
        [0x82, high @ 1..=0xff, low, rest @ ..] => Some((usize::from(u16::from_be_bytes([*high, *low])), rest)),
        _ => None,
    }
}

/// An integer's value without its sign's zero. Nothing if it is negative or not in its shortest form.
pub fn unsigned(value: &[u8]) -> Option<&[u8]> {
    match value {
        [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Some(rest),
        [0] | [1..=0x7f, ..] => Some(value),
        _ => None,
    }
}

/// A small integer.
pub fn small(value: &[u8]) -> Option<u16> {
    match unsigned(value)? {
        [low] => Some(u16::from(*low)),
        [high, low] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}
