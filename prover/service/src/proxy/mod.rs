//! The proxy of language models: requests in the shapes of OpenAI and Anthropic are forwarded to upstreams, byte for byte but for what
//! names the caller, and a receipt says what was sent, what came back, and whether it was all.
//!
//! The upstream's bytes pass on as they come. Nothing is translated between the two dialects: a model is asked at its own endpoint.
mod closing;
mod dialect;
mod figures;
mod forward;
pub mod local;
mod pass;
mod receipts;
mod request;

pub use closing::Closing;
pub use dialect::{Api, Dialect};
pub use figures::Figures;
pub use forward::{Asked, ForwardError, Proxy, Seal};
pub use receipts::{Kept, Receipts, ReceiptsError};
pub use request::{BadRequest, Request};

/// The header that asks for the receipt with the answer: `Prefer: receipt`.
pub const PREFERENCE: &str = "receipt";
/// The header that names the request: `GET /v1/receipts/{id}` gives its receipt.
pub const REQUEST_HEADER: &str = "assay-request";
/// The header that has the receipt of an answer that is no stream, as base64.
pub const RECEIPT_HEADER: &str = "assay-receipt";
/// The comment behind the last event of a stream that has its receipt, as base64. Readers of event streams pass over comments.
pub const RECEIPT_COMMENT: &str = ": assay-receipt ";
