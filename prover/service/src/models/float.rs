//! Models that are evaluated in floating point, by tract: those that cannot be compiled, or need not be. Nothing proves their answers, so they are given
//! in enclaves only.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use assay_verifier::reals::Reals;
use thiserror::Error;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::DimLike;

use super::loaded::Loaded;
use crate::storage::{BlobError, BlobId, BlobStore};

/// Most elements of an input or output.
const ELEMENTS_MAX: usize = 1 << 26;
/// Integers up to here are exact as reals.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Why a model gives no answer in floating point.
#[derive(Debug, Error)]
pub enum FloatError {
    /// Its file.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// It is no ONNX, or has operators or shapes that are not understood.
    #[error("the model cannot be evaluated: {0}")]
    Model(String),
    /// An axis that is left open, and is not the batch.
    #[error("input {input:?}: axis {axis} has no size; export the model with a fixed one")]
    Open {
        /// The input.
        input: String,
        /// The axis.
        axis: usize,
    },
    /// Elements of a type that requests do not have.
    #[error("{name:?} has elements of type {kind}, which cannot be sent")]
    Type {
        /// The input or output.
        name: String,
        /// The type.
        kind: String,
    },
    /// Other inputs than the model has.
    #[error("the model has {expected} inputs, the request {actual}")]
    Count {
        /// The model's.
        expected: usize,
        /// The request's.
        actual: usize,
    },
    /// An input of another shape.
    #[error("input {0:?}: the shape is not the model's")]
    Shape(String),
    /// A value that is none of the input's type.
    #[error("input {name:?}: value {place} is no {kind}")]
    Value {
        /// The input.
        name: String,
        /// Row-major position.
        place: usize,
        /// The type.
        kind: String,
    },
    /// The model fails on these inputs.
    #[error("the evaluation failed: {0}")]
    Run(String),
    /// An answer that is no finite number, or an integer too large to be exact.
    #[error("output {name:?}: value {place} is not finite or not exact, so it cannot be sent")]
    Output {
        /// The output.
        name: String,
        /// Row-major position.
        place: usize,
    },
}

/// An input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloatPort {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub dims: Vec<u32>,
    kind: DatumType,
}

/// A model that is ready to be evaluated.
pub struct FloatModel {
    plan: Arc<TypedRunnableModel>,
    inputs: Vec<FloatPort>,
    outputs: Vec<FloatPort>,
}

/// The library's errors, and its panics on what it does not expect.
fn guarded<T>(work: impl FnOnce() -> Result<T, FloatError>) -> Result<T, FloatError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(FloatError::Model("it is not understood".into())))
}

fn model(error: impl std::fmt::Display) -> FloatError {
    FloatError::Model(format!("{error:#}"))
}

impl FloatModel {
    /// Reads a model. Where it leaves the batch open, that is the first axis, the batch is this.
    ///
    /// # Errors
    /// It cannot be evaluated.
    pub fn load(onnx: &[u8], batch: u32) -> Result<Self, FloatError> {
        guarded(|| Self::read(onnx, batch))
    }

    fn read(mut onnx: &[u8], batch: u32) -> Result<Self, FloatError> {
        let mut graph = tract_onnx::onnx().model_for_read(&mut onnx).map_err(model)?;
        let ids = graph.input_outlets().map_err(model)?.to_vec();
        let mut inputs = Vec::new();
        for (place, id) in ids.iter().enumerate() {
            let name = graph.node(id.node).name.clone();
            let fact = graph.input_fact(place).map_err(model)?.clone();
            let kind = fact.datum_type.concretize().ok_or_else(|| model("an input has no type"))?;
            let mut dims = Vec::new();
            for (axis, dim) in fact.shape.dims().enumerate() {
                let size = dim.concretize().and_then(|dim| dim.to_usize().ok());
                let open = || FloatError::Open { input: name.clone(), axis };
                dims.push(size.or((axis == 0).then_some(batch as usize)).ok_or_else(open)?);
            }
            graph.set_input_fact(place, InferenceFact::dt_shape(kind, &dims)).map_err(model)?;
            inputs.push(port(name, kind, &dims)?);
        }
        // What is declared of outputs may have the open batch.
        for place in 0..graph.output_outlets().map_err(model)?.len() {
            graph.set_output_fact(place, InferenceFact::default()).map_err(model)?;
        }
        let names: Vec<String> = graph
            .output_outlets()
            .map_err(model)?
            .iter()
            .map(|id| graph.outlet_label(*id).unwrap_or(&graph.node(id.node).name).to_owned())
            .collect();
        let typed = graph.into_optimized().map_err(model)?;
        let mut outputs = Vec::new();
        for (place, name) in names.into_iter().enumerate() {
            let fact = typed.output_fact(place).map_err(model)?;
            let dims = fact.shape.as_concrete().ok_or_else(|| model("an output's shape depends on the values"))?;
            outputs.push(port(name, fact.datum_type, dims)?);
        }
        let plan = typed.into_runnable().map_err(model)?;
        Ok(Self { plan, inputs, outputs })
    }

    /// Its inputs.
    pub fn inputs(&self) -> &[FloatPort] {
        &self.inputs
    }

    /// Its outputs.
    pub fn outputs(&self) -> &[FloatPort] {
        &self.outputs
    }

    /// Checks that inputs fit.
    ///
    /// # Errors
    /// Another number, another shape, or values that an input's type does not have.
    pub fn check(&self, inputs: &[Reals]) -> Result<(), FloatError> {
        if inputs.len() != self.inputs.len() {
            return Err(FloatError::Count { expected: self.inputs.len(), actual: inputs.len() });
        }
        self.inputs.iter().zip(inputs).try_for_each(|(port, reals)| port.check(reals))
    }

    /// Evaluates it.
    ///
    /// # Errors
    /// Inputs do not fit, the evaluation fails, or what comes out cannot be sent.
    pub fn run(&self, inputs: &[Reals]) -> Result<Vec<Reals>, FloatError> {
        self.check(inputs)?;
        let read = self.inputs.iter().zip(inputs).map(|(port, reals)| port.tensor(reals).map(Tensor::into_tvalue));
        let read: TVec<TValue> = read.collect::<Result<_, _>>()?;
        let failed = |error: TractError| FloatError::Run(format!("{error:#}"));
        let run = || self.plan.run(read).map_err(failed);
        let answers = guarded(run)?;
        self.outputs.iter().zip(&answers).map(|(port, answer)| port.reals(answer)).collect()
    }
}

fn port(name: String, kind: DatumType, dims: &[usize]) -> Result<FloatPort, FloatError> {
    let sent = [
        DatumType::F32,
        DatumType::F64,
        DatumType::F16,
        DatumType::I8,
        DatumType::I16,
        DatumType::I32,
        DatumType::I64,
        DatumType::U8,
        DatumType::Bool,
    ];
    if !sent.contains(&kind) {
        return Err(FloatError::Type { name, kind: format!("{kind:?}") });
    }
    let count = dims.iter().try_fold(1usize, |count, dim| count.checked_mul(*dim));
    if count.is_none_or(|count| count > ELEMENTS_MAX) {
        return Err(FloatError::Model(format!("{name:?} is too large")));
    }
    let dims = dims.iter().map(|dim| u32::try_from(*dim)).collect::<Result<_, _>>().map_err(model)?;
    Ok(FloatPort { name, dims, kind })
}

impl FloatPort {
    /// Whether a real is a value of the input's type; one that is narrower rounds it.
    fn holds(&self, value: f64) -> bool {
        let within = |low: f64, high: f64| value.fract() == 0.0 && (low..=high).contains(&value);
        match self.kind {
            DatumType::I8 => within(i8::MIN.into(), i8::MAX.into()),
            DatumType::I16 => within(i16::MIN.into(), i16::MAX.into()),
            DatumType::I32 => within(i32::MIN.into(), i32::MAX.into()),
            DatumType::I64 => within(-EXACT_MAX, EXACT_MAX),
            DatumType::U8 => within(0.0, u8::MAX.into()),
            DatumType::Bool => within(0.0, 1.0),
            _ => value.is_finite(),
        }
    }

    fn check(&self, reals: &Reals) -> Result<(), FloatError> {
        let count: usize = self.dims.iter().map(|dim| *dim as usize).product();
        if reals.dims != self.dims || reals.bits.len() != count {
            return Err(FloatError::Shape(self.name.clone()));
        }
        match reals.values().position(|value| !self.holds(value)) {
            None => Ok(()),
            Some(place) => Err(FloatError::Value { name: self.name.clone(), place, kind: format!("{:?}", self.kind) }),
        }
    }

    /// An input that was checked.
    fn tensor(&self, reals: &Reals) -> Result<Tensor, FloatError> {
        let values: Vec<f64> = reals.values().collect();
        let dims: Vec<usize> = self.dims.iter().map(|dim| *dim as usize).collect();
        let tensor = Tensor::from_shape(&dims, &values).map_err(model)?;
        Ok(tensor.cast_to_dt(self.kind).map_err(model)?.into_owned())
    }

    fn reals(&self, answer: &Tensor) -> Result<Reals, FloatError> {
        let whole = !self.kind.is_float();
        let cast = answer.cast_to::<f64>().map_err(model)?;
        let values: Vec<f64> = cast.to_plain_array_view::<f64>().map_err(model)?.iter().copied().collect();
        let dims: Vec<u32> = answer.shape().iter().map(|dim| *dim as u32).collect();
        if dims != self.dims {
            return Err(FloatError::Run(format!("output {:?} has another shape than it should", self.name)));
        }
        let sent = |value: &f64| value.is_finite() && (!whole || value.abs() <= EXACT_MAX);
        match values.iter().position(|value| !sent(value)) {
            Some(place) => Err(FloatError::Output { name: self.name.clone(), place }),
            None => Ok(Reals::new(dims, &values)),
        }
    }
}

/// The loaded models.
pub struct Floats {
    blobs: Arc<dyn BlobStore>,
    loaded: Loaded<(BlobId, u32), FloatModel>,
}

impl Floats {
    /// None yet.
    pub fn new(blobs: Arc<dyn BlobStore>, bytes_max: u64) -> Self {
        Self { blobs, loaded: Loaded::new(bytes_max) }
    }

    /// A model, loaded now if it is not.
    ///
    /// # Errors
    /// It cannot be evaluated.
    pub fn get(&self, file: BlobId, batch: u32) -> Result<Arc<FloatModel>, FloatError> {
        if let Some(model) = self.loaded.get((file, batch)) {
            return Ok(model);
        }
        let onnx = self.blobs.get(file)?;
        let model = FloatModel::load(&onnx, batch)?;
        Ok(self.loaded.keep((file, batch), model, onnx.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use assay_circuits::io::{Kind, decode};
    use proptest::prelude::*;

    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/../../fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    /// Tensors of a file of test data, by their names.
    fn tensors(name: &str) -> impl Fn(&str) -> assay_circuits::tensor::Tensor + use<> {
        let all = decode(&fixture(name), Kind::Npz).unwrap();
        move |wanted| all.iter().find(|(name, _)| name.as_deref() == Some(wanted)).unwrap().1.clone()
    }

    #[test]
    fn answers_are_those_of_onnxruntime() {
        for (name, batch) in [("digits_mlp", 1), ("digits_mlp", 5), ("cancer_tabular", 1), ("sunspots_lstm", 1)] {
            let model = FloatModel::load(&fixture(&format!("{name}.onnx")), batch).unwrap();
            let test = tensors(&format!("{name}_test.npz"));
            let (inputs, expected) = (test("inputs").values, test("outputs").values);
            let (input, output) = (&model.inputs()[0], &model.outputs()[0]);
            let size = |port: &FloatPort| port.dims.iter().map(|dim| *dim as usize).product::<usize>();
            assert_eq!(inputs.len() / size(input), expected.len() / size(output), "{name}");
            for (given, expected) in inputs.chunks_exact(size(input)).zip(expected.chunks_exact(size(output))).take(50)
            {
                let answer = model.run(&[Reals::new(input.dims.clone(), given)]).unwrap().remove(0);
                assert_eq!(answer.dims, output.dims);
                for (value, expected) in answer.values().zip(expected) {
                    assert!((value - expected).abs() <= 1e-4 * expected.abs().max(1.0), "{name}: {value} {expected}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_before_it_is_evaluated() {
        let model = FloatModel::load(&fixture("digits_mlp.onnx"), 1).unwrap();
        let dims = model.inputs()[0].dims.clone();
        let count = dims.iter().map(|dim| *dim as usize).product();
        assert!(matches!(model.check(&[]), Err(FloatError::Count { expected: 1, actual: 0 })));
        let short = Reals::new(dims.clone(), &vec![0.0; count - 1]);
        assert!(matches!(model.check(&[short]), Err(FloatError::Shape(_))));
        let other = Reals::new(vec![count as u32], &vec![0.0; count]);
        assert!(matches!(model.check(&[other]), Err(FloatError::Shape(_))));
        let mut values = vec![0.0; count];
        values[3] = f64::NAN;
        assert!(matches!(model.check(&[Reals::new(dims, &values)]), Err(FloatError::Value { place: 3, .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_files_are_refused_or_evaluated(place in 0usize..2_000, byte in any::<u8>(), end in 0usize..4_000) {
            let mut onnx = fixture("digits_mlp.onnx");
            let place = place % onnx.len();
            onnx[place] = byte;
            onnx.truncate(onnx.len().saturating_sub(end));
            drop(FloatModel::load(&onnx, 1));
        }
    }
}
