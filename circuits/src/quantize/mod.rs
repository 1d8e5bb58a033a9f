//! Choosing scales: which range each tensor has on sample inputs, and which power of two its integers are multiplied
//! by.
mod bands;
mod calibrate;
mod masks;
mod repeats;
mod scale;
mod whole;

pub use bands::cut;
pub use calibrate::{Interval, Ranges, calibrate, synthetic};
pub use masks::soften;
pub use repeats::share;
pub use scale::{decompose, exact_scale, finest_scale, power_of_two, round};
pub use whole::whole;
