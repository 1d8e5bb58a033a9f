//! Real tensors: shapes and row-major values. Constants, inputs, outputs and the float reference all use this one type.

/// Most elements that a tensor may have; larger shapes are refused before anything is allocated for them.
pub const ELEMENTS_MAX: u64 = 1 << 28;

/// A tensor of real numbers. Integers up to `2^53` (shapes, axes) are held exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Shape; the product of the axes is the number of values.
    pub dims: Vec<u32>,
    /// Values, row-major.
    pub values: Vec<f64>,
}

impl Tensor {
    /// A tensor of one value and no axes.
    pub fn scalar(value: f64) -> Self {
        Self { dims: Vec::new(), values: vec![value] }
    }

    /// A tensor, if the values fit the shape.
    pub fn new(dims: Vec<u32>, values: Vec<f64>) -> Option<Self> {
        (elements(&dims)? == values.len()).then_some(Self { dims, values })
    }

    /// The only value of a tensor with one element.
    pub fn single(&self) -> Option<f64> {
        match self.values[..] {
            [value] => Some(value),
            _ => None,
        }
    }

    /// The values as integers; values beyond 64 bits saturate.
    pub fn integers(&self) -> Vec<i64> {
        self.values.iter().map(|&value| value as i64).collect()
    }
}

/// Number of elements of a shape; nothing if there are more than [`ELEMENTS_MAX`].
pub fn elements(dims: &[u32]) -> Option<usize> {
    let count = dims.iter().try_fold(1u64, |count, &dim| count.checked_mul(dim.into()))?;
    (count <= ELEMENTS_MAX).then_some(count as usize)
}

/// Distance between neighbours along each axis of a row-major shape.
pub fn strides(dims: &[u32]) -> Vec<usize> {
    let mut strides = vec![1usize; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis] as usize;
    }
    strides
}
