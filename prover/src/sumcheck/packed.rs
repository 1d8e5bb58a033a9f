//! Extension elements in SIMD lanes: eight at a time on AVX-512, four on AVX2, one elsewhere.
//!
//! Values stay in ordinary slices; loops gather neighbouring pairs into lanes, so that pairs of a sumcheck round need no other
//! layout. Results do not depend on the width: field arithmetic is exact.
use assay_verifier::field::{EF, F};
use p3_field::{ExtensionField, Field, PackedFieldExtension, PackedValue};

/// Extension elements in lanes.
pub type Packed = <EF as ExtensionField<F>>::ExtensionPacking;
/// Number of lanes.
pub const WIDTH: usize = <F as Field>::Packing::WIDTH;

/// Every `STRIDE`-th element from `first` on.
pub fn load<const STRIDE: usize>(values: &[EF], first: usize) -> Packed {
    let values = &values[first..first + STRIDE * (WIDTH - 1) + 1];
    Packed::from_ext_fn(|lane| values[STRIDE * lane])
}

/// Writes the lanes to every `STRIDE`-th element from `first` on.
pub fn store<const STRIDE: usize>(lanes: Packed, values: &mut [EF], first: usize) {
    for lane in 0..WIDTH {
        values[first + STRIDE * lane] = lanes.extract(lane);
    }
}

/// The sum of all lanes.
pub fn sum(lanes: Packed) -> EF {
    (0..WIDTH).map(|lane| lanes.extract(lane)).sum()
}
