//! Lists of revoked certificates (RFC 5280, section 5).
use crate::tee::calendar::certificate_ms;
use crate::tee::der::{self, Reader};
use crate::tee::x509::{Certificate, Window, read_algorithm};
use crate::tee::{Part, TeeError};

/// A list whose signature holds and whose time is now.
pub struct RevocationList<'a>(Reader<'a>);

struct Parts<'a> {
    signed: &'a [u8],
    algorithm: der::Item<'a>,
    signature: &'a [u8],
    issuer: &'a [u8],
    from_ms: u64,
    to_ms: u64,
    revoked: Reader<'a>,
    critical: bool,
}

impl<'a> RevocationList<'a> {
    /// Verifies a list of an authority.
    pub fn verify(
        der: &'a [u8],
        authority: &Certificate<'_>,
        now_ms: u64,
        window: &mut Window,
    ) -> Result<Self, TeeError> {
        let part = Part::RevocationList;
        let parts = parse(der).ok_or(TeeError::Malformed(part))?;
        if parts.issuer != authority.subject {
            return Err(TeeError::Chain(crate::tee::ChainError::Issuer));
        }
        let algorithm = read_algorithm(parts.algorithm).ok_or(TeeError::Unsupported(part))?;
        authority.signed_list(algorithm, parts.signed, parts.signature)?;
        // A list that is about some certificates only says so by a critical extension.
        if parts.critical {
            return Err(TeeError::Unsupported(part));
        }
        if now_ms < parts.from_ms {
            return Err(TeeError::FromTheFuture(part));
        }
        if now_ms > parts.to_ms {
            return Err(TeeError::Stale(part));
        }
        window.until(parts.to_ms);
        let list = Self(parts.revoked);
        list.check_entries().ok_or(TeeError::Malformed(part))?;
        Ok(list)
    }

    /// Whether the list has a certificate.
    pub fn has(&self, serial: &[u8]) -> bool {
        let mut entries = self.0;
        while let Some(mut entry) = entries.inside(der::SEQUENCE) {
            if entry.expect(der::INTEGER).is_some_and(|number| number.value == serial) {
                return true;
            }
        }
        false
    }

    /// All entries are read, so that nothing hides behind one that is not.
    fn check_entries(&self) -> Option<()> {
        let mut entries = self.0;
        while !entries.is_empty() {
            entries.inside(der::SEQUENCE)?.expect(der::INTEGER)?;
        }
        Some(())
    }
}

fn parse(bytes: &[u8]) -> Option<Parts<'_>> {
    let mut outer = Reader::new(bytes);
    let mut whole = outer.inside(der::SEQUENCE)?;
    outer.end()?;
    let signed = whole.expect(der::SEQUENCE)?;
    let algorithm = whole.expect(der::SEQUENCE)?;
    let signature = whole.bits()?;
    whole.end()?;
    let mut body = Reader::new(signed.value);
    // Version 2, which is written as one.
    if body.unsigned()? != [1] || body.expect(der::SEQUENCE)? != algorithm {
        return None;
    }
    let issuer = body.expect(der::SEQUENCE)?.raw;
    let (from, to) = (body.item()?, body.item()?);
    let revoked = body.optional(der::SEQUENCE)?.map_or(Reader::new(&[]), |item| Reader::new(item.value));
    let mut critical = false;
    if let Some(item) = body.optional(0xa0)? {
        let mut extensions = Reader::new(item.value).inside(der::SEQUENCE)?;
        while !extensions.is_empty() {
            let mut extension = extensions.inside(der::SEQUENCE)?;
            extension.oid()?;
            critical |= extension.optional(der::BOOLEAN)?.is_some();
        }
    }
    body.end()?;
    Some(Parts {
        signed: signed.raw,
        algorithm,
        signature,
        issuer,
        from_ms: certificate_ms(from.tag, from.value)?,
        to_ms: certificate_ms(to.tag, to.value)?,
        revoked,
        critical,
    })
}
