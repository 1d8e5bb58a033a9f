//! Inference: from the bytes of a request to an answer with its receipt, durable before it is given. The proof follows.
mod accept;
mod assurance;
mod pay;
mod recorded;
mod request;
mod resume;
mod slots;
mod tensors;

pub use accept::{Accepted, Asked, Inference, Refused};
pub use assurance::{Assurance, claim, mode};
pub use pay::Payments;
pub use request::{Mode, Request, RequestError};
pub use resume::Resumer;
pub use slots::Slots;
pub use tensors::{Data, Dtype, Outputs, TensorIn, TensorOut, answer, outputs};
