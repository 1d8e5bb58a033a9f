//! Why evidence is refused: one variant for each check.
use thiserror::Error;

use super::dcap::TcbStatus;

/// Pieces of evidence, for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Part {
    /// A document of Nitro.
    #[error("the document")]
    Document,
    /// A certificate.
    #[error("a certificate")]
    Certificate,
    /// A quote of DCAP.
    #[error("the quote")]
    Quote,
    /// The report of the enclave that quotes.
    #[error("the quoting enclave's report")]
    QuotingEnclave,
    /// Intel's statement on firmware.
    #[error("the TCB info")]
    TcbInfo,
    /// Intel's statement on the enclave that quotes.
    #[error("the quoting enclave's identity")]
    Identity,
    /// A list of revoked certificates.
    #[error("a list of revoked certificates")]
    RevocationList,
    /// A report of SEV-SNP.
    #[error("the report")]
    Report,
}

/// What is wrong with a chain of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChainError {
    /// No certificate, or more than any vendor uses.
    #[error("there are none, or too many")]
    Length,
    /// The time is before a certificate's first moment.
    #[error("one is not valid yet")]
    NotYetValid,
    /// The time is after a certificate's last moment.
    #[error("one has expired")]
    Expired,
    /// A certificate that signs others is not marked as one that may.
    #[error("one that signs others is not a certificate authority")]
    NotAuthority,
    /// There are more certificates below an authority than it may have.
    #[error("there are more below an authority than it allows")]
    PathLength,
    /// The last certificate is an authority, which signs no documents.
    #[error("the last one is an authority")]
    LeafIsAuthority,
    /// A certificate names another issuer than the one above it.
    #[error("one names another issuer")]
    Issuer,
    /// A signature does not hold.
    #[error("a signature does not hold")]
    Signature,
    /// A certificate's use is restricted to something else.
    #[error("one is not meant for this use")]
    Usage,
}

/// Why evidence is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TeeError {
    /// Larger than any that vendors make.
    #[error("{0} is too large")]
    TooLarge(Part),
    /// Not of the vendor's format.
    #[error("{0} is malformed")]
    Malformed(Part),
    /// Of a version or kind that is not verified here.
    #[error("{0} is of a version, kind or algorithm that is not verified")]
    Unsupported(Part),
    /// The root is none of those that are trusted for this platform.
    #[error("the root is not trusted for this platform")]
    UnknownRoot,
    /// The root is of another grade than the one that counts.
    #[error("the root is of another grade than what is accepted")]
    WrongGrade,
    /// The certificates do not lead from the root to what signed.
    #[error("the chain of certificates: {0}")]
    Chain(#[from] ChainError),
    /// A signature on something that is no certificate does not hold.
    #[error("the signature of {0} does not hold")]
    Signature(Part),
    /// A certificate was revoked.
    #[error("a certificate was revoked")]
    Revoked,
    /// The time is before something was issued.
    #[error("{0} is from the future")]
    FromTheFuture(Part),
    /// What must be fresh is too old.
    #[error("{0} is too old")]
    Stale(Part),
    /// The enclave can be looked into by those who run it.
    #[error("the enclave is in debug mode")]
    DebugMode,
    /// The enclave can be moved, or others have a part in it.
    #[error("the enclave can be migrated, is served by other enclaves, or has attributes that are not allowed")]
    Attributes,
    /// The key that signed is not the platform's own.
    #[error("the report was not signed by the platform's own key")]
    SigningKey,
    /// The certificate is of another platform or firmware than the document.
    #[error("the certificate is of another platform or firmware")]
    OtherPlatform,
    /// The quoting enclave is not Intel's, or did not make the key that signed.
    #[error("the quoting enclave is not the one that its vendor describes")]
    QuotingEnclave,
    /// The module that runs TDX is not Intel's.
    #[error("the TDX module is not the one that its vendor describes")]
    TdxModule,
    /// The vendor's statement is about other platforms, or knows none as old as this one.
    #[error("the vendor's statement has no level for this platform")]
    NoTcbLevel,
    /// The status of the platform's firmware is not one that is accepted.
    #[error("the status of the platform's firmware, {0:?}, is not accepted")]
    TcbStatus(TcbStatus),
    /// The platform's firmware is older than what is accepted.
    #[error("the platform's firmware is older than what is accepted")]
    TcbTooOld,
    /// The document was made for another nonce.
    #[error("the document was made for another nonce")]
    WrongNonce,
    /// The document was made for another key or chain.
    #[error("the document was made for another key or chain")]
    WrongBinding,
    /// Nobody approved what was measured.
    #[error("the measurement is not approved")]
    MeasurementNotApproved,
}
