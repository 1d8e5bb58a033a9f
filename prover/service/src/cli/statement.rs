//! What a proof states, by names and real values.
use assay_circuits::io;
use assay_verifier::circuit::Port;
use serde::Serialize;

use super::output::Output;

/// Values that are shown to people; programs get all.
const VALUES_SHOWN: usize = 10;

/// What a proof shows.
pub const PROVEN: &str = "the model whose weights are committed in the key, evaluated exactly in integers on these \
                          inputs, gives these outputs";

/// What a proof does not show.
pub const NOT_PROVEN: [&str; 2] = [
    "that the integers follow the float model (the compiler's report measures that)",
    "that the answer is true, or that this is the key you want: compare its digest",
];

/// A public tensor.
#[derive(Serialize)]
pub struct Named<'a> {
    name: &'a str,
    shape: &'a [u32],
    /// The real value is `integer * 2^-scale`.
    scale: i8,
    /// Row-major in the model's own axes.
    integers: &'a [i64],
    values: Vec<f64>,
}

impl<'a> Named<'a> {
    /// The tensors of a circuit's ports.
    pub fn all(ports: &'a [Port], tensors: &'a [Vec<i64>]) -> Vec<Self> {
        let named = |(port, integers): (&'a Port, &'a Vec<i64>)| Self {
            name: &port.name,
            shape: &port.dims,
            scale: port.scale,
            integers,
            values: io::dequantize(port, integers).values,
        };
        ports.iter().zip(tensors).map(named).collect()
    }

    /// Its name in the model.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Shows the tensor: its integers, and how they read as reals.
    pub fn show(&self, kind: &str, output: &Output) {
        let mut about = format!("{:?} {:?}, integers times 2^{}", self.name, self.shape, -i32::from(self.scale));
        if kind == "output" && self.values.len() > 1 {
            about += &format!(", largest at {}", largest(&self.values));
        }
        output.field(kind, about);
        output.field("  integers", list(self.integers, i64::to_string));
        output.field("  reals", list(&self.values, |value| real(*value)));
    }

    /// The tensor as nested lists of reals, as input files hold it.
    pub fn nested(&self) -> serde_json::Value {
        nest(self.shape, &self.values)
    }
}

/// Place of the largest value, the first of equal ones.
pub fn largest(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, place| if values[place] > values[best] { place } else { best })
}

/// A real number in few digits.
fn real(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:.3e}") } else { format!("{value:.4}") }
}

fn list<T>(values: &[T], text: impl Fn(&T) -> String) -> String {
    let shown: Vec<String> = values.iter().take(VALUES_SHOWN).map(text).collect();
    let more = values.len().saturating_sub(VALUES_SHOWN);
    let rest = if more > 0 { format!(", .. {more} more (--json has all)") } else { String::new() };
    shown.join(", ") + &rest
}

fn nest(shape: &[u32], values: &[f64]) -> serde_json::Value {
    match shape.split_first() {
        None => values.first().copied().into(),
        Some((_, rest)) => {
            let length = rest.iter().map(|&dim| dim as usize).product::<usize>().max(1);
            values.chunks(length).map(|values| nest(rest, values)).collect()
        }
    }
}
