//! Arithmetic of scales: the real value of an integer is `integer * 2^-scale`.

/// The nearest integer, halves away from zero. All rounding of constants is done here.
pub fn round(value: f64) -> i64 {
    libm::round(value) as i64
}

/// `2^exponent`.
pub fn power_of_two(exponent: i32) -> f64 {
    libm::ldexp(1.0, exponent)
}

/// The finest scale at which `magnitude` is at most `limit`, but no finer than `most`.
pub fn finest_scale(magnitude: f64, limit: f64, most: i32) -> i32 {
    let mut scale = most;
    while magnitude * power_of_two(scale) > limit {
        scale -= 1;
    }
    scale
}

/// The coarsest scale from 0 up at which all values are integers below `2^53`; nothing if it is more than `most`.
pub fn exact_scale(values: &[f64], most: i32) -> Option<i32> {
    (0..=most).find(|&scale| {
        values.iter().all(|value| {
            let scaled = value * power_of_two(scale);
            scaled == libm::trunc(scaled) && libm::fabs(scaled) < 9e15
        })
    })
}

/// A factor as `multiplier * 2^-scale`: exactly if a multiplier of 16 bits does, else rounded to 15 bits.
pub fn decompose(factor: f64) -> (i64, i32) {
    if factor == 0.0 {
        return (0, 0);
    }
    let (_, exponent) = libm::frexp(factor);
    let scale = 15 - exponent;
    let mut multiplier = round(factor * power_of_two(scale));
    let mut scale = scale;
    // Trailing zeros belong to the scale.
    while multiplier % 2 == 0 {
        multiplier /= 2;
        scale -= 1;
    }
    (multiplier, scale)
}
