//! Inference: from the bytes of a request to an answer with its receipt, durable before it is given. The proof follows.
mod accept;
mod assurance;
mod request;
mod tensors;

pub use accept::{Accepted, Asked, Inference, Refused};
pub use assurance::Assurance;
pub use request::{Mode, Request, RequestError};
pub use tensors::{Data, Dtype, Outputs, TensorIn, TensorOut};
