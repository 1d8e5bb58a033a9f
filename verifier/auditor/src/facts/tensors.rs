//! Tensors of an answer: integers, or reals of a model in floating point.
use std::fmt::Debug;

use assay_verifier::circuit::Port;
use assay_verifier::reals::Reals;
use serde::Serialize;

/// Values that are shown to people; programs get all.
const VALUES_SHOWN: usize = 10;

/// A tensor of the answer.
#[derive(Serialize)]
pub struct Named {
    name: Option<String>,
    shape: Option<Vec<u32>>,
    /// The real value is `integer * 2^-scale`.
    scale: Option<i8>,
    integers: Vec<i64>,
}

/// A tensor of an answer in floating point.
#[derive(Serialize)]
pub struct Floats {
    shape: Vec<u32>,
    /// What is no number is `null`.
    values: Vec<f64>,
}

impl Named {
    /// For people.
    pub fn line(&self) -> String {
        let name = self.name.as_ref().map(|name| format!("{name:?} ")).unwrap_or_default();
        let shape = self.shape.as_ref().map(|shape| format!("{shape:?} ")).unwrap_or_default();
        let scale = self.scale.map(|scale| format!("times 2^{}: ", -i32::from(scale))).unwrap_or_default();
        format!("{name}{shape}{scale}{}", few(&self.integers))
    }
}

impl Floats {
    /// For people.
    pub fn line(&self) -> String {
        format!("{:?} {}", self.shape, few(&self.values))
    }
}

fn few<T: Debug>(values: &[T]) -> String {
    let shown: Vec<String> = values.iter().take(VALUES_SHOWN).map(|value| format!("{value:?}")).collect();
    let more = values.len().saturating_sub(VALUES_SHOWN);
    let more = if more > 0 { format!(", .. {more} more (--json has all)") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// Integers with what a circuit says of them.
pub fn named(ports: Option<&[Port]>, tensors: &[Vec<i64>]) -> Vec<Named> {
    let port = |place: usize| ports.and_then(|ports| ports.get(place));
    let named = |(place, integers): (usize, &Vec<i64>)| Named {
        name: port(place).map(|port| port.name.clone()),
        shape: port(place).map(|port| port.dims.clone()),
        scale: port(place).map(|port| port.scale),
        integers: integers.clone(),
    };
    tensors.iter().enumerate().map(named).collect()
}

/// Tensors of reals.
pub fn floats(tensors: &[Reals]) -> Vec<Floats> {
    tensors.iter().map(|reals| Floats { shape: reals.dims.clone(), values: reals.values().collect() }).collect()
}
