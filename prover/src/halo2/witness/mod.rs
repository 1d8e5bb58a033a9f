//! The witness: small integers in the first phase, sums in the second.
mod first;
mod second;

pub use first::{First, Lane, weight_columns};
pub use second::{Challenges, Second};
