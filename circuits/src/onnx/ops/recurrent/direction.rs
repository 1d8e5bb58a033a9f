//! What differs between the directions of a recurrent layer: weights, biases and activation functions.
use super::cell::Cell;
use crate::graph::{Function, Library, Primitive};
use crate::onnx::ops::unary::{hard_sigmoid, softsign};
use crate::onnx::ops::{Call, Fault};
use crate::tensor::Tensor;

/// Constants of one direction.
pub struct Direction {
    pub input: Vec<f64>,
    pub recurrent: Vec<f64>,
    pub input_bias: Vec<f64>,
    pub recurrent_bias: Vec<f64>,
    pub peepholes: Option<Vec<f64>>,
    pub functions: Vec<Function>,
    pub backward: bool,
}

impl Direction {
    /// The parts of the node's constants that belong to a direction.
    pub fn new(
        call: &Call<'_>,
        cell: &Cell,
        number: usize,
        weights: &Tensor,
        recurrent: &Tensor,
        backward: bool,
    ) -> Result<Self, Fault> {
        let rows = cell.gates * cell.hidden;
        let part =
            |values: &[f64], length: usize| values.get(number * length..(number + 1) * length).map(<[f64]>::to_vec);
        let directions = weights.dims[0] as usize;
        let bias = match call.optional(3)? {
            Some(bias) => part(&bias.values, 2 * rows).ok_or(Fault::InputValue(3))?,
            None => vec![0.0; 2 * rows],
        };
        let peepholes = match call.optional(7)? {
            Some(all) if call.operator == "LSTM" => {
                Some(part(&all.values, 3 * cell.hidden).ok_or(Fault::InputValue(7))?)
            }
            _ => None,
        };
        Ok(Self {
            input: part(&weights.values, weights.values.len() / directions).ok_or(Fault::InputValue(1))?,
            recurrent: part(&recurrent.values, recurrent.values.len() / directions).ok_or(Fault::InputValue(2))?,
            input_bias: bias[..rows].to_vec(),
            recurrent_bias: bias[rows..].to_vec(),
            peepholes,
            functions: functions(call, number)?,
            backward,
        })
    }
}

/// The activation functions of a direction.
fn functions(call: &Call<'_>, number: usize) -> Result<Vec<Function>, Fault> {
    let defaults: &[&str] = match call.operator {
        "LSTM" => &["Sigmoid", "Tanh", "Tanh"],
        "GRU" => &["Sigmoid", "Tanh"],
        _ => &["Tanh"],
    };
    let count = defaults.len();
    let names: Vec<String> = match call.attributes.find("activations") {
        None => defaults.iter().map(|&name| name.to_owned()).collect(),
        Some(given) => {
            let all = given.strings.iter().map(|name| String::from_utf8_lossy(name).into_owned());
            all.skip(number * count).take(count).collect()
        }
    };
    if names.len() != count {
        return Err(Fault::AttributeValue("activations"));
    }
    let list = |name: &str| call.attributes.find(name).map_or(&[][..], |attribute| &attribute.floats);
    let (alphas, betas) = (list("activation_alpha"), list("activation_beta"));
    let at =
        |values: &[f32], place: usize, default: f64| values.get(number * count + place).map_or(default, |&v| v.into());
    let named = |(place, name): (usize, &String)| {
        let (alpha, beta) = (|default| at(alphas, place, default), |default| at(betas, place, default));
        Ok(match name.to_lowercase().as_str() {
            "relu" => Function::call(Primitive::Relu),
            "tanh" => Function::call(Primitive::Library(Library::Tanh)),
            "sigmoid" => Function::call(Primitive::Sigmoid),
            "affine" => Function::affine(alpha(1.0), beta(0.0)),
            "leakyrelu" => Function::call(Primitive::LeakyRelu(alpha(0.01))),
            "scaledtanh" => {
                let inner =
                    Function::Call(Primitive::Library(Library::Tanh), Box::new(Function::affine(beta(1.0), 0.0)));
                Function::Product(vec![Function::Constant(alpha(1.0)), inner])
            }
            "hardsigmoid" => hard_sigmoid(alpha(0.2), beta(0.5)),
            "elu" => Function::call(Primitive::Elu(alpha(1.0))),
            "softsign" => softsign(),
            "softplus" => Function::call(Primitive::Softplus),
            _ => return Err(Fault::Unsupported(format!("the activation {name:?}"))),
        })
    };
    names.iter().enumerate().map(named).collect()
}
